"""The models, for the tasks they serve: what ``info`` says of inputs and outputs is all that differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from dlkit.config import NoOptions
from dlkit_scratch.network import Network, multilayer, zeros
from dlkit_scratch.options import MlpConfig


class ImagesInfo(Protocol):
    """What is needed of classification's ``info``."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes."""


class RowsInfo(Protocol):
    """What is needed of regression's ``info``."""

    @property
    def features(self) -> Sequence[str]:
        """Names of the features."""


def linear_classifier(config: NoOptions, info: ImagesInfo) -> Network:
    """image [N,C,H,W] → one score a class [N,classes]; the loss makes it perceptron, logistic or softmax regression."""
    return zeros(*_classification(info))


def linear_regressor(config: NoOptions, info: RowsInfo) -> Network:
    """features [N,F] → [N,1]."""
    return zeros(*_regression(info))


def mlp_classifier(config: MlpConfig, info: ImagesInfo) -> Network:
    """image [N,C,H,W] → logits [N,classes]."""
    return mlp_of_sizes(config, *_classification(info))


def mlp_regressor(config: MlpConfig, info: RowsInfo) -> Network:
    """features [N,F] → [N,1]."""
    return mlp_of_sizes(config, *_regression(info))


def mlp_of_sizes(config: MlpConfig, inputs: int, outputs: int) -> Network:
    """A multilayer perceptron with so many inputs and outputs."""
    generator = np.random.default_rng(np.random.randint(2**63 - 1))  # the engine seeds the global generator
    return multilayer([inputs, *config.hidden, outputs], config.activation, config.dropout, generator)


def _classification(info: ImagesInfo) -> tuple[int, int]:
    return math.prod(info.shape), len(info.classes)


def _regression(info: RowsInfo) -> tuple[int, int]:
    return len(info.features), 1

"""The models, for the tasks they serve: what ``info`` says of inputs and outputs is all that differs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dlkit.config import Config
from dlkit_scratch.network import Network, multilayer, zeros
from dlkit_scratch.options import MlpConfig


def linear_classifier(config: Config, info: Any) -> Network:
    """image [N,C,H,W] → one score a class [N,classes]; the loss makes it perceptron, logistic or softmax regression."""
    return zeros(*_classification(info))


def linear_regressor(config: Config, info: Any) -> Network:
    """features [N,F] → [N,1]."""
    return zeros(*_regression(info))


def mlp_classifier(config: MlpConfig, info: Any) -> Network:
    """image [N,C,H,W] → logits [N,classes]."""
    return _mlp(config, *_classification(info))


def mlp_regressor(config: MlpConfig, info: Any) -> Network:
    """features [N,F] → [N,1]."""
    return _mlp(config, *_regression(info))


def _mlp(config: MlpConfig, inputs: int, outputs: int) -> Network:
    generator = np.random.default_rng(np.random.randint(2**63 - 1))  # the engine seeds the global generator
    return multilayer([inputs, *config.hidden, outputs], config.activation, config.dropout, generator)


def _classification(info: Any) -> tuple[int, int]:
    return math.prod(info.shape), len(info.classes)


def _regression(info: Any) -> tuple[int, int]:
    return len(info.features), 1

"""Losses with their gradients, in NumPy. Each is a mean over the batch, in which N is the batch's size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dlkit.config import Config
from dlkit_scratch.activations import ACTIVATIONS, Floats

Labels = npt.NDArray[np.int64]
Target = Floats | Labels
"""What outputs are compared with: numbers, or labels."""


class Loss(ABC):
    """Base of the losses; ``key`` is the batch's entry that outputs are compared with."""

    key: ClassVar[str]

    def __init__(self, config: Config, info: object) -> None:
        self.config = config

    @abstractmethod
    def value_and_gradient(self, outputs: Floats, target: Target, gradient: Floats) -> float:
        """The loss of ``outputs`` [N,K]; ``gradient`` [N,K] is filled with its derivative by them."""

    def __call__(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The loss alone, for evaluation."""
        scores = outputs.numpy()
        value = self.value_and_gradient(scores, batch[self.key].numpy(), np.empty_like(scores))
        return {"loss": torch.tensor(value, dtype=outputs.dtype)}


class SquaredError(Loss):
    """Mean of (y − t)²."""

    key = "target"

    def value_and_gradient(self, outputs: Floats, target: Target, gradient: Floats) -> float:
        np.subtract(outputs, target, gradient)
        value = float(np.vdot(gradient, gradient)) / gradient.size
        np.multiply(gradient, 2 / gradient.size, gradient)
        return value


class CrossEntropy(Loss):
    """−log softmax(z) at the label; its gradient is softmax(z) − onehot (Bishop 2006, equations 4.108 and 4.109)."""

    key = "label"

    def value_and_gradient(self, outputs: Floats, target: Target, gradient: Floats) -> float:
        rows = np.arange(len(target))
        np.subtract(outputs, outputs.max(1, keepdims=True), gradient)
        at_label = gradient[rows, target].sum()
        np.exp(gradient, gradient)
        total = gradient.sum(1, keepdims=True)
        value = float(np.log(total).sum() - at_label) / len(target)
        np.divide(gradient, total, gradient)
        _less_one_hot(gradient, target)
        return value


class Logistic(Loss):
    """One against the rest: the sum over classes of log(1 + eᶻ) − t·z, with t = 1 for the label and 0 for the others.

    The gradient is σ(z) − t (Bishop 2006, equations 4.90 and 4.91).
    """

    key = "label"

    def value_and_gradient(self, outputs: Floats, target: Target, gradient: Floats) -> float:
        at_label = outputs[np.arange(len(target)), target].sum()
        value = float(np.logaddexp(0, outputs).sum() - at_label) / len(target)
        np.copyto(gradient, outputs)
        ACTIVATIONS["sigmoid"].forward(gradient)
        _less_one_hot(gradient, target)
        return value


class Perceptron(Loss):
    """Rosenblatt's rule, one unit a class against the rest: w ← w − η (step(z) − t) x, step(z) = 1 where z > 0.

    That is descent on the perceptron criterion, the sum of |z| over the units that are wrong (Rosenblatt 1958,
    Psychological Review 65, 386–408; Bishop 2006, equation 4.54).
    """

    key = "label"

    def value_and_gradient(self, outputs: Floats, target: Target, gradient: Floats) -> float:
        np.greater(outputs, 0, gradient)
        _less_one_hot(gradient, target)
        return float(np.vdot(gradient, outputs))


def _less_one_hot(gradient: Floats, target: Target) -> None:
    """gradient ← (gradient − onehot(target)) / N."""
    gradient[np.arange(len(target)), target] -= 1
    np.divide(gradient, len(target), gradient)

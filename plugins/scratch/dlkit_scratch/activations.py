"""Activation functions and their derivatives, in place: a step allocates nothing."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Floats = npt.NDArray[np.floating[Any]]


class Activation(Protocol):
    """A function f of each number."""

    def forward(self, z: Floats) -> None:
        """z becomes f(z)."""

    def backward(self, d: Floats, a: Floats) -> None:
        """d becomes d · f′(z), where a = f(z). What is in ``a`` is lost: it serves as room to compute in."""

    def graph(self, z: Tensor) -> Tensor:
        """The same function of a tensor, for exporters, which record torch's operations."""


class Identity:
    """f(z) = z, of output layers."""

    def forward(self, z: Floats) -> None:
        pass

    def backward(self, d: Floats, a: Floats) -> None:
        pass

    def graph(self, z: Tensor) -> Tensor:
        return z


class Sigmoid:
    """σ(z) = 1 / (1 + e⁻ᶻ), computed as ½(1 + tanh ½z), which cannot overflow; σ′ = σ(1 − σ)."""

    def forward(self, z: Floats) -> None:
        np.multiply(z, 0.5, z)
        np.tanh(z, z)
        np.add(z, 1, z)
        np.multiply(z, 0.5, z)

    def backward(self, d: Floats, a: Floats) -> None:
        np.multiply(d, a, d)
        np.subtract(1, a, a)
        np.multiply(d, a, d)

    def graph(self, z: Tensor) -> Tensor:
        return torch.sigmoid(z)


class Tanh:
    """tanh′ = 1 − tanh²."""

    def forward(self, z: Floats) -> None:
        np.tanh(z, z)

    def backward(self, d: Floats, a: Floats) -> None:
        np.multiply(a, a, a)
        np.subtract(1, a, a)
        np.multiply(d, a, d)

    def graph(self, z: Tensor) -> Tensor:
        return torch.tanh(z)


class Relu:
    """max(0, z); the derivative at 0 is taken as 0."""

    def forward(self, z: Floats) -> None:
        np.maximum(z, 0, out=z)

    def backward(self, d: Floats, a: Floats) -> None:
        np.sign(a, a)
        np.multiply(d, a, d)

    def graph(self, z: Tensor) -> Tensor:
        return torch.relu(z)


ACTIVATIONS: dict[str, Activation] = {
    "identity": Identity(),
    "sigmoid": Sigmoid(),
    "tanh": Tanh(),
    "relu": Relu(),
}

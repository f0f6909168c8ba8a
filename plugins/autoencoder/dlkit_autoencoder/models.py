"""Networks on the flattened image: linear, and deep."""

from __future__ import annotations

import math
from itertools import pairwise

from torch import Tensor, nn

from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.options import DeepConfig, LinearConfig


class Linear(nn.Module):
    """One linear layer each way: at its best the projection on as many principal components (Baldi and Hornik 1989).

    The encoder begins as a random rotation's rows and the decoder as its transpose, which is the form of the solution:
    so ordinary descent with a falling rate reaches the optimum in a few epochs.
    """

    def __init__(self, shape: tuple[int, int, int], code: int) -> None:
        super().__init__()
        size = math.prod(shape)
        self.shape = shape
        self.encoder = nn.Linear(size, code)
        self.decoder = nn.Linear(code, size)
        nn.init.orthogonal_(self.encoder.weight)
        self.decoder.weight.data.copy_(self.encoder.weight.data.T)
        nn.init.zeros_(self.encoder.bias)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        code = self.encoder(image.flatten(1))
        return {"image": self.decode(code), "code": code}

    def decode(self, code: Tensor) -> Tensor:
        """Codes [N,K] as images [N,C,H,W]; not bounded."""
        image: Tensor = self.decoder(code).unflatten(1, self.shape)
        return image


class Deep(nn.Module):
    """A multilayer perceptron to the code and its mirror image back; the last layer's sigmoid makes pixels."""

    def __init__(self, shape: tuple[int, int, int], code: int, hidden: list[int]) -> None:
        super().__init__()
        size = math.prod(shape)
        self.shape = shape
        self.encoder = perceptron([size, *hidden, code])
        self.decoder = perceptron([code, *reversed(hidden), size])

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        code = self.encoder(image.flatten(1))
        return {"image": self.decode(code), "code": code}

    def decode(self, code: Tensor) -> Tensor:
        """Codes [N,K] as images [N,C,H,W] in [0, 1]."""
        image: Tensor = self.decoder(code).float().sigmoid().unflatten(1, self.shape)
        return image


def perceptron(widths: list[int]) -> nn.Sequential:
    """Dense layers from each width to the next, SiLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


def linear(config: LinearConfig, info: AutoencoderInfo) -> Linear:
    return Linear(info.shape, config.code)


def deep(config: DeepConfig, info: AutoencoderInfo) -> Deep:
    return Deep(info.shape, config.code, config.hidden)

"""A residual network to a grid of a quarter of the image's sides, a perceptron to the code, and the same back."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from dlkit.data.randomness import content_seeds
from dlkit.errors import UsageError
from dlkit.nn.residual import Residual
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.options import ConvolutionalConfig, DenoisingConfig

_NOISE_SEED = 20130613
"""Of what corrupts images outside training: the same every time."""


class Encoder(nn.Sequential):
    """image [N,C,H,W] → [N,outputs]. Halving an image moves each 2×2 square into channels: nothing is thrown away."""

    def __init__(self, shape: tuple[int, int, int], config: ConvolutionalConfig, outputs: int) -> None:
        channels, height, width = shape
        super().__init__(
            nn.PixelUnshuffle(2),
            convolution(4 * channels, config.stem),
            nn.BatchNorm2d(config.stem),
            nn.SiLU(),
            nn.PixelUnshuffle(2),
            convolution(4 * config.stem, config.width),
            nn.BatchNorm2d(config.width),
            nn.SiLU(),
            *(residual(config.width) for _ in range(config.blocks)),
            nn.BatchNorm2d(config.width),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(config.width * (height // 4) * (width // 4), config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, outputs),
        )


class Decoder(nn.Sequential):
    """[N,K] → the logits of image [N,C,H,W]."""

    def __init__(self, shape: tuple[int, int, int], config: ConvolutionalConfig) -> None:
        channels, height, width = shape
        grid = (config.width, height // 4, width // 4)
        super().__init__(
            nn.Linear(config.code, config.hidden),
            nn.SiLU(),
            nn.Linear(config.hidden, math.prod(grid)),
            nn.Unflatten(1, grid),
            nn.BatchNorm2d(config.width),
            nn.SiLU(),
            nn.Conv2d(config.width, config.width, 3, padding=1),
            *(residual(config.width) for _ in range(config.blocks)),
            nn.BatchNorm2d(config.width),
            nn.SiLU(),
            convolution(config.width, 4 * config.stem),
            nn.PixelShuffle(2),
            nn.BatchNorm2d(config.stem),
            nn.SiLU(),
            nn.Conv2d(config.stem, 4 * channels, 3, padding=1),
            nn.PixelShuffle(2),
        )


class Convolutional(nn.Module):
    """Encoder and decoder; the decoder's sigmoid, in float32, makes pixels."""

    def __init__(self, shape: tuple[int, int, int], config: ConvolutionalConfig) -> None:
        super().__init__()
        self.encoder = Encoder(shape, config, self.encoded * config.code)
        self.decoder = Decoder(shape, config)

    encoded = 1
    """Numbers that the encoder gives for each one of the code."""

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        code = self.encoder(image)
        return {"image": self.decode(code), "code": code}

    def decode(self, code: Tensor) -> Tensor:
        """Codes [N,K] as images [N,C,H,W] in [0, 1]."""
        image: Tensor = self.decoder(code).float().sigmoid()
        return image


class Denoising(Convolutional):
    """Sees images corrupted in training and gives clean ones back (Vincent et al. 2008).

    Noise is not clipped: a pixel may be darker than black. Outside training it encodes what it is given.
    """

    def __init__(self, shape: tuple[int, int, int], config: DenoisingConfig) -> None:
        super().__init__(shape, config)
        self._noise, self._mask = config.noise, config.mask

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        return super().forward(self.corrupted(image) if self.training else image)

    def corrupted(self, image: Tensor) -> Tensor:
        """Pixels with Gaussian noise, some of them black; outside training a function of the image."""
        if self.training:
            noise, chance = torch.randn_like(image), torch.rand_like(image[:, :1])
        else:
            noise, chance = (drawn.to(image.device) for drawn in _fixed_draws(image))
        return (image + self._noise * noise) * (chance >= self._mask)


def _fixed_draws(image: Tensor) -> tuple[Tensor, Tensor]:
    """Normal numbers [N,C,H,W] and uniform ones [N,1,H,W], on the CPU, by the images' content."""
    noise, chance = torch.empty(image.shape), torch.empty(image[:, :1].shape)
    for i, seed in enumerate(content_seeds(image)):
        fixed = torch.Generator().manual_seed(_NOISE_SEED + seed)
        noise[i].normal_(generator=fixed)
        chance[i].uniform_(generator=fixed)
    return noise, chance


def residual(width: int) -> Residual:
    """x + two convolutions; the second begins at zero, so the block begins as nothing."""
    # Made in the order in which they are applied: weights are drawn in this order.
    first, second = convolution(width, width), nn.Conv2d(width, width, 3, padding=1)
    nn.init.zeros_(second.weight)
    return Residual({"first": first, "norm": nn.BatchNorm2d(width), "silu": nn.SiLU(), "second": second})


def convolution(before: int, after: int) -> nn.Conv2d:
    """3×3, the grid's size kept, without a bias: a norm follows."""
    return nn.Conv2d(before, after, 3, padding=1, bias=False)


def convolutional(config: ConvolutionalConfig, info: AutoencoderInfo) -> Convolutional:
    return Convolutional(divisible(info), config)


def denoising(config: DenoisingConfig, info: AutoencoderInfo) -> Denoising:
    return Denoising(divisible(info), config)


def divisible(info: AutoencoderInfo) -> tuple[int, int, int]:
    """The shape of the images; UsageError if their sides do not fit."""
    shape: tuple[int, int, int] = info.shape
    if shape[1] % 4 or shape[2] % 4:
        raise UsageError(f"images of {shape[2]}x{shape[1]}: convolutional models need sides that are multiples of 4")
    return shape

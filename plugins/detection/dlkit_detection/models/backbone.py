"""Networks that turn an image into maps of features, one for each halving: an own small one, and torchvision's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from dlkit.data.weights import fill, read_weights
from dlkit.errors import UsageError
from dlkit.nn.layers import convolution
from dlkit.nn.residual import Residual
from dlkit_detection.info import DetectionInfo
from dlkit_detection.options import PyramidConfig

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of the images that torchvision's weights were trained on."""
_PROBE = 256
"""Side of the image by which strides are measured."""


class Backbone(nn.Module):
    """image [N,C,H,W] → a list of maps [N,channels[i],H/strides[i],W/strides[i]], from the finest to the coarsest."""

    strides: list[int]
    channels: list[int]

    def forward(self, image: Tensor) -> list[Tensor]:
        raise NotImplementedError


class Own(Backbone):
    """A convolution that halves the image, then residual blocks, again and again."""

    def __init__(self, channels: int, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(before, after, stride=2), *(_residual(after) for _ in range(count)))
            for (before, after), count in zip(pairwise([channels, *widths]), blocks, strict=True)
        )
        self.strides, self.channels = [2 ** (i + 1) for i in range(len(widths))], list(widths)

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return maps


class FromTorchvision(Backbone):
    """A torchvision classifier without its head, cut where its maps get smaller.

    Images come with the data set's normalisation and get ImageNet's; grey ones are repeated. Frozen, its batch norms
    keep their statistics too.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, config: PyramidConfig, info: DetectionInfo) -> None:
        super().__init__()
        import torchvision  # type: ignore[import-untyped]

        whole = torchvision.models.get_model(config.backbone, weights=None)
        self.features = whole.features if hasattr(whole, "features") else nn.Sequential(*list(whole.children())[:-2])
        self._names = [] if hasattr(whole, "features") else [name for name, _ in list(whole.named_children())[:-2]]
        self._cuts, self.strides, self.channels = _cuts(self.features)
        if config.weights:
            self._start_from(Path(config.weights))
        self._frozen = config.freeze
        if config.freeze:
            self.requires_grad_(False)
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in _IMAGENET)
        own_mean, own_std = (torch.as_tensor(values).view(-1, 1, 1) for values in (info.mean, info.std))
        self.register_buffer("scale", (own_std / std).float(), persistent=False)
        self.register_buffer("shift", ((own_mean - mean) / std).float(), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        image, maps = image * self.scale + self.shift, []
        for i, layer in enumerate(self.features):
            image = layer(image)
            if i in self._cuts:
                maps.append(image)
        return maps

    def train(self, mode: bool = True) -> FromTorchvision:
        return super().train(mode and not self._frozen)

    def _start_from(self, path: Path) -> None:
        """torchvision's names are this module's, but for networks that have no ``features`` of their own."""
        weights = read_weights(path)
        if weights is None:
            return
        layers = {name: f"features.{i}" for i, name in enumerate(self._names)}
        own = {}
        for name, tensor in weights.items():
            first, _, rest = name.partition(".")
            own[f"{layers[first]}.{rest}" if first in layers else name] = tensor
        fill(self, own, path)


def build(config: PyramidConfig, info: DetectionInfo) -> Backbone:
    """The backbone that the options name."""
    if config.backbone == "own":
        return Own(info.shape[0], config.widths, config.blocks)
    if info.shape[0] not in (1, 3):
        raise UsageError(f"model.backbone = {config.backbone!r} takes grey or RGB images, not {info.shape[0]} channels")
    return FromTorchvision(config, info)


def _residual(width: int) -> Residual:
    """Two 3×3 convolutions beside the way straight through."""
    inner = (*convolution(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
    return Residual({"inner": nn.Sequential(*inner)}, after=torch.relu)


def _cuts(features: nn.Sequential) -> tuple[list[int], list[int], list[int]]:
    """Of a sequence of layers: the last one of each size of map, its stride (a power of two), and its channels."""
    found: dict[int, tuple[int, int]] = {}
    x = torch.zeros(1, 3, _PROBE, _PROBE)
    was_training = features.training
    with torch.no_grad():
        features.eval()
        for i, layer in enumerate(features):
            x = layer(x)
            stride = 2 ** round(torch.tensor(_PROBE / x.shape[2]).log2().item())
            found[stride] = i, x.shape[1]
    features.train(was_training)
    cuts = [i for i, _ in found.values()]
    return cuts, list(found), [channels for _, channels in found.values()]

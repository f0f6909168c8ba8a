"""Networks that turn an image into maps of features, one for each halving: own small ones, and torchvision's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dlkit.data.weights import embedded_weights, fill_part, named_weights
from dlkit.errors import UsageError
from dlkit.nn.backbone import BLOCKS, MEAN, STD, WIDTHS, Stages
from dlkit.nn.frozen import freeze
from dlkit_detection.info import DetectionInfo
from dlkit_detection.options import PyramidConfig

_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of the images that torchvision's weights were trained on."""
PARTS = ("backbone.", "body.")
"""Below which a run's model has a network's weights: a detector's, and a classifier's on a pretrained network."""
_PROBE = 256
"""Side of the image by which strides are measured."""


class Backbone(nn.Module):
    """image [N,C,H,W] → a list of maps [N,channels[i],H/strides[i],W/strides[i]], from the finest to the coarsest."""

    strides: list[int]
    channels: list[int]

    def forward(self, image: Tensor) -> list[Tensor]:
        raise NotImplementedError


class Own(Stages, Backbone):
    """A convolution that halves the image, then residual blocks, again and again."""


class Embedded(Own):
    """The same network with the widths and the weights of the one that comes with dlkit.

    Images come with the data set's normalisation and get that of what it was trained on; grey ones are repeated.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, config: PyramidConfig, info: DetectionInfo) -> None:
        super().__init__(3, WIDTHS, BLOCKS)
        if (weights := embedded_weights() if config.weights is None else named_weights(config.weights)) is not None:
            fill_part(self, weights, f"model.weights = {config.weights or 'embedded'}", PARTS)
        if config.freeze:
            freeze(self)
        _convert(self, info, MEAN, STD)

    def forward(self, image: Tensor) -> list[Tensor]:
        return super().forward(image * self.scale + self.shift)


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
            self._start_from(config.weights)
        self._frozen = config.freeze
        if config.freeze:
            self.requires_grad_(False)
        _convert(self, info, *_IMAGENET)

    def forward(self, image: Tensor) -> list[Tensor]:
        image, maps = image * self.scale + self.shift, []
        for i, layer in enumerate(self.features):
            image = layer(image)
            if i in self._cuts:
                maps.append(image)
        return maps

    def train(self, mode: bool = True) -> FromTorchvision:
        return super().train(mode and not self._frozen)

    def _start_from(self, named: str) -> None:
        """torchvision's names are this module's, but for networks that have no ``features`` of their own."""
        weights = named_weights(named)
        if weights is None:
            return
        layers = {name: f"features.{i}" for i, name in enumerate(self._names)}
        own = {}
        for name, tensor in weights.items():
            first, _, rest = name.partition(".")
            own[f"{layers[first]}.{rest}" if first in layers else name] = tensor
        fill_part(self, own, named, PARTS)


def build(config: PyramidConfig, info: DetectionInfo) -> Backbone:
    """The backbone that the options name."""
    if config.backbone == "own":
        return Own(info.shape[0], config.widths, config.blocks)
    if info.shape[0] not in (1, 3):
        raise UsageError(f"model.backbone = {config.backbone!r} takes grey or RGB images, not {info.shape[0]} channels")
    return Embedded(config, info) if config.backbone == "embedded" else FromTorchvision(config, info)


def _convert(network: nn.Module, info: DetectionInfo, *statistics: Sequence[float]) -> None:
    """``scale`` and ``shift``: from the data set's normalisation to that by this mean and standard deviation."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in statistics)
    own_mean, own_std = (torch.as_tensor(values).view(-1, 1, 1) for values in (info.mean, info.std))
    network.register_buffer("scale", (own_std / std).float(), persistent=False)
    network.register_buffer("shift", ((own_mean - mean) / std).float(), persistent=False)


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

"""``pretrained``: what another network has learned of images, and a new head."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.data.options import WEIGHT_FILES
from dlkit.data.torchvision_weights import TORCHVISION
from dlkit.data.weights import downloaded_weights, embedded_weights, fill, fill_part, named_weights
from dlkit.errors import UsageError
from dlkit.nn.frozen import freeze
from dlkit.nn.layers import hidden_layers
from dlkit_transfer.networks import Body, OwnClasses, embedded, of_torchvision, own_classes
from dlkit_transfer.options import PretrainedConfig

CHUNK = 32
"""Images that go through what is frozen at once, never more or less: kernels for another number round otherwise, and
what was computed once is to be what would be computed at every step, to the bit."""
PARTS = ("body.", "backbone.")
"""Below which a run's model has a network's weights: this model's, and that of a detector's backbone."""


class ImageInfo(Protocol):
    """What a task with images and classes tells its models."""

    classes: list[str]
    shape: tuple[int, int, int]
    mean: npt.NDArray[np.float32]
    std: npt.NDArray[np.float32]


class Pretrained(nn.Module):
    """image [N,C,H,W] → logits [N,classes].

    Of the body's blocks the first ``cut`` are frozen. ``fixed`` is what they make of images, and does not change;
    ``forward`` takes its result in the place of images. From scratch nothing is frozen.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, config: PretrainedConfig, info: ImageInfo) -> None:
        super().__init__()
        self.body = embedded() if config.backbone == "embedded" else of_torchvision(config.backbone)
        self.config = config
        self.cut = _frozen_blocks(config, len(self.body.blocks))
        self.own = _own(config, info.classes)
        _start(self.body, self.own, config)
        for part in (*self.body.blocks[: self.cut], *([self.own] if self.own else [])):
            for module in part.modules():
                freeze(module)
        if config.weights != "none":
            _keep_statistics(self.body)
        self._convert(info)
        width = self._width(info) * (2 if config.pooling == "both" else 1)
        hidden = hidden_layers(width, config.hidden, "relu")
        last = nn.Linear([width, *config.hidden][-1], len(info.classes))
        nn.init.zeros_(last.weight)  # it begins with no opinion, and so with no noise of many features
        nn.init.zeros_(last.bias)
        # Features differ in size by orders of magnitude: standardised, one rate and one decay suit them all.
        norm = nn.BatchNorm1d(width, affine=False)
        self.head = nn.Sequential(norm, *([nn.Dropout(config.dropout)] if config.dropout else []), *hidden, last)

    def forward(self, image: Tensor | None, features: Tensor | None = None) -> Tensor:
        """Of images, or of what ``fixed`` made of them (two of each where ``mirror`` asks for both: [N,2,…])."""
        if features is None:
            assert image is not None
            twice = self.config.mirror and not self.training and not image.requires_grad
            features = self.both(image) if twice else self.fixed(image)
        if features.dim() in (3, 5):  # an image and its mirror image
            one, other = features.unbind(1)
            return (self._answer(one) + self._answer(other)) / 2
        return self._answer(features)

    def fixed(self, image: Tensor) -> Tensor:
        """What the frozen blocks make of images: numbers [N,D] if all are frozen, else maps [N,C,h,w].

        Images that a gradient is asked of go through as they are: whoever looks inside finds a map for each.
        """
        followed = image.requires_grad
        image = image * self.scale + self.shift
        if self.config.size:
            size = (self.config.size, self.config.size)
            image = F.interpolate(image, size, mode="bilinear", antialias=True)
        if not self.cut:
            return image
        if followed or torch.compiler.is_exporting():  # which is for batches of every size
            return self._maps(image)
        with torch.no_grad():
            return torch.cat([self._chunk(some) for some in torch.split(image, CHUNK)])

    def both(self, image: Tensor) -> Tensor:
        """``fixed`` of images and of their mirror images: [N,2,…]."""
        return torch.stack([self.fixed(image), self.fixed(image.flip(3))], 1)

    def groups(self) -> list[list[nn.Parameter]]:
        """Parameters by how far they are from the head's: first these, then those of the last block, and so on; from
        scratch there is one group."""
        own = [list(self.head.parameters())]
        trained = [[*block.parameters()] for block in self.body.blocks[self.cut :]]
        if self.config.weights == "none":
            return [[p for group in (*own, *trained) for p in group]]
        return [group for group in (*own, *reversed(trained)) if group]

    def frozen_part(self) -> nn.Module:
        """What ``fixed`` goes through."""
        whole = self.cut == len(self.body.blocks) and self.own is not None
        return nn.ModuleList([*self.body.blocks[: self.cut], *([self.own] if whole and self.own else [])])

    def _chunk(self, images: Tensor) -> Tensor:
        count = len(images)
        if count < CHUNK:
            images = torch.cat([images, images.new_zeros(CHUNK - count, *images.shape[1:])])
        return self._maps(images)[:count]

    def _maps(self, images: Tensor) -> Tensor:
        maps = self.body(images, 0, self.cut)
        return self._pooled(maps) if self.cut == len(self.body.blocks) else maps

    def _answer(self, features: Tensor) -> Tensor:
        if self.cut < len(self.body.blocks):
            features = self._pooled(self.body(features, self.cut))
        if self.own is None:
            return cast(Tensor, self.head(features))
        count = len(self.own.columns)
        return cast(Tensor, features[:, -count:] + self.head(features[:, :-count]))

    def _pooled(self, maps: Tensor) -> Tensor:
        """Means and maxima; behind them, where it is asked, what the network itself says of the classes."""
        kept = self.config.pooling
        numbers = [maps.mean((2, 3))] if kept != "max" else []
        numbers += [maps.amax((2, 3))] if kept != "mean" else []
        return torch.cat([*numbers, *([self.own(maps)] if self.own is not None else [])], 1)

    def _convert(self, info: ImageInfo) -> None:
        """Images come with the data set's normalisation and get the network's; grey ones are repeated."""
        if info.shape[0] not in (1, 3):
            raise UsageError(f"model pretrained takes grey or RGB images, not {info.shape[0]} channels")
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.body.mean, self.body.std))
        own_mean, own_std = (torch.as_tensor(values).view(-1, 1, 1) for values in (info.mean, info.std))
        self.register_buffer("scale", (own_std / std).float(), persistent=False)
        self.register_buffer("shift", ((own_mean - mean) / std).float(), persistent=False)

    @torch.no_grad()
    def _width(self, info: ImageInfo) -> int:
        """Channels of the last maps; UsageError: images are too small for the network."""
        size = (self.config.size, self.config.size) if self.config.size else info.shape[1:]
        modes = [(module, module.training) for module in self.body.modules()]
        try:
            return int(self.body.eval()(torch.zeros(1, 3, *size)).shape[1])
        except RuntimeError as error:
            raise UsageError(
                f"images of {size[0]}x{size[1]} pixels are too small for model.backbone = {self.config.backbone}: "
                "give --model.size 64, or more"
            ) from error
        finally:
            for module, training in modes:
                module.training = training


def build(config: PretrainedConfig, info: ImageInfo) -> nn.Module:
    return Pretrained(config, info)


def _frozen_blocks(config: PretrainedConfig, blocks: int) -> int:
    if config.weights == "none":
        return 0
    trained = config.unfreeze or 0
    if trained > blocks:
        raise UsageError(f"model.unfreeze = {trained}: {config.backbone} has {blocks} blocks")
    return blocks - trained


def _own(config: PretrainedConfig, classes: Sequence[str]) -> OwnClasses | None:
    """A run's weights, and dlkit's own, come without a classifier of ImageNet's classes."""
    file = config.weights.endswith(WEIGHT_FILES)
    if not config.own_classes or config.backbone == "embedded" or not (file or config.weights == "auto"):
        return None
    return own_classes(config.backbone, classes)


def _start(body: Body, own: OwnClasses | None, config: PretrainedConfig) -> None:
    """Weights of where the options say they are."""
    origin = config.weights
    if origin == "none":
        return
    if origin != "auto":
        weights = named_weights(origin)
    elif config.backbone == "embedded":
        weights = embedded_weights()
    else:
        weights = downloaded_weights(TORCHVISION[config.backbone].name)
    if weights is not None:
        fill_part(body, weights, f"model.weights = {origin}", PARTS)
        if own is not None:
            fill(own, weights, f"model.weights = {origin} (--model.own-classes false does without its classifier)")


def _keep_statistics(body: nn.Module) -> None:
    """Of batch norms that are trained again too: few images at a time would spoil those of millions."""
    for module in _norms(body):
        module.eval()


def _norms(body: nn.Module) -> Iterator[nn.Module]:
    return (module for module in body.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm))


__all__: Sequence[str] = ("CHUNK", "Pretrained", "build")

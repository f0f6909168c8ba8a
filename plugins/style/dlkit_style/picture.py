"""A picture whose pixels are a model's parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypedDict

import torch
from torch import Tensor, nn

from dlkit_style.features import Features, Weighted, gram
from dlkit_style.info import StyleInfo
from dlkit_style.options import PictureConfig
from dlkit_style.pixels import alike, covering, distance, halved, luma, resized, scaled

_PLACES = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Rows and columns that a network may begin at."""


@dataclass(frozen=True)
class Targets:
    """What a picture of one size is to come to, by layer: the content's maps, and correlations as the styles'."""

    content: Mapping[str, Tensor]
    style: Mapping[str, Tensor]


class Outputs(TypedDict):
    """``image`` [N,3,H,W] in [0, 1]; ``pixels`` as they are, [C,H,W]; distances by layer, scalars."""

    image: Tensor
    pixels: Tensor
    content: dict[str, Tensor]
    style: dict[str, Tensor]


class Picture(nn.Module):
    """Pixels, and the fixed network that they are looked at through.

    ``pixels`` are RGB in [0, 1] as [3,H,W], of each level from the coarsest to the full size; with ``colours`` of the
    content, only how light each is, [1,H,W]. ``rise(level)`` goes on at another level, from what the picture is then.
    Outside training the picture is looked at in its full size, so that losses of all levels compare.

    ``forward(content)`` gives ``image`` [N,3,H,W] in [0, 1], and in ``content`` and ``style``, by layer, how far it is
    from what it is to be: squared differences relative to the squares of what is wanted, times what the layer counts.
    The content is the same at every step, that of ``info``; so its features, and the styles', are computed once a size.
    """

    def __init__(
        self, features: Features, shares: tuple[Weighted, Weighted], info: StyleInfo, config: PictureConfig
    ) -> None:
        super().__init__()
        self.features, self.info, self.config = features, info, config
        self._shares = shares
        self._light = config.colours == "content"
        self.register_buffer("content", scaled(info.content), persistent=False)
        for number, style in enumerate(info.styles):
            self.register_buffer(f"style{number}", scaled(style), persistent=False)
        height, width = self.content.shape[1:]
        self.sizes = [halved(height, width, config.levels - 1 - level) for level in range(config.levels)]
        lost = int(config.places > 1)
        features.check(*self.sizes[0], config.levels, lost)
        for style in self.styles:
            features.check(*self._scaled_as_content(style, self.sizes[0]), config.levels, lost, style=True)
        first = self._first()
        self.pixels = nn.ParameterList([resized(first, size).clone() for size in self.sizes])
        self.register_buffer("level", torch.tensor(config.levels - 1))
        self._now = config.levels - 1  # what ``level`` holds: to read that, a step would wait for the device
        self._targets: dict[tuple[int, int], Targets] = {}
        self.register_load_state_dict_post_hook(_forget)  # type: ignore[no-untyped-call]

    content: Tensor
    level: Tensor

    def fresh(self, info: StyleInfo) -> Picture:
        """Another picture at its beginning, seen through the same network."""
        return Picture(self.features, self._shares, info, self.config).to(self.content.device)

    def rise(self, level: int) -> None:
        """Go on at a level: the picture is brought to its size (bicubic)."""
        self._targets.clear()  # before a run's first step another number of threads may compute, and round otherwise
        with torch.no_grad():
            if self._now != level:
                self.pixels[level].copy_(resized(self.pixels[self._now], self.sizes[level]))
            self.level.fill_(level)
        self._now = level

    def forward(self, given: Tensor) -> Outputs:
        """``given`` [N,3,H,W] says how many; it is the content of ``info``."""
        size = self.sizes[self._now] if self.training else self.sizes[-1]
        pixels = resized(self.pixels[self._now], size)
        if size not in self._targets:
            with torch.no_grad():
                self._targets[size] = self._aims(size)
        aims, seen = self._targets[size], self.features(self._seen(pixels))
        content, style = self._shares
        return {
            "image": self._coloured(pixels, size).clamp(0, 1).expand(len(given), -1, -1, -1),
            "pixels": pixels,
            "content": {name: part * distance(seen[name], aims.content[name]) for name, part in content.items()},
            "style": {name: part * distance(gram(seen[name]), aims.style[name]) for name, part in style.items()},
        }

    def image(self) -> Tensor:
        """The picture as it is, [3,H,W] in [0, 1], in its full size."""
        with torch.no_grad():
            pixels = resized(self.pixels[self._now], self.sizes[-1])
            return self._coloured(pixels, self.sizes[-1])[0].clamp(0, 1)

    @property
    def styles(self) -> list[Tensor]:
        """RGB in [0, 1], [3,h,w] each."""
        found: list[Tensor] = [getattr(self, f"style{number}") for number in range(len(self.info.styles))]
        return found

    def _first(self) -> Tensor:
        """Pixels of the full size at the beginning."""
        if self.config.start == "noise":
            return torch.rand(1 if self._light else 3, *self.content.shape[1:])
        start = self.content if self.config.start == "content" else covering(self.styles[0], self.content)
        return luma(start) if self._light else start

    def _scaled_as_content(self, style: Tensor, size: tuple[int, int]) -> tuple[int, int]:
        """A style's height and width where the content has ``size``."""
        factor = size[0] / self.content.shape[1]
        height, width = (max(1, round(side * factor)) for side in style.shape[1:])
        return height, width

    def _aims(self, size: tuple[int, int]) -> Targets:
        """What pictures of a size are to come to; styles are scaled as the content is."""
        content = resized(self.content, size)
        found = self.features(self._seen(luma(content) if self._light else content))
        correlations: dict[str, Tensor] = {}
        for style, part in zip(self.styles, self.info.blend, strict=True):
            small = resized(style, self._scaled_as_content(style, size))
            maps = self.features(self._seen(alike(luma(small), luma(content)) if self._light else small))
            for name in self._shares[1]:
                own = part * gram(maps[name])
                correlations[name] = correlations[name] + own if name in correlations else own
        return Targets({name: found[name] for name in self._shares[0]}, correlations)

    def _seen(self, pixels: Tensor) -> Tensor:
        """Pixels as the network is given them: [P,3,H,W], for each of the places that it looks from."""
        image = pixels.expand(3, -1, -1)
        places = _PLACES[: self.config.places]
        if len(places) == 1:
            return image[None]
        height, width = (side - 1 for side in image.shape[1:])
        return torch.stack([image[:, y : y + height, x : x + width] for y, x in places])

    def _coloured(self, pixels: Tensor, size: tuple[int, int]) -> Tensor:
        """Pixels as a picture [1,3,H,W]."""
        if not self._light:
            return pixels[None]
        content = resized(self.content, size)
        return (content + (pixels - luma(content)))[None]  # in YIQ, with the content's I and Q

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self._targets.clear()  # they lie where the network lay
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call, no-any-return]


def _forget(module: nn.Module, _: object) -> None:
    """What was computed with weights of before a checkpoint's; its level is this one's."""
    assert isinstance(module, Picture)
    module._targets.clear()
    module._now = int(module.level)

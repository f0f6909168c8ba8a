"""What people see: the picture, what it comes from, and how far it is from that at each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from dlkit.samples import Images, Sample, Table
from dlkit_style.info import StyleInfo
from dlkit_style.storage import Pixels

_BEHIND = 24
"""Grey beside pictures of another shape."""


def shown(image: Tensor) -> Pixels:
    """[3,H,W] in [0, 1] as uint8 [H,W,3]."""
    return (image.float().cpu() * 255).round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().numpy()


def painted(image: Tensor, name: str = "picture", title: str = "The picture") -> Images:
    """The picture alone, in its full size."""
    return Images(name=name, title=title, images=shown(image)[None], columns=1)


def beside(info: StyleInfo, image: Tensor | None = None) -> Images:
    """The content, the styles, and the picture, each within the content's size."""
    height, width = info.content.shape[1:]
    pictures = [_within(np.moveaxis(one, 0, -1), width, height) for one in (info.content, *info.styles)]
    captions = ["content", *(f"style: {name}" for name in info.names[1:])]
    if image is not None:
        pictures, captions = [*pictures, shown(image)], [*captions, "picture"]
    title = f"{info.names[0]} in the style of {' and '.join(info.names[1:])}"
    return Images(name="beside", title=title, images=np.stack(pictures), captions=captions, columns=len(pictures))


def distances(losses: Mapping[str, Mapping[str, float]]) -> Table:
    """Each layer's part of content and style loss."""
    rows: list[Sequence[str | float | int]] = [
        [kind, layer, value] for kind, by_layer in losses.items() for layer, value in by_layer.items()
    ]
    return Table(
        name="losses",
        title="How far it is, by layer (1: as far as nothing)",
        headers=["of", "layer", "loss"],
        rows=rows,
    )


def samples(info: StyleInfo, image: Tensor, losses: Mapping[str, Mapping[str, float]]) -> list[Sample]:
    """All of these."""
    return [painted(image), beside(info, image), distances(losses)]


def _within(pixels: Pixels, width: int, height: int) -> Pixels:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(ImageOps.pad(image, (width, height), Image.Resampling.BILINEAR, color=(_BEHIND,) * 3))

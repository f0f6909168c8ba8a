"""Pictures as this task's data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from dlkit.data.context import Context
from dlkit.data.image_info import rules_info
from dlkit.data.images import fitted
from dlkit.data.pixel_rules import PLAIN, PixelRules
from dlkit.data.splits import Batch, Data, TensorSplit
from dlkit_style.options import SizeOptions
from dlkit_style.runs import kept

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Named:
    """A picture, decoded, and what it is called."""

    name: str
    image: Image.Image


class Scene(TensorSplit):
    """The content as the one sample; its fingerprint is of the styles too."""

    def __init__(self, content: Pixels, styles: Sequence[Pixels], blend: Sequence[float]) -> None:
        super().__init__({"content": torch.from_numpy(content)[None]}, transform=_in_unit_range)
        digest = hashlib.sha256(np.asarray(blend, np.float64).tobytes())
        for style in styles:
            digest.update(f"{style.shape}".encode() + style.tobytes())
        self._styles = digest.hexdigest()

    def fingerprint(self) -> str:
        return hashlib.sha256(f"{super().fingerprint()} {self._styles}".encode()).hexdigest()


def as_data(
    content: Named,
    styles: Sequence[Named],
    blend: Sequence[float],
    options: SizeOptions,
    *,
    context: Context,
    rules: PixelRules = PLAIN,
    notes: Sequence[str] = (),
) -> Data:
    """One sample, the same in every split: what is measured is the picture, which knows no other content."""
    picture = sized(content.image, options.size)
    others = [sized(style.image, options.style_size or options.size) for style in styles]
    shares = [part / sum(blend) for part in blend]
    info: Mapping[str, Any] = {
        "content": picture,
        "styles": others,
        "blend": shares,
        "names": [content.name, *(style.name for style in styles)],
        "size": options.size,
        "network": kept(options.network, context),
        **rules_info(rules),
    }
    said = [note for one in (content, *styles) for note in _enlarged(one, options)]
    train, val, test = (Scene(picture, others, shares) for _ in range(3))
    return Data(train=train, val=val, test=test, info=info, notes=[*notes, *said])


def sized(image: Image.Image, longer: int) -> Pixels:
    """RGB as uint8 [3,H,W], the longer side of so many pixels (bilinear, antialiased)."""
    factor = longer / max(image.size)
    width, height = (max(1, round(side * factor)) for side in image.size)
    return fitted(image, height, width, "crop")


def _enlarged(one: Named, options: SizeOptions) -> list[str]:
    longer = max(one.image.size)
    if longer >= options.size:
        return []
    return [f"{one.name} has {longer} pixels on its longer side: it is enlarged to {options.size} (dataset.size)"]


def _in_unit_range(batch: Batch) -> Batch:
    return {**batch, "content": batch["content"].to(torch.float32) / 255}

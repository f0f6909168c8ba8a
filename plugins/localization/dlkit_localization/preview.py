"""What people see of a split before any training: how many of each class, how large, and a grid of images."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from dlkit.data.columns import whole_column
from dlkit.data.drawing import draw_boxes
from dlkit.data.encoding import Encoding
from dlkit.data.splits import Split
from dlkit.metrics.selection import evenly_spaced
from dlkit.samples import Box, Images, Table
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.outputs import corners

NONE = "none"


def balance(info: LocalizationInfo, split: Split) -> Table:
    """Images of each class, their share, and their boxes' mean size, as a table."""
    label, box = (whole_column(split, name) for name in ("label", "box"))
    total, (_, height, width) = max(1, len(label)), info.shape
    rows: list[list[str | int]] = []
    for number, name in enumerate([NONE, *info.classes], -1):
        mine = box[label == number]
        size = mine[:, 2:].mean(0) * torch.tensor([width, height]) if number >= 0 and len(mine) else None
        sides = "" if size is None else f"{size[0]:.1f} × {size[1]:.1f}"
        rows.append([name, len(mine), f"{len(mine) / total:.1%}", sides])
    headers = ["class", "images", "share", "mean box (width × height)"]
    return Table(name="balance", title="Images of each class", headers=headers, rows=rows)


def grid(info: LocalizationInfo, split: Split, count: int) -> Images:
    """Images from all over the split, with their boxes and classes."""
    index = evenly_spaced(len(split), count)
    batch = split.take(index)
    pictures = Encoding(info.mean, info.std).pixels(batch["image"])
    boxes = corners(batch["box"], *info.shape[1:])
    labels = batch["label"].tolist()
    drawn = [
        np.asarray(draw_boxes(Image.fromarray(picture), [Box(corners=tuple(box), role="true")] if label >= 0 else []))
        for picture, box, label in zip(pictures, boxes.tolist(), labels, strict=True)
    ]
    names = [info.classes[label] if label >= 0 else NONE for label in labels]
    return Images(name="images", images=np.stack(drawn), captions=names)

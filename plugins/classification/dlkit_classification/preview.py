"""What people see of a split before any training: how many of each class, and a grid of images."""

from __future__ import annotations

import torch

from dlkit.data.columns import whole_column
from dlkit.data.encoding import Encoding
from dlkit.data.splits import Split
from dlkit.metrics.selection import evenly_spaced
from dlkit.samples import Images, Table
from dlkit_classification.info import ClassificationInfo


def balance(info: ClassificationInfo, split: Split) -> Table:
    """Images of each class and their share, as a table."""
    counts = torch.bincount(whole_column(split, "label"), minlength=len(info.classes)).tolist()
    total = max(1, sum(counts))
    rows = [[name, count, f"{count / total:.1%}"] for name, count in zip(info.classes, counts, strict=True)]
    return Table(name="balance", title="Images of each class", headers=["class", "images", "share"], rows=rows)


def grid(info: ClassificationInfo, split: Split, count: int) -> Images:
    """Images from all over the split, with their classes."""
    index = evenly_spaced(len(split), count)
    batch = split.take(index)
    names = [info.classes[label] for label in batch["label"].tolist()]
    return Images(name="images", images=Encoding(info.mean, info.std).pixels(batch["image"]), captions=names)

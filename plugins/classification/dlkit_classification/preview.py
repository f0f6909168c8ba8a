"""What people see of a split before any training: how many of each class, and a grid of images."""

from __future__ import annotations

import torch
from torch import Tensor

from dlkit.data.encoding import Encoding
from dlkit.data.plans import in_order
from dlkit.data.splits import Split, TensorSplit
from dlkit.samples import Images, Table
from dlkit_classification.info import ClassificationInfo


def balance(info: ClassificationInfo, split: Split) -> Table:
    """Images of each class and their share, as a table."""
    counts = torch.bincount(_labels(split), minlength=len(info.classes)).tolist()
    total = max(1, sum(counts))
    rows = [[name, count, f"{count / total:.1%}"] for name, count in zip(info.classes, counts, strict=True)]
    return Table(name="balance", title="Images of each class", headers=["class", "images", "share"], rows=rows)


def grid(info: ClassificationInfo, split: Split, count: int) -> Images:
    """Images from all over the split, with their classes."""
    index = torch.linspace(0, len(split) - 1, min(count, len(split))).long()
    batch = split.take(index)
    names = [info.classes[label] for label in batch["label"].tolist()]
    return Images(name="images", images=Encoding(info.mean, info.std).pixels(batch["image"]), captions=names)


def _labels(split: Split) -> Tensor:
    if isinstance(split, TensorSplit) and isinstance(split.columns["label"], Tensor):
        return split.columns["label"].cpu()
    batches = split.batches(in_order(len(split), 500), seed=0, epoch=None)
    return torch.cat([batch["label"].cpu() for batch in batches])

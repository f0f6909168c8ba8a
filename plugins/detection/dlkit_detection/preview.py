"""What people see of a split before any training: how many objects of each class, and images with their boxes."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dlkit.data.columns import column_parts
from dlkit.data.encoding import Encoding
from dlkit.data.splits import Split
from dlkit.metrics.selection import evenly_spaced
from dlkit.samples import Box, Boxes, Table
from dlkit_detection.info import DetectionInfo


def balance(info: DetectionInfo, split: Split) -> Table:
    """Objects of each class, their share, and how many images have one."""
    counts = torch.zeros(len(info.classes), dtype=torch.int64)
    images = torch.zeros_like(counts)
    for labels in column_parts(split, "labels"):
        of_class = (labels[..., None] == torch.arange(len(counts))).sum(1)  # [N,classes]
        counts += of_class.sum(0)
        images += (of_class > 0).sum(0)
    total = max(1, int(counts.sum()))
    rows = [
        [name, count, f"{count / total:.1%}", seen]
        for name, count, seen in zip(info.classes, counts.tolist(), images.tolist(), strict=True)
    ]
    title = f"Objects of each class: {int(counts.sum()):,} on {len(split):,} images"
    return Table(name="balance", title=title, headers=["class", "objects", "share", "images"], rows=rows)


def pictures(info: DetectionInfo, split: Split, count: int) -> list[Boxes]:
    """Images from all over the split, with their true boxes."""
    index = evenly_spaced(len(split), count)
    batch = split.take(index)
    pixels = Encoding(info.mean, info.std).pixels(batch["image"])
    return [
        Boxes(name=f"image-{i}", title=f"Image {i}", image=image, boxes=true_boxes(info, boxes, labels))
        for i, image, boxes, labels in zip(
            index.tolist(), pixels, batch["boxes"].tolist(), batch["labels"].tolist(), strict=True
        )
    ]


def true_boxes(info: DetectionInfo, boxes: Sequence[Sequence[float]], labels: Sequence[int]) -> list[Box]:
    return [
        Box(corners=(x1, y1, x2, y2), label=info.classes[label], role="true")
        for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True)
        if label >= 0
    ]

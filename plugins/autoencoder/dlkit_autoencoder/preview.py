"""What people see of a split before any training: a grid of images."""

from __future__ import annotations

from typing import Any

import torch

from dlkit.data.splits import Split
from dlkit.samples import Images
from dlkit_autoencoder.storage import scaled


def grid(info: Any, split: Split, count: int) -> Images:
    """Images from all over the split."""
    channels, height, width = info.shape
    index = torch.linspace(0, len(split) - 1, min(count, len(split))).long()
    title = f"Images of the split, {width}x{height}, {channels * height * width:,} values each"
    return Images(name="images", title=title, images=scaled(channels).pixels(split.take(index)["image"]))

"""What people see of a split before any training: a grid of images."""

from __future__ import annotations

from dlkit.data.splits import Split
from dlkit.metrics.selection import evenly_spaced
from dlkit.samples import Images
from dlkit_gan.storage import ENCODING


def grid(split: Split, count: int) -> Images:
    """Images from all over the split."""
    pixels = ENCODING.pixels(split.take(evenly_spaced(len(split), count))["image"])
    return Images(name="images", title=f"Of {len(split):,} images", images=pixels)

"""What people see of a split before any training: a grid of images."""

from __future__ import annotations

from dlkit.data.splits import Split
from dlkit.metrics.selection import evenly_spaced
from dlkit.samples import Images
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.storage import scaled


def grid(info: AutoencoderInfo, split: Split, count: int) -> Images:
    """Images from all over the split."""
    channels, height, width = info.shape
    index = evenly_spaced(len(split), count)
    title = f"Images of the split, {width}x{height}, {channels * height * width:,} values each"
    return Images(name="images", title=title, images=scaled(channels).pixels(split.take(index)["image"]))

"""Images and what a kernel makes of them: two embedded photographs, or your own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from dlkit.data.context import Context
from dlkit.data.conversions import conversion_notes
from dlkit.data.image_files import named_images
from dlkit.data.image_info import rules_info
from dlkit.data.images import allow_megapixels, fitted, look_at
from dlkit.data.options import pixel_rules
from dlkit.data.splits import Data, TensorSplit
from dlkit.errors import DataError
from dlkit_insight.kernels.known import LARGEST, parse
from dlkit_insight.kernels.models import filtered
from dlkit_insight.kernels.options import FilesConfig, FilteredConfig

Pixels = npt.NDArray[np.uint8]
PHOTOGRAPHS = ("china.jpg", "flower.jpg")
_REACH = LARGEST - 1


def build(config: FilteredConfig, context: Context) -> Data:
    """The Chinese temple to learn from, the flower to see whether it holds (scikit-learn's, CC BY)."""
    from sklearn.datasets import load_sample_image

    found = [Image.fromarray(load_sample_image(name)) for name in PHOTOGRAPHS]
    images = [image if config.colour else image.convert("L") for image in found]
    return _data(_brought_to_one_size(images, config.side), config)


def build_files(config: FilesConfig, context: Context) -> Data:
    allow_megapixels(config.max_megapixels)
    rules = pixel_rules(config)
    paths, notes = named_images([config.path])
    if config.filtered and len(paths) > 1:
        raise DataError(f"{config.path}: with dataset.filtered one image is needed, here are {len(paths)}")
    opened = [look_at(path, colour=config.colour, rules=rules) for path in paths]
    told = conversion_notes([(str(p), c) for p, (_, c) in zip(paths, opened, strict=True)], "dataset.")
    images = [image for image, _ in opened]
    if config.filtered:
        target, _ = look_at(Path(config.filtered), colour=config.colour, rules=rules)
        if target.size != images[0].size:
            sizes = " × ".join(map(str, images[0].size)), " × ".join(map(str, target.size))
            raise DataError(f"{config.filtered}: is of {sizes[1]} pixels, the image of {sizes[0]}: they must be equal")
        data = _data(_pixels([images[0]]), config, target=_pixels([target]))
    else:
        data = _data(_brought_to_one_size(images, config.side), config)
    alone = ["one image: it is validated on what it was trained on"] if len(images) == 1 else []
    info = {**data.info, **rules_info(rules)}
    return Data(data.train, data.val, info, notes=[*notes, *told, *alone])


def _data(images: Pixels, config: FilteredConfig, target: Pixels | None = None) -> Data:
    """Splits of pixels [N,C,H,W]: the last image is for validation, unless it is the only one."""
    if min(images.shape[2:]) < 2:
        raise DataError(f"an image of {images.shape[3]} × {images.shape[2]} pixels is too small: 2 × 2 at least")
    (name, rows), *others = parse(config.kernel).items()
    if others:
        raise DataError(f"dataset.kernel = {config.kernel}: one kernel is to be found, not {1 + len(others)}")
    inputs, kernel = _floats(images), torch.tensor(rows, dtype=torch.float32)
    outputs = filtered(inputs, kernel, config.border) if target is None else _floats(target)
    columns = {"image": inputs, "filtered": outputs}
    parts = {"train": slice(0, max(1, len(images) - 1)), "val": slice(len(images) - 1, None)}
    splits = {part: TensorSplit({k: v[rows_] for k, v in columns.items()}) for part, rows_ in parts.items()}
    known = {"kernel": kernel.numpy(), "kernel_name": name} if target is None else {"clipped": True}
    info = {
        "shape": images.shape[1:],
        "border": config.border,
        "moments": moments(images[parts["train"]]),
        **known,
    }
    return Data(splits["train"], splits["val"], info)


def moments(images: Pixels) -> npt.NDArray[np.float64]:
    """The mean product of two pixels (scaled to [0, 1]) so many rows and columns apart, for distances that the images
    have: [2R+1,2R+1], 0 in the middle."""
    reach = min(_REACH, *(side - 1 for side in images.shape[2:]))
    values = images.reshape(-1, *images.shape[2:]).astype(np.float64) / 255
    height, width = values.shape[1:]
    # By the Fourier transform, with zeros beyond the image: 961 distances of a photograph take 50 ms.
    size = (height + reach, width + reach)
    spectrum = np.abs(np.fft.rfft2(values, size)) ** 2
    sums = np.fft.irfft2(spectrum.sum(0), size)
    apart = np.arange(-reach, reach + 1)
    pairs = (height - np.abs(apart))[:, None] * (width - np.abs(apart)) * len(values)
    found: npt.NDArray[np.float64] = sums[np.ix_(apart, apart)] / pairs
    return found


def _floats(images: Pixels) -> torch.Tensor:
    return torch.from_numpy(images).float() / 255


def _brought_to_one_size(images: Sequence[Image.Image], side: int) -> Pixels:
    """uint8 [N,C,H,W]: as the first is when its longer side has ``side`` pixels, if it has as many."""
    width, height = images[0].size
    share = min(1.0, side / max(width, height))
    size = max(1, round(height * share)), max(1, round(width * share))
    return np.stack([fitted(image, *size, "crop") for image in images])


def _pixels(images: Sequence[Image.Image]) -> Pixels:
    return np.stack([fitted(image, image.height, image.width, "crop") for image in images])

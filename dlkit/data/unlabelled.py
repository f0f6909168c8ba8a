"""Images for models that need no labels (those that draw, or restore): digits, or a folder of your own.

Parts are uint8 [N,C,size,size], kept so in memory and encoded batch by batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from dlkit.data.annotated import PARTS
from dlkit.data.canvases import stretched
from dlkit.data.context import Context
from dlkit.data.digits import digit_parts
from dlkit.data.encoding import Encoding
from dlkit.data.images import image_files, image_size, read_images
from dlkit.data.options import ImageFiles
from dlkit.data.randomness import rng
from dlkit.data.splits import Augment, Batch, TensorSplit
from dlkit.errors import DataError, listed

Pixels = npt.NDArray[np.uint8]
_THREADS = 4


@dataclass(frozen=True)
class Unlabelled:
    """``parts``: ``train``, ``val`` and, where there is one, ``test``, each uint8 [N,C,size,size]."""

    parts: dict[str, Pixels]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        _, channels, height, width = self.parts["train"].shape
        return channels, height, width

    def splits(self, encoding: Encoding) -> dict[str, TensorSplit]:
        """The parts as splits of batches ``{"image": float32[N,C,H,W]}``."""
        return {
            part: TensorSplit({"image": torch.from_numpy(images)}, transform=encoding)
            for part, images in self.parts.items()
        }


def digits(source: Literal["digits", "mnist"], size: int, context: Context) -> Unlabelled:
    """Handwritten digits, light on dark; the parts are those of ``digit_parts``."""
    parts = digit_parts(source, context)
    return Unlabelled({part: sized(found.images, size)[:, None] for part, found in parts.items()})


def sized(images: Pixels, size: int) -> Pixels:
    """Digits [N,28,28] as uint8 [N,size,size]: up to four pixels more are a black border, else they are enlarged."""
    border, odd = divmod(size - images.shape[-1], 2)
    if size <= images.shape[-1] + 4 and not odd:
        return np.pad(images, [(0, 0), (border, border), (border, border)])
    large = stretched(stretched(images.astype(np.int64) << 8, 1, size), 2, size)
    return ((large + 128) >> 8).astype(np.uint8)


def folder(path: Path, options: ImageFiles, size: int) -> Unlabelled:
    """A folder's images: those of its folders ``train``, ``val`` and ``test``, or all of them divided at random.

    DataError names a folder that is missing or empty, and images that are unreadable or smaller than ``size``, as far
    as the options do not have them left out or enlarged.
    """
    notes: list[str] = []
    files = {part: image_files(found) for part, found in _folders(path).items()} or {"train": image_files(path)}
    empty = [part for part, paths in files.items() if not paths]
    if empty:
        raise DataError(f"{path if files.keys() == {'train'} else path / empty[0]}: holds no images")
    parts: dict[str, Pixels] = {}
    for part, paths in files.items():
        parts[part], said = _read(paths, options, size)
        notes += said
    for part, fraction in (("test", options.test_fraction), ("val", options.val_fraction)):
        if part in files or (part == "test" and len(files) > 1):
            continue
        count = round(fraction * sum(map(len, parts.values())))
        if fraction and not 0 < count < len(parts["train"]):
            raise DataError(f"{path}: {len(parts['train'])} images are too few to take a {part} split from")
        parts["train"], parts[part] = _carved(parts["train"], count, options.split_seed, part)
    return Unlabelled({part: images for part, images in parts.items() if len(images)}, notes)


class Mirror(Augment):
    """Mirrors images left and right with probability ½."""

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, np.ndarray[Any, Any]]:
        """``mirror`` bool [count]."""
        return {"mirror": rng.random(count) < 0.5}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        image = batch["image"]
        return {**batch, "image": torch.where(drawn["mirror"][:, None, None, None], image.flip(3), image)}


def _folders(root: Path) -> dict[str, Path]:
    """The folders of the splits, where there is one for training; else none."""
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    found = {
        part: next((root / name for name in names if (root / name).is_dir()), None) for part, names in PARTS.items()
    }
    return {part: path for part, path in found.items() if path is not None} if found["train"] else {}


def _read(paths: Sequence[Path], options: ImageFiles, size: int) -> tuple[Pixels, list[str]]:
    failed = [] if options.enlarge else _too_small(paths, options, size)
    if failed:
        advice = f"dataset.enlarge = true takes them all the same, a smaller dataset.size (now {size}) as they are"
        raise DataError(f"{listed(f'{len(failed)} of {len(paths)} images are too small', failed)}\n{advice}")
    images, broken = read_images(paths, size, size, colour=options.colour, fit=options.fit)
    if not broken:
        return images, []
    message = listed(f"{len(broken)} of {len(paths)} images cannot be read", list(broken.values()))
    if not options.skip_unreadable:
        raise DataError(f"{message}\ndataset.skip_unreadable = true leaves them out")
    kept = np.setdiff1d(np.arange(len(paths)), list(broken))
    if not len(kept):
        raise DataError(f"{message}\nnone is left")
    return images[kept], [message]


def _too_small(paths: Sequence[Path], options: ImageFiles, size: int) -> list[str]:
    """What is said of images that would have to be enlarged; of unreadable ones the reader tells."""

    def judge(path: Path) -> str:
        try:
            width, height = image_size(path)
        except DataError:
            return ""
        fits = max(width, height) if options.fit == "letterbox" else min(width, height)
        return "" if fits >= size else f"{path}: {width}x{height}, less than {size}x{size}"

    with ThreadPoolExecutor(_THREADS) as pool:
        return [found for found in pool.map(judge, paths) if found]


def _carved(images: Pixels, count: int, seed: int, purpose: str) -> tuple[Pixels, Pixels]:
    """(the rest, ``count`` chosen at random), each in the order they came."""
    order = rng(seed, "split", purpose).permutation(len(images))
    return images[np.sort(order[count:])], images[np.sort(order[:count])]

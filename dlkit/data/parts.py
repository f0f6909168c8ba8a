"""Train, validation and test: folders that say which is which, and shares held out where nothing does.

Every data set that divides anything does it with these, so that a folder means the same to all of them, and a share
takes the same samples wherever it is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.data.randomness import rng
from dlkit.errors import DataError

Indices = npt.NDArray[np.int64]

PARTS: Mapping[str, Sequence[str]] = {"train": ("train",), "val": ("val", "valid", "validation"), "test": ("test",)}
"""Part → what its folder, file or list may be called."""


def named_parts(root: Path, entries: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """The parts among ``entries`` (names and paths below ``root``); DataError where two of them are the same part."""
    found: dict[str, Path] = {}
    entries = list(entries)
    for part, names in PARTS.items():
        of_part = sorted(path for name, path in entries if name in names)
        if len(of_part) > 1:
            # Choosing one would leave out the other without a word.
            one, other = (path.relative_to(root) for path in of_part[:2])
            raise DataError(f"{root}: both {one} and {other} are {part} parts")
        if of_part:
            found[part] = of_part[0]
    return found


def part_folders(root: Path) -> dict[str, Path]:
    """The folders of the parts, if ``root`` holds those; empty where its folders mean something else.

    It holds parts if there is a training part and every other folder is a part too: photographs may be sorted into
    "train", "plane" and "car". DataError for a missing root, and for two folders of the same part.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder")
    folders = {path.name: path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")}
    names = {name for of_part in PARTS.values() for name in of_part}
    # A "train" among other things is a thing: taking it for a part would leave the others out without a word.
    return named_parts(root, folders.items()) if "train" in folders and folders.keys() <= names else {}


def held_out(size: int, fraction: float, *, least: int = 1) -> int:
    """How many of ``size`` samples a share comes to, to the nearest; ``least`` of them unless the share is 0."""
    return max(least, round(fraction * size)) if fraction else 0


def drawn(size: int, count: int, seed: int, part: str) -> tuple[Indices, Indices]:
    """(rest, chosen): ``count`` of ``size`` samples drawn for a part, both as sorted indices."""
    # A generator a part: what the test takes does not change which samples validation would.
    order = rng(seed, "split", part).permutation(size)
    return np.sort(order[count:]), np.sort(order[:count])


def stratified(labels: npt.NDArray[np.int64], count: int, seed: int, part: str) -> tuple[Indices, Indices]:
    """(rest, chosen): ``count`` samples drawn from the classes in proportion, both as sorted indices.

    Shares are rounded by largest remainder, so that ``chosen`` has exactly ``count``, as long as every class can keep
    one in the rest. The same for the same labels, count, seed and part.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    quotas = _quotas(sizes, count)
    generator = rng(seed, "split", part)
    chosen = [
        generator.permutation(np.flatnonzero(labels == label))[:quota]
        for label, quota in zip(classes, quotas, strict=True)
    ]
    mask = np.zeros(len(labels), bool)
    mask[np.concatenate(chosen)] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def by_position(size: int, val_fraction: float, test_fraction: float) -> dict[str, slice]:
    """Where each part of a sequence of ``size`` lies: training, then test (unless its share is 0), then validation.

    Validation is the end of the sequence whatever the test takes, so figures with and without a test compare.
    """
    val_begins = int(size * (1 - val_fraction))
    test_begins = int(size * (1 - val_fraction - test_fraction)) if test_fraction else val_begins
    parts = {"train": slice(0, test_begins), "val": slice(val_begins, size), "test": slice(test_begins, val_begins)}
    return {part: place for part, place in parts.items() if part != "test" or test_fraction}


def too_few(who: str, part: str) -> DataError:
    """The error of a set that is too small to hold a part out of; ``who`` says what it is and how large."""
    return DataError(f"{who} are too few to take a {part} split from; raise dataset.{part}_fraction")


def _quotas(sizes: Indices, count: int) -> Indices:
    """How many of each class: proportional, adding up to ``count`` as far as the classes can spare them."""
    exact = sizes * (count / sizes.sum())
    room = sizes - 1
    quotas: Indices = np.minimum(np.floor(exact).astype(np.int64), room)
    for _ in range(min(count, room.sum()) - quotas.sum()):
        quotas[np.where(quotas < room, exact - quotas, -np.inf).argmax()] += 1
    return quotas

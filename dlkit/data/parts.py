"""Train, validation and test: folders that say which is which, and shares held out where nothing does.

Every data set that divides anything does it with these, so that a folder means the same to all of them, and a share
takes the same samples wherever it is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.data.randomness import rng
from dlkit.errors import DataError

Indices = npt.NDArray[np.int64]

PARTS: Mapping[str, Sequence[str]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
"""Part → what its folder, file or list may be called: in any capitals, and with what says nothing (``_FILLERS``)."""
_FILLERS = ("set", "data", "dataset", "split", "image", "images", "img", "imgs", "photos", "pictures", "text", "texts")
_OF_PART = re.compile(
    rf"(?P<word>{'|'.join(word for words in PARTS.values() for word in words)})(?:{'|'.join(_FILLERS)})?\Z"
)


def part_of(name: str) -> str | None:
    """The part that a folder, a file (its stem) or a list is, by its name: ``Train``, ``test_set``, ``train-images``,
    ``val2017``. None: its name says something else (too)."""
    words = [word for word in re.split(r"[\W\d_]+", name.casefold()) if word and word not in _FILLERS]
    match = _OF_PART.match(words[0]) if len(words) == 1 else None
    return next(part for part, names in PARTS.items() if match["word"] in names) if match else None


def refuse_hidden_parts(root: Path, files: Iterable[Path], way_out: str) -> None:
    """DataError where files that are to be one set lie in folders that look like its parts: ``root/photos/train`` and
    ``root/photos/test``, or ``trainA`` beside ``testA``. To train on somebody's test is worse than to ask."""
    inside: dict[Path, set[str]] = {}
    for folder in {path.parent for path in files if path.is_relative_to(root)}:
        for place in [folder, *folder.parents]:
            if place == root:
                break
            inside.setdefault(place.parent, set()).add(place.name)
    for place, names in sorted(inside.items()):
        likely = {name: hint for name in sorted(names) if (hint := _hint(name))}
        if "train" in likely.values() and len(set(likely.values())) > 1:
            what = f"{place}: {', '.join(map(repr, likely))} look like parts of a set, beside or below others"
            raise DataError(f"{what}; a folder with train, val and test alone is divided as they say; {way_out}")


def _hint(name: str) -> str | None:
    """The part whose word a name begins with: ``trainA``, ``test_cropped``."""
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)
    return part_of(name) or (part_of(words[0]) if words else None)


def named_parts(root: Path, entries: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    """The parts among ``entries`` (names and paths below ``root``); DataError where two of them are the same part."""
    found: dict[str, Path] = {}
    entries = list(entries)
    for part in PARTS:
        of_part = sorted(path for name, path in entries if part_of(name) == part)
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
    folders = subfolders(root)
    # A "train" among other things is a thing: taking it for a part would leave the others out without a word.
    parts = [part_of(name) for name in folders]
    return named_parts(root, folders.items()) if "train" in parts and None not in parts else {}


def parts_note(folders: Mapping[str, Path]) -> list[str]:
    """The note on folders that are taken for parts, where they are not called just so."""
    if all(path.name == part for part, path in folders.items()):
        return []
    return [f"taken as parts: {', '.join(f'{path.name} as {part}' for part, path in folders.items())}"]


def subfolders(root: Path) -> dict[str, Path]:
    """The folders in a folder by name, linked ones too, in the order of their names; hidden ones left out."""
    return {p.name: p for p in sorted(root.iterdir()) if not p.name.startswith(".") and p.is_dir()}


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

"""One set divided into train, validation and test: by shares, or by lists of names that somebody wrote.

For whatever has an index: images, rows of a table, texts. Shares may keep groups whole (no patient, no film is trained
on and tested on), keep classes in proportion, or both.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.bounded import read_bytes
from dlkit.data.parts import Indices, drawn, held_out, stratified, too_few
from dlkit.data.randomness import rng
from dlkit.data.text.corpus import decoded
from dlkit.errors import DataError

_LONGEST_LIST = 1 << 30
"""Bytes of a list: ten million names and more."""


def divided(
    count: int,
    shares: Mapping[str, float],
    seed: int,
    *,
    strata: Sequence[Hashable] | None = None,
    groups: Sequence[Hashable] | None = None,
    who: str = "the set",
) -> dict[str, Indices]:
    """Indices 0 … count−1 by part, each sorted: those of ``shares``, drawn in that order, and ``train``, the rest.

    Every share is of all ``count``, at least one sample, and none where it is 0. ``strata`` [count]: classes, which
    every part has in proportion. ``groups`` [count]: samples of one group are all in one part; shares are then met as
    nearly as groups allow. DataError, which names ``who``, where nothing is left for a part.
    """
    rest = np.arange(count)
    parts: dict[str, Indices] = {}
    # Numbered once, for all samples: a part's classes are those of the whole.
    classes = None if strata is None else numbered(strata)
    sets = None if groups is None else numbered(groups)
    asked = [part for part, share in shares.items() if share]
    for number, part in enumerate(asked):
        later = len(asked) - number  # parts that must get something yet, with train
        wanted = min(held_out(count, shares[part]), len(rest) - later)
        if wanted < 1:
            raise too_few(f"{who}: {count} samples", part)
        left, chosen = _draw(rest, wanted, seed, part, classes, sets, later)
        if not len(chosen) and sets is not None:
            raise DataError(f"{who}: {sets.max() + 1} groups in all, too few to take a {part} split from")
        if not len(chosen):
            raise too_few(f"{who}: {count} samples", part)
        parts[part], rest = rest[chosen], rest[left]
    return {"train": rest, **parts}


def numbered(values: Iterable[Hashable]) -> Indices:
    """The values [N] as numbers from 0, in the order in which each occurs first."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values], np.int64)


def _draw(
    rest: Indices, wanted: int, seed: int, part: str, classes: Indices | None, sets: Indices | None, later: int
) -> tuple[Indices, Indices]:
    """(left, chosen) as places in ``rest``."""
    if sets is not None:
        return grouped(sets[rest], wanted, seed, part, None if classes is None else classes[rest], leave=later)
    return drawn(len(rest), wanted, seed, part) if classes is None else stratified(classes[rest], wanted, seed, part)


def grouped(
    groups: Indices, count: int, seed: int, part: str, classes: Indices | None = None, *, leave: int = 1
) -> tuple[Indices, Indices]:
    """(rest, chosen), both sorted: whole groups, about ``count`` samples; with ``classes`` about as many of each as is
    its share of ``count``. ``leave`` groups at least are left in the rest; where there are no more, none is chosen.
    """
    labels = np.zeros(len(groups), np.int64) if classes is None else np.unique(classes, return_inverse=True)[1]
    kinds = labels.max() + 1
    wanted: npt.NDArray[np.floating] = np.bincount(labels) * (count / len(groups))
    order = np.argsort(groups, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    contents = [np.bincount(labels[group], minlength=kinds) for group in members]
    # Greedy in a drawn order: a group is taken if that brings the classes nearer to what is wanted. One that is too
    # large is passed by, so that the part is not made of it alone.
    taken = np.zeros(kinds)
    chosen: list[int] = []
    for place in rng(seed, "split", part).permutation(len(members)):
        if len(chosen) < len(members) - leave and _off(taken + contents[place], wanted) < _off(taken, wanted):
            taken = taken + contents[place]
            chosen.append(int(place))
    if not chosen and len(members) > leave:
        chosen = [min(range(len(members)), key=lambda place: _off(contents[place], wanted))]
    mask = np.zeros(len(groups), bool)
    for place in chosen:
        mask[members[place]] = True
    return np.flatnonzero(~mask), np.flatnonzero(mask)


def _off(taken: npt.NDArray[np.number], wanted: npt.NDArray[np.floating]) -> float:
    return float(np.square(taken - wanted).sum())


@dataclass(frozen=True)
class Listed:
    """``parts``: the indices of each list, in its order, each once; ``problems``: lines that name nothing, with their
    file; ``left``: how many of the set are in no list."""

    parts: dict[str, Indices]
    problems: list[str]
    left: int


def by_lists(lists: Mapping[str, Path], names: Mapping[str, int | None], what: str) -> Listed:
    """What text files with a name a line choose: ``lists`` by part, ``names`` (as ``names_of`` makes them) → index.

    DataError for a list that cannot be read, and for a name in two of them: what is trained on and tested on too would
    make every figure of the test a lie. ``what`` the names are of, for messages: ``"image"``.
    """
    taken: dict[int, str] = {}
    parts: dict[str, Indices] = {}
    problems: list[str] = []
    for part, file in lists.items():
        chosen: dict[int, None] = {}
        for name in list_lines(file):
            index = names.get(_plain(name))
            if index is None:
                several = ": several have that name" if _plain(name) in names else ""
                problems.append(f"{file}: no {what} {name!r}{several}")
            elif taken.setdefault(index, part) != part:
                raise DataError(f"{file}: {name!r} is in the {taken[index]} list too")
            else:
                chosen[index] = None
        parts[part] = np.array(list(chosen), np.int64)
    return Listed(parts, problems, len({index for index in names.values() if index is not None} - taken.keys()))


def names_of(samples: Iterable[Iterable[str]]) -> dict[str, int | None]:
    """Index by name, of samples that have one name each or several; None for a name that several samples share."""
    names: dict[str, int | None] = {}
    for index, own in enumerate(samples):
        for name in {_plain(name) for name in own}:
            names[name] = None if name in names else index
    return names


def path_names(path: Path, root: Path) -> set[str]:
    """The names that a list may use for a file: its path below ``root`` and its own name, with and without suffix."""
    # Files may lie beside the folder (``../images``): those go by their name alone.
    below = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    return {below.as_posix(), below.with_suffix("").as_posix(), path.name, path.stem}


def list_lines(file: Path) -> list[str]:
    """The lines of a text file, stripped, without blank ones; DataError if it cannot be read."""
    try:
        data = read_bytes(file, _LONGEST_LIST)
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read: {getattr(error, 'strerror', '') or error}") from error
    lines = decoded(data, file).removeprefix("\ufeff").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _plain(name: str) -> str:
    """Names that other systems write otherwise are the same: letters with their marks apart, backslashes, ``./``."""
    return unicodedata.normalize("NFC", name).replace("\\", "/").removeprefix("./")

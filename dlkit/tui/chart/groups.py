"""Which metrics share a chart, in which order, and which a pattern chooses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

SPLITS = {"train": ("t", 0), "val": ("v", 1), "test": ("e", 2)}
"""First part of a metric's name → its line's letter and colour."""
PLACEHOLDER = "val/*, *acc*, or a part of the name"


@dataclass(frozen=True)
class Group:
    """What shares a chart: metrics of one name, of several splits."""

    title: str
    names: tuple[str, ...]
    key: str = field(default="", compare=False)
    """What it is known by, whatever splits there are of it."""


def grouped(names: Iterable[str], primary: str = "", *, details: bool = False, pattern: str = "") -> list[Group]:
    """The primary metric's chart first, then the loss, then the others in their order; lr and its like, which have no
    split, last. ``details``: also those of single classes (``val/accuracy/cat``), which a pattern with two strokes
    brings too."""
    stems: dict[str, list[str]] = {}
    for name in names:
        wanted = details or name.count("/") < 2 or pattern.count("/") > 1
        if wanted and matches(name, pattern):
            stems.setdefault(_stem(name), []).append(name)
    order = sorted(stems, key=lambda stem: _rank(stem, stems[stem], _stem(primary)))
    return [Group(stem if len(stems[stem]) > 1 else stems[stem][0], _by_split(stems[stem]), stem) for stem in order]


def apart(groups: Iterable[Group], primary: str) -> list[Group]:
    """A chart a metric, the primary one's first."""
    names = [name for group in groups for name in group.names]
    return [Group(name, (name,), name) for name in sorted(names, key=lambda name: name != primary)]


def settled(before: Sequence[Group], now: Sequence[Group]) -> list[Group]:
    """Those that were there in their places, new ones behind them."""
    known = {group.key: place for place, group in enumerate(before)}
    return sorted(now, key=lambda group: known.get(group.key, len(known)))


def matches(name: str, pattern: str) -> bool:
    """By a pattern with * or ?, or by a part of the name."""
    if any(sign in pattern for sign in "*?["):
        return fnmatchcase(name.lower(), pattern.lower())
    return pattern.lower() in name.lower()


def _stem(name: str) -> str:
    split, stroke, rest = name.partition("/")
    return rest if stroke and split in SPLITS else name


def _by_split(names: Sequence[str]) -> tuple[str, ...]:
    order = {split: i for i, split in enumerate(SPLITS)}
    return tuple(sorted(names, key=lambda name: order.get(name.split("/")[0], -1)))


def _rank(stem: str, names: Sequence[str], primary: str) -> int:
    if stem == primary:
        return 0
    if stem == "loss":
        return 1
    return 4 if all("/" not in name for name in names) else 3 if "/" in stem else 2

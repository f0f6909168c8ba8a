"""Which runs are taken together: those of one value of a setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dlkit.runs.groups import SEED

BUT_SEED = "*"
"""Groups by all settings that differ but the seed."""


class Together(NamedTuple):
    """Runs of one value of a setting: what it is called, and the places of its runs."""

    name: str
    places: tuple[int, ...]


def together(settings: Mapping[str, Sequence[object]], count: int, by: str) -> list[Together]:
    """``count`` runs by their values of a setting (a key of ``settings``, each with a value a run), in the order of the
    first of each; ``BUT_SEED``: by all of them but the seed."""
    keys = [key for key in settings if key != SEED] if by == BUT_SEED else [by] * (by in settings)
    found: dict[tuple[str, ...], list[int]] = {}
    for place in range(count):
        found.setdefault(tuple(_word(settings[key][place]) for key in keys), []).append(place)
    names = [key.removesuffix(".name").rpartition(".")[2] for key in keys]
    return [
        Together(", ".join(map(" ".join, zip(names, values, strict=True))) or "all", tuple(places))
        for values, places in found.items()
    ]


def _word(value: object) -> str:
    return "-" if value is None else str(value)

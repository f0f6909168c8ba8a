"""How the list of runs is looked at: its columns, its order, its groups. All of it is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dlkit.monitor.run_columns import is_option
from dlkit.tui.runs.rows import DEFAULT, UNSORTED
from dlkit.tui.shared import settings

MOST_FOLDED = 100
"""Groups that are remembered as folded, the last ones."""


class Look(NamedTuple):
    """``columns`` in their order, by keys of ``run_columns``; ``group``: what runs are taken together by, or empty;
    ``folded`` are ids of groups whose runs are not shown."""

    columns: tuple[str, ...] = DEFAULT
    sort: str = "created"
    descending: bool = True
    group: str = ""
    folded: tuple[str, ...] = ()

    @property
    def asks_options(self) -> bool:
        """Whether the runs' configurations must be read for it."""
        keys = (*self.columns, self.sort, self.group)
        return any(is_option(key) for key in keys if key and key not in UNSORTED)

    @property
    def is_newest_first(self) -> bool:
        return (self.sort, self.descending) == ("created", True)

    def turned(self, group: str) -> Look:
        """With a group folded that was not, or the other way round."""
        there = [name for name in self.folded if name != group]
        return self._replace(folded=tuple(there if group in self.folded else [*there, group]))

    def keep(self) -> None:
        settings.keep("runs-columns", list(self.columns))
        settings.keep("runs-sort", [self.sort, self.descending])
        settings.keep("runs-group", self.group)
        settings.keep("runs-folded", list(self.folded[-MOST_FOLDED:]))


def kept_look() -> Look:
    """As it was last; what makes no sense is as it was at first."""
    columns = tuple(dict.fromkeys(_texts("runs-columns"))) or DEFAULT
    sort, descending = kept_order()
    return Look(columns, sort, descending, settings.kept("runs-group", ""), tuple(_texts("runs-folded")))


def kept_order() -> tuple[str, bool]:
    """By what they were sorted last, and whether descending."""
    kept: list[object] = settings.kept("runs-sort", ["created", True])
    match kept:
        case [str(key), bool(descending)] if key and key not in UNSORTED:
            return key, descending
    return "created", True


def _texts(name: str) -> Sequence[str]:
    kept: list[object] = settings.kept(name, [])
    return [one for one in kept if isinstance(one, str) and one]

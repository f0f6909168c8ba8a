"""Where a run's time went: its shares in words, and as one bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from dlkit.events import Spent
from dlkit.present.numbers import duration
from dlkit.steering import one_line

MOST = 10
"""Kinds that are shown; a log of somebody else's may name any number of them."""
_MARKS = "█▓▒░▚▞▙▟▛▜"


class Share(NamedTuple):
    """``share`` of the time that was not a pause; ``mark`` fills its part of a bar, where colours do not tell it."""

    kind: str
    share: float
    mark: str


def shares(seconds: Mapping[str, float]) -> list[Share]:
    """The largest first; those that are nothing in whole per cent are left out, all but the largest."""
    counted = {kind: spent for kind, spent in seconds.items() if kind != "paused" and spent > 0}
    total = sum(counted.values())
    largest = sorted(counted.items(), key=lambda item: -item[1])[:MOST]
    known = [(kind, spent / total) for kind, spent in largest]
    found = [item for number, item in enumerate(known) if number == 0 or item[1] >= 0.005]
    return [Share(one_line(kind)[:20], share, mark) for (kind, share), mark in zip(found, _MARKS, strict=False)]


def share_words(share: Share) -> str:
    return f"{share.kind} {100 * share.share:.0f} %"


def in_words(spent: Spent) -> str:
    """``steps 71 % · loading 20 % · evaluation 6 %``, and how long it was paused besides; empty if nothing is known."""
    paused = spent.seconds.get("paused", 0.0)
    rest = f"; paused for {duration(paused)} besides" if paused >= 1 else ""
    return " · ".join(map(share_words, shares(spent.seconds))) + rest


def widths(found: list[Share], width: int) -> list[int]:
    """Cells of each in a bar of ``width``: whole ones that fill it, at least one each where there is room."""
    ends, end, sum_ = [], 0, 0.0
    total = sum(share.share for share in found) or 1.0
    for number, share in enumerate(found, 1):
        sum_ += share.share / total
        # Whoever comes later is left a cell.
        end = min(max(end + 1, round(sum_ * width)), max(end, width - (len(found) - number)))
        ends.append(end)
    return [end - before for before, end in zip([0, *ends], ends, strict=False)]

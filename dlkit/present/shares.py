"""Shares as bars of characters: of a table's columns, of a confusion matrix."""

from __future__ import annotations

import numpy as np

from dlkit.samples import Pairs, Table

BAR = 10
_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(share: float) -> str:
    """A share as a bar, and in per cent: ``██████▌    65%``."""
    eighths = round(max(0.0, min(1.0, share)) * 8 * BAR)
    full, rest = divmod(eighths, 8)
    return f"{('█' * full + (_EIGHTHS[rest] if rest else '')):{BAR}} {percent(share):>4}"


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def barred(sample: Table | Pairs) -> list[list[str | float]]:
    """A table's rows, bars in the place of its shares."""
    shares = sample.shares if isinstance(sample, Table) else ()
    return [[_barred(cell) if place in shares else cell for place, cell in enumerate(row)] for row in sample.rows]


def _barred(cell: str | float) -> str:
    # What NumPy computed is a number too.
    return bar(float(cell)) if isinstance(cell, (int, float, np.number)) else cell

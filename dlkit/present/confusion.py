"""A confusion matrix as characters: each count on the colour of its share of the row, each class's recall as a bar."""

from __future__ import annotations

from collections.abc import Sequence

from dlkit.present.plane import OWN, Run
from dlkit.present.shades import mixed
from dlkit.present.shares import bar, percent
from dlkit.samples import ConfusionMatrix
from dlkit.steering import one_line

_NAME, _LEAST = 16, 4
_BLACK = 0x000000


def lines(sample: ConfusionMatrix, *, colour: bool = True) -> list[list[Run]]:
    """Head, a line a class, precision below. Right is blue, wrong is orange; the stronger, the more of the row."""
    names = [_cut(one_line(name), _NAME) for name in sample.classes]
    side = max([len(name) for name in names] + [len("precision")])
    cell = cell_width(sample)
    head = "".join(_cut(name, cell - 1).rjust(cell) for name in names)
    made: list[list[Run]] = [[(f"{'':{side}}{head}  recall", OWN, OWN)]]
    for place, (name, row) in enumerate(zip(names, sample.counts, strict=True)):
        total = sum(row)
        runs: list[Run] = [(name.rjust(side), OWN, OWN)]
        for column, count in enumerate(row):
            text = (str(count) if count else "·").rjust(cell)
            on = _colour(count / total, right=column == place) if colour and count and total else OWN
            runs.append((text, _BLACK if on != OWN else OWN, on))
        made.append([*runs, (f"  {bar(row[place] / total)}" if total else "  none", OWN, OWN)])
    shares = "".join(percent(_precision(sample.counts, i)).rjust(cell) for i in range(len(names)))
    return [*made, [(f"{'precision':>{side}}{shares}", OWN, OWN)]]


def cell_width(sample: ConfusionMatrix) -> int:
    """Columns of a count, the blank before it among them."""
    return max([_LEAST, *(len(str(count)) + 1 for row in sample.counts for count in row), len("100%") + 1])


def cell_at(sample: ConfusionMatrix, column: int, line: int) -> tuple[int, int] | None:
    """Which (true, predicted) stands at a place of ``lines``; None: none."""
    side = max([len(_cut(one_line(name), _NAME)) for name in sample.classes] + [len("precision")])
    true, predicted = line - 1, (column - side) // cell_width(sample)
    inside = 0 <= true < len(sample.classes) and column >= side and predicted < len(sample.classes)
    return (true, predicted) if inside else None


def _precision(counts: Sequence[Sequence[int]], place: int) -> float | None:
    total = sum(row[place] for row in counts)
    return counts[place][place] / total if total else None


def _colour(share: float, *, right: bool) -> int:
    # By its root: one of fifty is a mistake to be seen.
    part = max(0.25, min(1.0, share) ** 0.5)
    red, green, blue = mixed(-part if right else part)
    return red << 16 | green << 8 | blue


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"


def opened(sample: ConfusionMatrix) -> list[tuple[int, int]]:
    """The cells whose images can be opened: mistakes first, the commonest before others."""
    there = dict.fromkeys((int(true), int(predicted)) for true, predicted in sample.cells)
    return sorted(there, key=lambda cell: (cell[0] == cell[1], -sample.counts[cell[0]][cell[1]], cell))

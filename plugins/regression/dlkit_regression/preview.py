"""What ``dlkit data show`` prints of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dlkit.data.splits import Split
from dlkit.samples import Curve, Table
from dlkit.task import first_batch
from dlkit_regression.task import Category, Feature

MOST_ROWS = 100_000
BINS = 40


def columns(info: Any, split: Split) -> Table:
    """The raw columns: kind, mean and spread, or the commonest values with their shares, and the features they fill."""
    features = first_batch(split, MOST_ROWS)["features"].double()
    rows: list[list[str | float]] = []
    first = 0
    for column in info.columns:
        width = len(column.values) if isinstance(column, Category) else 1
        part = features[:, first : first + width]
        rows.append([column.name, column.kind, width, _described(column, part)])
        first += width
    return Table(name="columns", title="columns", headers=["column", "kind", "features", "values"], rows=rows)


def rows(info: Any, split: Split, count: int) -> Table:
    """The first samples, in their raw values."""
    batch = first_batch(split, count)
    shown = [raw_row(info.columns, row) for row in batch["features"].double()]
    targets = (batch["target"][:, 0].double() * info.target.std + info.target.mean).tolist()
    table = [[*cells, round(target, 4)] for cells, target in zip(shown, targets, strict=True)]
    headers = [*(column.name for column in info.columns), info.target.name]
    return Table(name="rows", title=f"the first {len(table)} rows", headers=headers, rows=table)


def distribution(info: Any, split: Split) -> Curve:
    """How often each value of the target occurs."""
    target = first_batch(split, MOST_ROWS)["target"].double() * info.target.std + info.target.mean
    low, high = float(target.min()), float(target.max())
    counts = torch.histc(target, BINS, low, high)
    centres = torch.linspace(low, high, 2 * BINS + 1, dtype=torch.float64)[1::2]
    unit = f" ({info.target.unit})" if info.target.unit else ""
    return Curve(
        name="target",
        title=f"distribution of {info.target.name}",
        x=centres.tolist(),
        lines={"rows": counts.tolist()},
        x_label=f"{info.target.name}{unit}",
        y_label="rows",
    )


def _described(column: Any, part: Tensor) -> str:
    if isinstance(column, Category):
        shares = sorted(zip(part.mean(0).tolist(), column.values, strict=True), reverse=True)
        return ", ".join(f"{value} {share:.0%}" for share, value in shares[:6]) + (" …" if len(shares) > 6 else "")
    values = part[:, 0] * column.std + column.mean
    return f"{float(values.min()):.4g} … {float(values.max()):.4g}, mean {float(values.mean()):.4g}"


def raw_row(columns: Sequence[Feature], features: Tensor) -> list[str | float]:
    """A row's features [F], float64, back as the values they were made of."""
    cells: list[str | float] = []
    first = 0
    for column in columns:
        if isinstance(column, Category):
            cells.append(column.values[int(features[first : first + len(column.values)].argmax())])
            first += len(column.values)
        else:
            cells.append(round(float(features[first]) * column.std + column.mean, 4))
            first += 1
    return cells

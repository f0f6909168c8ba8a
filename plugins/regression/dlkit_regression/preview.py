"""What ``dlkit data show`` prints of a table."""

from __future__ import annotations

import torch
from torch import Tensor

from dlkit.data.splits import Split
from dlkit.samples import Curve, Table
from dlkit.task import first_batch
from dlkit_regression.columns import Category, Date, Scale, feature_names
from dlkit_regression.encoding import decode_row, shown
from dlkit_regression.info import Feature, RegressionInfo

MOST_ROWS = 100_000
BINS = 40


def columns(info: RegressionInfo, split: Split) -> Table:
    """The raw columns: kind, mean and spread, or the commonest values with their shares, and the features they fill."""
    features = first_batch(split, MOST_ROWS)["features"].double()
    rows: list[list[str | float]] = []
    first = 0
    for column in info.columns:
        width = len(feature_names(column))
        part = features[:, first : first + width]
        rows.append([column.name, column.kind, width, _described(column, part)])
        first += width
    return Table(name="columns", title="columns", headers=["column", "kind", "features", "values"], rows=rows)


def rows(info: RegressionInfo, split: Split, count: int) -> Table:
    """The first samples, in their raw values."""
    batch = first_batch(split, count)
    cells = [decode_row(info.columns, row) for row in batch["features"].double()]
    targets = [shown(info.target, target) for target in batch["target"][:, 0].double().tolist()]
    lines = [[*row, target] for row, target in zip(cells, targets, strict=True)]
    headers = [*(column.name for column in info.columns), info.target.name]
    return Table(name="rows", title=f"the first {len(lines)} rows", headers=headers, rows=lines)


def distribution(info: RegressionInfo, split: Split) -> Curve:
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


def _described(column: Feature, part: Tensor) -> str:
    if isinstance(column, Category):
        shares = sorted(zip(part.mean(0).tolist(), column.values, strict=True), reverse=True)
        return ", ".join(f"{value} {share:.0%}" for share, value in shares[:6]) + (" …" if len(shares) > 6 else "")
    if isinstance(column, Date):
        spans = zip(column.parts.items(), part.T, strict=True)
        values = ((name, of * scale.std + scale.mean) for (name, scale), of in spans)
        return ", ".join(f"{name} {round(float(of.min()))} … {round(float(of.max()))}" for name, of in values)
    mean = float(part[:, 0].mean()) * column.std + column.mean
    missing = f", {float(part[:, 1].mean()):.0%} missing" if column.indicator else ""
    return f"{_least_and_most(column, part[:, 0])}, mean {mean:.4g}{missing}"


def _least_and_most(scale: Scale, values: Tensor) -> str:
    least, most = (float(value) * scale.std + scale.mean for value in (values.min(), values.max()))
    return f"{least:.4g} … {most:.4g}"

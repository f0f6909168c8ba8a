"""What each column is worth to a model: how much worse it predicts when that column's values are dealt out anew."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from dlkit.data.splits import Batch
from dlkit.samples import Table
from dlkit_regression.columns import feature_names
from dlkit_regression.info import RegressionInfo

REPEATS = 5
MOST = 300
"""Columns that are tried, each REPEATS times: a sample must not take as long as an evaluation."""
SHOWN = 20
_WIDTH = 32
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def importance(
    forward: Callable[[Tensor], Tensor], info: RegressionInfo, batch: Batch, rng: np.random.Generator
) -> list[Table]:
    """A bar for each column, the worthiest first: by how much the root of the mean squared error, in the target's unit,
    rises over rows of ``batch`` whose column is permuted (Breiman 2001, Machine Learning 45, section 10; the mean of
    REPEATS permutations). All features of a column move together. None of fewer than two rows.
    """
    features, target = batch["features"], batch["target"]
    if len(target) < 2:
        return []
    unit = info.target.std

    def error(inputs: Tensor) -> float:
        return float((forward(inputs) - target).double().square().mean().sqrt()) * unit

    base, rises, first = error(features), dict[str, float](), 0
    for column in info.columns[:MOST]:
        place = slice(first, first + len(feature_names(column)))
        rises[column.name] = float(np.mean([error(_dealt(features, place, rng)) for _ in range(REPEATS)])) - base
        first = place.stop
    return [_bars(rises, base, info)]


def _dealt(features: Tensor, place: slice, rng: np.random.Generator) -> Tensor:
    """The rows with these features as other rows have them."""
    changed = features.clone()
    changed[:, place] = features[torch.from_numpy(rng.permutation(len(features)))][:, place]
    return changed


def _bars(rises: dict[str, float], base: float, info: RegressionInfo) -> Table:
    ranked = sorted(rises.items(), key=lambda item: -item[1])
    most = max(ranked[0][1], 1e-12)
    unit = f" {info.target.unit}" if info.target.unit else ""
    left_out = len(info.columns) - len(ranked[:SHOWN])
    more = f"; {left_out} more columns are not shown" if left_out else ""
    return Table(
        name="importance",
        title=f"Rise of the error (now {base:.4g}{unit}) when a column is dealt out anew{more}",
        headers=["column", f"rise{unit}", "worth to the model"],
        rows=[[name, round(rise, 4), _bar(rise / most)] for name, rise in ranked[:SHOWN]],
    )


def _bar(share: float) -> str:
    """A bar whose length is known to an eighth of a character."""
    eighths = round(max(0.0, share) * _WIDTH * 8)
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()

"""What columns are worth: known for models whose weights are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from dlkit.config import NoOptions
from dlkit.data.context import Context
from dlkit_regression.columns import Number, Target
from dlkit_regression.datasets import diabetes
from dlkit_regression.importance import SHOWN, importance
from dlkit_regression.info import RegressionInfo
from dlkit_regression.models import linear
from dlkit_regression.options import DiabetesConfig


def table(forward: Any, info: RegressionInfo, batch: dict[str, torch.Tensor], seed: int = 0) -> Any:
    (found,) = importance(forward, info, batch, np.random.default_rng(seed))
    return found


def numbers(count: int) -> RegressionInfo:
    columns = [Number(name=f"c{i}") for i in range(count)]
    return RegressionInfo(columns=columns, target=Target(name="t", mean=0, std=10, unit="km"))


def test_what_a_model_does_not_look_at_is_worth_nothing() -> None:
    features = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    found = table(lambda x: 2 * x[:, 1:2], numbers(3), {"features": features, "target": 2 * features[:, 1:2]})
    assert [row[:2] for row in found.rows[1:]] == [["c0", 0], ["c2", 0]]
    name, rise, bar = found.rows[0]
    # Two independent draws of a variable with deviation 2 differ by 2·√2 of it, in units of 10 km.
    assert name == "c1" and rise == pytest.approx(20 * 2**0.5, rel=0.1)
    assert bar == "█" * 32 and [row[2] for row in found.rows[1:]] == ["", ""]
    assert found.headers[1] == "rise km" and "now 0 km" in found.title


def test_all_features_of_a_column_move_together(context: Context) -> None:
    """A model of the category alone, whose features must stay one of its values."""
    data = diabetes.build(DiabetesConfig(), context)
    info = RegressionInfo.model_validate(data.info)
    batch = data.val.take(torch.arange(len(data.val)))
    place = [i for i, name in enumerate(info.features) if name.startswith("sex=")]

    def forward(features: torch.Tensor) -> torch.Tensor:
        assert (features[:, place].sum(1) == 1).all()
        return features[:, place[:1]]

    found = table(forward, info, batch)
    assert {row[0] for row in found.rows} == {column.name for column in info.columns}
    assert all(row[1] == 0 for row in found.rows if row[0] != "sex")


def test_the_same_rows_are_dealt_each_time_and_nothing_changes(context: Context) -> None:
    data = diabetes.build(DiabetesConfig(), context)
    info = RegressionInfo.model_validate(data.info)
    model, batch = linear(NoOptions(), info), data.val.take(torch.arange(60))
    before = {name: column.clone() for name, column in batch.items()}
    with torch.no_grad():
        assert table(model, info, batch) == table(model, info, batch) != table(model, info, batch, seed=1)
    assert all(torch.equal(column, before[name]) for name, column in batch.items())


def test_of_many_columns_the_worthiest_are_shown_and_the_others_counted() -> None:
    features = torch.randn(50, SHOWN + 5, generator=torch.Generator().manual_seed(0))
    weights = torch.arange(SHOWN + 5.0)[:, None]
    found = table(lambda x: x @ weights, numbers(SHOWN + 5), {"features": features, "target": features @ weights})
    assert len(found.rows) == SHOWN and found.title.endswith("; 5 more columns are not shown")
    assert found.rows[0][0] in ("c24", "c23", "c22") and "c0" not in {row[0] for row in found.rows}


def test_one_row_says_nothing() -> None:
    assert importance(lambda x: x, numbers(1), {"features": torch.ones(1, 1), "target": torch.ones(1, 1)},
                      np.random.default_rng(0)) == []  # fmt: skip

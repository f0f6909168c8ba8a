"""Data sets keep the task's contract, and look at nothing that is test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlkit.data.context import Context
from dlkit.data.splits import Data, TensorSplit
from dlkit.data.tables import read_csv
from dlkit.errors import DataError, UsageError
from dlkit.samples import Curve
from dlkit.samples import Table as TableSample
from dlkit.task import check_columns, first_batch
from dlkit_regression.columns import Category, Number
from dlkit_regression.datasets import bike_sharing, diabetes, files
from dlkit_regression.info import RegressionInfo
from dlkit_regression.options import BikeSharingConfig, DiabetesConfig, FilesConfig
from dlkit_regression.sources import BIKE_SHARING
from dlkit_regression.splitting import by_fraction
from dlkit_regression.task import Regression

Write = Callable[..., Path]
PATIENTS = Path(__file__).parent / "patients.csv"


def checked(data: Data) -> RegressionInfo:
    """Every split has the task's columns, as many features as ``info`` names."""
    info = RegressionInfo.model_validate(data.info)
    for name, split in data.splits.items():
        sizes = check_columns(Regression.batch, first_batch(split, 5), name)
        assert sizes["F"] == len(info.features)
    return info


def column(split: Any, name: str) -> torch.Tensor:
    assert isinstance(split, TensorSplit)
    found = split.columns[name]
    assert isinstance(found, torch.Tensor)
    return found


def test_diabetes_keeps_the_contract(context: Context) -> None:
    data = diabetes.build(DiabetesConfig(), context)
    info = checked(data)
    assert [len(split) for split in data.splits.values()] == [310, 66, 66]
    assert info.features == ["age", "sex=1", "sex=2", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
    assert (info.target.name, info.ordered) == ("progression", False)


def test_diabetes_splits_follow_their_seed_alone(context: Context) -> None:
    one, same, other = (diabetes.build(DiabetesConfig(split_seed=seed), context) for seed in (0, 0, 1))
    assert one.fingerprint() == same.fingerprint() != other.fingerprint()


@pytest.mark.parametrize("fit_on", ["train", "train+val"])
def test_scales_come_from_training_rows_alone(fit_on: Any, context: Context) -> None:
    data = diabetes.build(DiabetesConfig(fit_on=fit_on), context)
    assert data.test is not None
    for name in ("target", "features"):
        seen = column(data.train, name).double()
        if fit_on == "train+val":
            seen = torch.cat([seen, column(data.val, name).double()])
        kept = [0, *range(3, 11)] if name == "features" else [0]  # not the one-hot columns
        assert seen[:, kept].mean(0).abs().max() < 1e-5
        assert (seen[:, kept].std(0, correction=0) - 1).abs().max() < 1e-5
        test = column(data.test, name).double()[:, kept]
        assert test.mean(0).abs().max() > 1e-3


def test_a_split_without_test(context: Context) -> None:
    data = diabetes.build(DiabetesConfig(test_fraction=0), context)
    assert data.test is None
    assert len(data.train) + len(data.val) == 442


HEADER = (
    "instant,dteday,season,yr,mnth,hr,holiday,weekday,workingday,weathersit,"
    "temp,atemp,hum,windspeed,casual,registered,cnt"
)


def bikes(days: int) -> str:
    """A table in the form of hour.csv, its rows out of order."""
    generator = np.random.default_rng(0)
    rows = []
    for day in range(days):
        date = np.datetime64("2011-01-30") + day
        for hour in (0, 9, 10):
            count = day * 100 + hour
            t, h, w = generator.uniform(size=3)
            rows.append(f"{len(rows)},{date},1,0,1,{hour},0,{day % 7},1,1,{t},{t},{h},{w},0,{count},{count}")
    generator.shuffle(rows)
    return "\n".join([HEADER, *rows]) + "\n"


@pytest.fixture
def bike_context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Context]:
    """A context whose bike-sharing source holds this table."""

    def make(text: str) -> Context:
        (tmp_path / "hour.csv").write_text(text)
        monkeypatch.setattr(Context, "source", lambda self, name: tmp_path)
        return Context(tmp_path)

    return make


def test_bike_sharing_is_split_by_days_in_time_order(bike_context: Callable[[str], Context]) -> None:
    data = bike_sharing.build(BikeSharingConfig(test_days=3, val_days=4), bike_context(bikes(20)))
    info = checked(data)
    assert info.ordered and data.test is not None
    counts = [
        (column(split, "target")[:, 0].double() * info.target.std + info.target.mean).round().long()
        for split in data.splits.values()
    ]
    assert [len(part) for part in counts] == [13 * 3, 4 * 3, 3 * 3]
    everything = torch.cat(counts)
    assert everything.tolist() == [day * 100 + hour for day in range(20) for hour in (0, 9, 10)]
    seen = counts[0].double()
    assert info.target.mean == pytest.approx(seen.mean().item())
    assert info.target.std == pytest.approx(seen.std(correction=0).item())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bikes(5), "5 days of data are too few: 81"),
        (bikes(90).replace("weathersit", "weather"), "line 1: lacks the columns weathersit"),
        (bikes(90).replace(",0,100,100\n", ",0,100,many\n"), "column 'cnt': 'many' is not a number"),
    ],
)
def test_a_damaged_bike_table_is_named(text: str, message: str, bike_context: Callable[[str], Context]) -> None:
    with pytest.raises(DataError, match=message):
        bike_sharing.build(BikeSharingConfig(), bike_context(text))


def test_files_reads_numbers_and_words(write: Write, context: Context) -> None:
    rows = "\n".join(f"{i},{'red' if i % 2 else 'blue'},{i % 3},x{i},{2 * i}" for i in range(20))
    path = write(f"size,colour,code,name,price\n{rows}\n")
    config = FilesConfig(path=str(path), ignore=["name"], categories=["code"], unit="€")
    data = files.build(config, context)
    info = checked(data)
    assert info.features == ["size", "colour=blue", "colour=red", "code=0", "code=1", "code=2"]
    assert (info.target.name, info.target.unit) == ("price", "€")
    assert [len(split) for split in data.splits.values()] == [14, 3, 3]
    features = column(data.train, "features")
    assert (features[:, 1:3].sum(1) == 1).all() and (features[:, 3:].sum(1) == 1).all()
    assert "colour (2 values)" in data.notes[0]


def test_files_in_time_order_are_cut_not_drawn(write: Write, context: Context) -> None:
    path = write("x,y\n" + "".join(f"{i},{i}\n" for i in range(10)))
    data = files.build(FilesConfig(path=str(path), time_ordered=True, val_fraction=0.2, test_fraction=0.3), context)
    info = checked(data)
    values = [
        (column(split, "target")[:, 0].double() * info.target.std + info.target.mean).round().tolist()
        for split in data.splits.values()
    ]
    assert values == [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        ("x,y\n1,2\n2,3\nthree,4\n4,5\n", {}, DataError, "line 4, column 'x': 'three' is not a number"),
        ("x,y\n1,2\n2,\n3,4\n", {}, DataError, "line 3, column 'y': an empty cell"),
        ("x,y\n1,7\n2,7\n3,7\n4,7\n", {}, DataError, "column 'y': the target is 7 in every row"),
        ("x,y\n1,2\n", {}, DataError, "too few rows .*: 1"),
        ("x,y\n1,2\n2,3\n", {"target": "z"}, UsageError, "dataset.target: no column 'z'.*There are: x, y"),
        ("x,y\n1,2\n2,3\n", {"ignore": ["q"]}, UsageError, "dataset.ignore: no column 'q'"),
        ("x,y\n1,2\n2,3\n", {"target": "y", "ignore": ["y"]}, UsageError, "is the target"),
        ("x,y\n1,2\n2,3\n", {"ignore": ["x"]}, DataError, "no column is left"),
        ("x,y\n" + "".join(f"n{i},{i}\n" for i in range(300)), {}, DataError, "300 different values.*dataset.ignore"),
    ],
)
def test_files_names_what_is_wrong(
    text: str, options: dict[str, Any], error: type[Exception], message: str, write: Write, context: Context
) -> None:
    with pytest.raises(error, match=message):
        files.build(FilesConfig(path=str(write(text)), **options), context)


def test_fractions_cover_every_row_once() -> None:
    parts = by_fraction(103, FilesConfig(path="x", val_fraction=0.3, test_fraction=0.1))
    rows = np.concatenate([parts.train, parts.val, parts.test])
    assert sorted(rows) == list(range(103))
    assert (len(parts.val), len(parts.test)) == (31, 10)


def test_a_share_that_comes_to_no_test_row_is_said(tmp_path: Path, context: Context) -> None:
    path = tmp_path / "few.csv"
    path.write_text("x,y\n1,2\n2,3\n3,5\n")
    data = files.build(FilesConfig(path=str(path)), context)
    assert data.test is None and data.notes[-1].startswith("no test split: dataset.test_fraction = 0.15 of 3 rows")
    assert not any(
        "no test split" in note for note in files.build(FilesConfig(path=str(path), test_fraction=0), context).notes
    )


def test_fractions_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="less than 1"):
        DiabetesConfig(val_fraction=0.6, test_fraction=0.4)


def test_preview_shows_columns_rows_and_the_targets_distribution(context: Context) -> None:
    data = files.build(FilesConfig(path=str(PATIENTS), categories=["sex"]), context)
    info = checked(data)
    columns, rows, distribution = Regression().preview(info, data.train, 3)
    assert isinstance(columns, TableSample) and isinstance(rows, TableSample) and isinstance(distribution, Curve)
    assert [row[:3] for row in columns.rows[:2]] == [["age", "number", 1], ["sex", "category", 2]]
    assert sum(distribution.lines["rows"]) == len(data.train)
    table = read_csv(PATIENTS)
    originals = set(zip(*([float(c) for c in cells] for cells in table.columns.values()), strict=True))
    for row in rows.rows:
        assert tuple(float(cell) for cell in row) in originals


@pytest.mark.realdata
def test_bike_sharing_as_published(real: Context) -> None:
    data = bike_sharing.build(BikeSharingConfig(), real)
    info = checked(data)
    assert data.test is not None
    assert [len(split) for split in data.splits.values()] == [15475, 1402, 502]
    assert len(info.features) == 56
    table = read_csv(real.source(BIKE_SHARING.name) / "hour.csv")
    dates = np.array(table.columns["dteday"])
    held_days = np.unique(dates)[-81:]
    counts = table.numbers("cnt")[~np.isin(dates, held_days)]
    assert info.target.mean == pytest.approx(counts.mean())
    assert info.target.std == pytest.approx(counts.std())
    kinds = {c.name: type(c) for c in info.columns}
    assert kinds["hr"] is Category and kinds["temp"] is Number
    continuous = column(data.train, "features").double()[:, -3:]
    assert continuous.mean(0).abs().max() < 1e-4
    assert (continuous.std(0, correction=0) - 1).abs().max() < 1e-4

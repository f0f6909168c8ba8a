"""Predictions from raw rows, with nothing at hand but a checkpoint's info."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dlkit
from dlkit.config import NoOptions
from dlkit.data.context import Context
from dlkit.data.splits import Data, TensorSplit
from dlkit.data.tables import RawTable, read_csv
from dlkit.errors import DataError
from dlkit.samples import Curve, Scatter, Table
from dlkit_regression.datasets import bike_sharing, diabetes, files
from dlkit_regression.encoding import encode
from dlkit_regression.info import RegressionInfo
from dlkit_regression.models import mlp
from dlkit_regression.options import BikeSharingConfig, DiabetesConfig, FilesConfig, MlpConfig
from dlkit_regression.regressor import Regressor

PATIENTS = Path(__file__).parent / "patients.csv"
NAMES = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]


def regressor(data: Data) -> Regressor:
    info = RegressionInfo.model_validate(data.info)
    again = RegressionInfo.model_validate(json.loads(json.dumps(info.model_dump())))  # as a checkpoint keeps it
    torch.manual_seed(0)
    return Regressor(mlp(MlpConfig(hidden=[8]), again), again, NoOptions())


@pytest.fixture
def patients(context: Context) -> Regressor:
    return regressor(files.build(FilesConfig(path=str(PATIENTS), categories=["sex"], unit="points"), context))


def values(predictor: Regressor, inputs: Any) -> list[float]:
    return [answer["prediction"] for answer in predictor.predict(inputs)]


def test_every_form_of_a_row_gets_the_same_answer(patients: Regressor, tmp_path: Path) -> None:
    table = read_csv(PATIENTS)
    first = {name: table.columns[name][0] for name in NAMES}
    shuffled = tmp_path / "shuffled.csv"
    shuffled.write_text("; ".join(["note", *reversed(NAMES)]) + "\nhello; " + "; ".join(list(first.values())[::-1]))
    words = [
        str(PATIENTS),
        ",".join(f"{name}={value}" for name, value in first.items()),
        json.dumps({name: float(value) for name, value in first.items()}),
        json.dumps([float(value) for value in first.values()]),
        str(shuffled),
    ]
    inputs = patients.read(words)
    assert len(inputs) == len(table) + 4
    answers = patients.predict(inputs)
    assert {answer["unit"] for answer in answers} == {"points"}
    found = [answer["prediction"] for answer in answers]
    assert found[len(table) :] == [found[0]] * 4
    assert values(patients, [np.array([float(v) for v in first.values()])]) == [found[0]]
    assert patients.predict([]) == []


def test_predictions_from_raw_rows_are_those_of_the_data_path(context: Context) -> None:
    """The whole table, raw, against the encoded splits: the same numbers, whatever row they come from."""
    data = files.build(FilesConfig(path=str(PATIENTS), categories=["sex"], time_ordered=True), context)
    predictor, info = regressor(data), RegressionInfo.model_validate(data.info)
    outputs = []
    for split in data.splits.values():
        assert isinstance(split, TensorSplit)
        outputs.append(predictor.forward(split.columns["features"]))  # type: ignore[arg-type]
    encoded = torch.cat(outputs)[:, 0].double() * info.target.std + info.target.mean
    assert values(predictor, predictor.read([str(PATIENTS)])) == pytest.approx(encoded.tolist(), rel=1e-5)


def test_numbers_written_otherwise_are_the_same_category(patients: Regressor) -> None:
    row = dict(zip(NAMES, [59, 2, 32, 101, 157, 93, 38, 4, 4.9, 87], strict=True))
    expected = values(patients, [row])
    for sex in ("2", " 2 ", "2.0", "02", 2.0):
        assert values(patients, [{**row, "sex": sex}]) == expected


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("age=50,sex=1", "row 1 lacks bmi, bp, s1, s2, s3, s4, s5, s6"),
        ("age=50,sex", "'sex' is not of the form name=value"),
        ("{age: 50}", "not JSON"),
        ("[1, 2]", "row 1 has 2 values; the columns are: age, sex"),
        ('"text"', "no such file|cannot be read"),
        ("nowhere.csv", "nowhere.csv: cannot be read"),
        ("[1, 3, 32, 101, 157, 93, 38, 4, 4.9, 87]", "row 1, column 'sex': '3' is not one of 1, 2"),
        ('[1, 2, "much", 101, 157, 93, 38, 4, 4.9, 87]', "row 1, column 'bmi': 'much' is not a number"),
    ],
)
def test_what_cannot_be_answered_is_named(word: str, message: str, patients: Regressor) -> None:
    with pytest.raises(DataError, match=message):
        patients.predict(patients.read([word]))


def test_a_file_is_judged_by_line_and_column(patients: Regressor, write: Callable[..., Path]) -> None:
    lines = PATIENTS.read_text().splitlines()
    with pytest.raises(DataError, match=r"line 1: lacks the columns age, sex"):
        patients.read([str(write("\n".join(line.partition(",")[2].partition(",")[2] for line in lines)))])
    lines[4] = lines[4].replace(",", ",x", 2)
    with pytest.raises(DataError, match=r"line 5, column 'sex'|line 5, column 'bmi'"):
        patients.read([str(write("\n".join(lines)))])


def test_samples_show_the_true_and_the_predicted(context: Context) -> None:
    data = diabetes.build(DiabetesConfig(), context)
    predictor = regressor(data)
    curve, scatter, importance = predictor.samples(16, np.random.default_rng(0), data.val)
    assert isinstance(importance, Table)
    assert isinstance(curve, Curve) and isinstance(scatter, Scatter)
    assert set(curve.lines) == {"true", "predicted"} and len(curve.x) == len(data.val)
    true = curve.lines["true"]
    assert list(true) == sorted(true)  # no order of its own: by true value
    assert sorted(scatter.x) == pytest.approx(list(true))
    assert len(scatter.y) == len(data.val)
    assert predictor.samples(16, np.random.default_rng(0), None) == ()


def test_samples_of_ordered_rows_are_a_stretch_of_time(write: Callable[..., Path], context: Context) -> None:
    path = write("x,y\n" + "".join(f"{i},{i % 24}\n" for i in range(2000)))
    data = files.build(FilesConfig(path=str(path), time_ordered=True), context)
    curve = regressor(data).samples(10, np.random.default_rng(0), data.val)[0]
    assert isinstance(curve, Curve)
    assert list(curve.lines["true"]) == pytest.approx([(1400 + i) % 24 for i in range(168)], abs=1e-3)


@pytest.mark.parametrize("model", ["mlp", "linear"])
def test_defaults_learn_and_the_checkpoint_answers(model: str, tmp_path: Path) -> None:
    run = dlkit.train("regression", model=model, workspace=tmp_path)
    assert run.metrics["val/r2"] > 0.5
    assert set(run.metrics) >= {"val/mse", "val/rmse", "val/mae", "val/r2"}
    predictor = run.predictor()
    healthy, ill = [30, 1, 19, 70, 150, 90, 70, 2, 3.9, 75], [60, 2, 38, 120, 240, 140, 30, 7, 6.0, 115]
    one, other = predictor.predict([healthy, ill])
    assert 20 < one["prediction"] < other["prediction"] < 400


@pytest.mark.realdata
def test_bike_hours_from_the_raw_file(real: Context) -> None:
    data = bike_sharing.build(BikeSharingConfig(), real)
    predictor, info = regressor(data), RegressionInfo.model_validate(data.info)
    assert isinstance(data.train, TensorSplit)
    outputs = predictor.forward(data.train.columns["features"])[:1000, 0].double()  # type: ignore[arg-type]
    rows = predictor.read([str(real.source("bike-sharing") / "hour.csv")])
    expected = (outputs * info.target.std + info.target.mean).tolist()
    assert values(predictor, rows[:1000]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.realdata
@pytest.mark.parametrize(("model", "line"), [("mlp", 0.115), ("scratch-mlp", 0.18)])
def test_bike_defaults_reach_their_line(model: str, line: float, real: Context, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(real.data.resolve())
    run = dlkit.train("regression", dataset="bike-sharing", model=model, workspace=tmp_path, offline=True)
    assert run.metrics["val/mse"] <= line


def test_an_example_is_a_validation_row_that_can_be_read(context: Context, tmp_path: Path) -> None:
    data = diabetes.build(DiabetesConfig(), context)
    predictor = regressor(data)
    (word,) = predictor.example(data.val, np.random.default_rng(3), tmp_path)
    (row,) = predictor.read([word])
    assert list(row) == NAMES
    encoded = encode(predictor.info.columns, RawTable.of_rows([row], NAMES))
    distances = np.abs(data.val.take(torch.arange(len(data.val)))["features"].numpy() - encoded).max(1)
    assert distances.min() < 1e-3
    assert predictor.example(data.val, np.random.default_rng(4), tmp_path) != [word]


def test_without_the_data_an_example_is_made_of_means(patients: Regressor, tmp_path: Path) -> None:
    (word,) = patients.example(None, np.random.default_rng(0), tmp_path)
    assert len(values(patients, patients.read([word]))) == 1
    number = next(column for column in patients.info.columns if column.name == "bmi")
    assert float(patients.read([word])[0]["bmi"]) == pytest.approx(number.mean, rel=1e-4)


def test_an_example_with_odd_names_is_json(tmp_path: Path, context: Context) -> None:
    table = tmp_path / "odd.csv"
    table.write_text("a=b;c,d;y\n" + "".join(f"{i};word {i % 2};{i * 2}\n" for i in range(20)))
    predictor = regressor(files.build(FilesConfig(path=str(table)), context))
    (word,) = predictor.example(None, np.random.default_rng(0), tmp_path)
    assert list(json.loads(word)) == ["a=b", "c,d"]
    assert len(values(predictor, predictor.read([word]))) == 1

"""Tables as people bring them: read as they mean, with a note of what was guessed, or refused by line and column."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlkit.config import NoOptions, parse_text
from dlkit.data.context import Context
from dlkit.data.splits import Data, TensorSplit
from dlkit.errors import DataError, UsageError
from dlkit.samples import Table
from dlkit_regression.columns import Category, Date, Number
from dlkit_regression.datasets import files
from dlkit_regression.info import RegressionInfo
from dlkit_regression.models import linear
from dlkit_regression.options import FilesConfig, migrated_files
from dlkit_regression.regressor import Regressor
from dlkit_regression.task import Regression

Write = Callable[..., Path]
Build = Callable[..., Data]
ROWS = 20


@pytest.fixture
def build(write: Write, context: Context) -> Build:
    """``build({"a": ["1", …]}, missing="drop")``: a data set of columns of cells; a target ``y`` is added."""

    def make(columns: Mapping[str, Sequence[str]], delimiter: str = ";", **options: Any) -> Data:
        rows = len(next(iter(columns.values())))
        table = {**columns, **({} if "y" in columns else {"y": [str(i * i) for i in range(rows)]})}
        lines = [list(table), *(list(row) for row in zip(*table.values(), strict=True))]
        path = write("\n".join(delimiter.join(line) for line in lines) + "\n")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return files.build(FilesConfig(path=str(path), **options), context)

    return make


def info_of(data: Data) -> RegressionInfo:
    return RegressionInfo.model_validate(json.loads(json.dumps(RegressionInfo.model_validate(data.info).model_dump())))


def raw(data: Data, name: str) -> list[float]:
    """A number's values in the rows of all splits, sorted."""
    info = info_of(data)
    column = next(column for column in info.columns if column.name == name)
    assert isinstance(column, Number)
    features = torch.cat([split_columns(split)["features"] for split in data.splits.values()])
    found = features[:, info.features.index(name)].double() * column.std + column.mean
    return sorted(round(value, 4) for value in found.tolist())


def split_columns(split: object) -> dict[str, torch.Tensor]:
    assert isinstance(split, TensorSplit)
    return {name: column for name, column in split.columns.items() if isinstance(column, torch.Tensor)}


def predictor(data: Data) -> Regressor:
    info = info_of(data)
    torch.manual_seed(0)
    return Regressor(linear(NoOptions(), info), info, NoOptions())


def noted(data: Data, *words: str) -> bool:
    return any(all(word in note for word in words) for note in data.notes)


def counted(start: float = 0.0, step: float = 0.25) -> list[str]:
    return [f"{start + step * i:.2f}" for i in range(ROWS)]


def commas(cells: Sequence[str]) -> list[str]:
    return [cell.replace(".", ",") for cell in cells]


def test_decimal_commas_are_numbers_and_said(build: Build) -> None:
    data = build({"a": commas(counted()), "b": counted(1)})
    assert info_of(data).features == ["a", "b"]
    assert raw(data, "a") == [0.25 * i for i in range(ROWS)]
    assert noted(data, "a decimal comma: a;", "20 cells", "'0,00'", "line 2) is 0", "dataset.point_columns")
    assert predictor(data).predict(predictor(data).read(['{"a": "1,5", "b": 2}'])) == predictor(data).predict(
        [[1.5, 2]]
    )


def test_target_and_unit_are_read_too(build: Build) -> None:
    data = build({"x": counted(), "y": [f"{i},5 %" for i in range(ROWS)]})
    target = info_of(data).target
    assert target.unit == "%" and 5 < target.mean < 14


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1,234"] * 10 + ["2,345"] * 10, r"line 2, column 'a': '1,234' may be .* dataset.comma_columns has a decimal"),
        (
            ["1,5"] * 19 + ["1.5"],
            r"line 21, column 'a': '1.5' is not a number with a decimal comma; 1 such cells of 20",
        ),
        ([*counted()[:-1], "<5"], r"line 21, column 'a': '<5' is not a number; 1 such .*dataset.missing_words"),
        (["NA"] * 12 + counted()[12:], r"line 2, column 'a': 'NA' is not a number; 12 of 20 cells of the column are"),
        ([""] * 5 + counted()[5:], r"line 2, column 'a': an empty cell; 5 of 20 .*dataset.missing = drop"),
        (["NA"] * ROWS, r"column 'a': no cell of the column has a value: name it in dataset.ignore"),
        (
            ["5/4/2023", "6/7/2023"] * 10,
            r"line 2, column 'a': '5/4/2023' may have day or month first: dataset.date_ord",
        ),
        (["2023-01-31"] * 19 + ["soon"], r"line 21, column 'a': 'soon' is not a date, as most of the column"),
        (
            [*counted()[:-1], "-3.4028235e38"],
            r"line 21, column 'a': -3.4028235e38 is far from all others, which are 0 to",
        ),
        ([*counted()[:-1], "-1.797693134862315e308"], r"line 21, column 'a': .*is not a number up to 1e\+100"),
        (
            ["x"] + [f"{i} kg" for i in range(19)],
            r"line 2, column 'a': 'x' is not a number with a decimal point, in kg",
        ),
    ],
)
def test_a_column_that_looks_like_something_is_never_words_in_silence(
    cells: list[str], message: str, build: Build
) -> None:
    with pytest.raises(DataError, match=message):
        build({"a": cells})


def test_a_point_is_doubtful_beside_decimal_commas(build: Build) -> None:
    columns = {"a": commas(counted()), "b": [f"{1 + i}.234" for i in range(ROWS)]}
    with pytest.raises(DataError, match=r"line 2, column 'b': '1.234' may be .*\('a' has decimal commas\)"):
        build(columns)
    assert raw(build(columns, point_columns=["b"]), "b")[0] == 1.234
    assert raw(build(columns, comma_columns=["b"]), "b")[0] == pytest.approx(1234)
    assert raw(build({"b": columns["b"]}), "b")[0] == 1.234


def test_options_say_how_numbers_are_written(build: Build) -> None:
    cells = [f"{1 + i},234" for i in range(ROWS)]
    assert raw(build({"a": cells}, numbers="comma"), "a")[0] == 1.234
    assert raw(build({"a": cells}, numbers="point"), "a")[0] == pytest.approx(1234)
    assert raw(build({"a": cells}, comma_columns=["a"], numbers="point"), "a")[0] == 1.234
    with pytest.raises(UsageError, match=r"dataset.comma_columns: 'a' is in dataset.point_columns too"):
        build({"a": cells}, comma_columns=["a"], point_columns=["a"])
    with pytest.raises(UsageError, match=r"dataset.comma_columns: no column 'z'"):
        build({"a": cells}, comma_columns=["z"])


def test_words_among_which_are_numbers_are_said(build: Build) -> None:
    data = build({"a": ["red", "blue", "7"] * 6 + ["red", "blue"]})
    assert noted(data, "a is taken for words, though 6 of 20", "'7'", "line 4")
    assert noted(build({"a": ["08:30", "19:15"] * 10}), "a is taken for words, though 20 of 20", "'08:30'")
    assert not noted(build({"a": ["red", "blue"] * 10}), "taken for words")


def test_numbers_that_may_be_codes_are_said(build: Build) -> None:
    data = build({"zip": [f"0{i + 1000}" for i in range(10)] + [f"{i + 10000}" for i in range(10)]})
    assert noted(data, "zip: 10 of 20 cells begin with 0", "'01000'", "dataset.categories for codes")
    assert noted(build({"id": [str(10**17 + i) for i in range(ROWS)]}), "id: 20 of 20 cells have more digits than")
    assert not noted(build({"a": counted(), "b": [str(i) for i in range(ROWS)]}), "for codes")


MISSING = {"a": ["", "NA", "?", "-9999", *counted()[4:]], "w": ["", *["red", "blue"] * 9, "red"]}


def test_missing_values_are_dropped(build: Build) -> None:
    data = build(MISSING, missing="drop", missing_words=["-9999.0"])
    assert len(raw(data, "a")) == 16 and raw(data, "a")[0] == 1
    assert noted(data, "4 of 20 rows with a missing value are left out", "line 2", "a 4, w 1")


@pytest.mark.parametrize(("missing", "of"), [("mean", np.mean), ("median", np.median)])
def test_missing_values_are_filled_from_training_rows(missing: Any, of: Any, build: Build) -> None:
    data = build({**MISSING, "y": [str(i**3) for i in range(ROWS)]}, missing=missing, missing_words=["-9999"])
    info = info_of(data)
    column = info.columns[0]
    assert isinstance(column, Number) and column.fill is not None
    training = split_columns(data.train)["features"][:, 0].double() * column.std + column.mean
    # What was filled is what was taken from the others.
    known = [value for value in training.tolist() if abs(value - column.fill) > 1e-5]
    assert len(known) < len(training) and column.fill == pytest.approx(of(known), rel=1e-5)
    assert info.columns[1] == Category(name="w", values=["", "blue", "red"])
    assert noted(data, f"filled by the {missing} of the training rows", "a 4, w 1", "line 2")
    found = predictor(data)
    answers = [
        found.predict([row])[0] for row in ([None, "red"], ["NA", "red"], ["-9999", "red"], [column.fill, "red"])
    ]
    assert all(answer["prediction"] == pytest.approx(answers[0]["prediction"]) for answer in answers)
    assert found.predict([[1, ""]])


def test_missing_may_be_a_feature(build: Build) -> None:
    data = build({"a": [""] * 10 + counted()[10:], "b": counted()}, missing="category")
    info = info_of(data)
    assert info.features == ["a", "a missing", "b"]
    features = torch.cat([split_columns(split)["features"] for split in data.splits.values()])
    assert features[:, 1].sum() == 10 and (features[features[:, 1] > 0, 0] == 0).all()
    found = predictor(data)
    assert found.predict([["", 1]]) != found.predict([[3.5, 1]])
    with pytest.raises(DataError, match="row 1, column 'b': an empty cell"):
        found.predict([[1, ""]])


def test_a_missing_target_is_never_made_up(build: Build) -> None:
    data = build({"x": counted(), "y": ["NA", *(str(i) for i in range(1, ROWS))]}, missing="mean")
    assert sum(map(len, data.splits.values())) == 19
    assert noted(data, "1 of 20 rows with a missing value are left out", "y 1")


def test_a_mark_of_missing_data_that_leaves_others_apart_is_said(build: Build) -> None:
    cells = [*counted(), "-999", "-999"]
    data = build({"a": [str(float(cell) * 100) for cell in cells]})
    assert not noted(data, "far from all others")
    data = build({"a": [str(20 * i) for i in range(ROWS)] + ["-999", "-999"]})
    assert noted(
        data, "a: 2 cells", "line 22", "-999 is far from all others, which are 0 to 380", "missing_words = -999"
    )
    far = {"a": [*counted(), "1e9"]}
    with pytest.raises(DataError, match=r"line 22, column 'a': 1e9 is far from all others.*dataset.outliers = keep"):
        build(far)
    assert raw(build(far, outliers="keep"), "a")[-1] == pytest.approx(1e9)
    assert len(raw(build(far, missing="drop", missing_words=["1000000000"]), "a")) == ROWS


@pytest.mark.parametrize("value", ["20.1", "0.1", "1e-300", "123456.7"])
def test_a_target_that_never_changes_is_refused(value: str, build: Build) -> None:
    with pytest.raises(DataError, match=f"the target is {float(value):.10g} in every row that is not test"):
        build({"x": counted(), "y": [value] * ROWS})


def test_a_feature_that_never_changes_is_centred_alone(build: Build) -> None:
    column = info_of(build({"a": ["20.1"] * ROWS, "b": counted()})).columns[0]
    assert isinstance(column, Number) and (column.mean, column.std) == (20.1, 1.0)


@pytest.mark.parametrize("size", [1e-305, 1e-200, 5e-7, 1e15, 1e98])
def test_numbers_of_any_size_have_a_scale_and_are_shown(size: float, build: Build) -> None:
    data = build(
        {"a": [repr((i + 1) * size) for i in range(ROWS)], "y": [repr((i % 7 + 1) * size) for i in range(ROWS)]}
    )
    features = split_columns(data.train)["features"]
    assert features.isfinite().all() and features.std(correction=0).item() == pytest.approx(1, rel=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _, rows, _distribution = Regression().preview(info_of(data), data.train, ROWS)
    assert isinstance(rows, Table)
    shown = {float(cell) / size for row in rows.rows for cell in row}
    assert all(abs(value - round(value)) < 1e-5 and 1 <= value < 21 for value in shown)


def test_digits_of_large_numbers_are_shown(build: Build) -> None:
    data = build({"a": [str(1_700_000_000 + 10 * i) for i in range(ROWS)]})
    _, rows, _ = Regression().preview(info_of(data), data.train, ROWS)
    assert isinstance(rows, Table)
    assert all(str(row[0]) in {str(1_700_000_000 + 10 * i) for i in range(ROWS)} for row in rows.rows)


def test_dates_are_features(build: Build) -> None:
    cells = [f"{i + 1:02}.03.2023 {i:02}:30" for i in range(ROWS)]
    data = build({"day": cells, "b": counted()})
    info = info_of(data)
    assert info.features == ["day.year", "day.month", "day.day", "day.weekday", "day.hour", "b"]
    assert isinstance(info.columns[0], Date) and info.columns[0].order == "dmy"
    assert noted(data, "dates: day (year, month, day, weekday, hour)")
    found = predictor(data)
    (word,) = found.example(data.val, np.random.default_rng(0), Path())
    assert found.predict(found.read([word]))
    assert found.predict([["05.03.2023 04:30", 1]]) == found.predict([["2023-03-05T04:10", 1]])
    with pytest.raises(DataError, match=r"row 1, column 'day': '13/13/2023' is not a date with the day first"):
        found.predict([["13/13/2023", 1]])
    assert found.read(found.example(None, np.random.default_rng(0), Path()))


def test_dates_may_be_refused_or_left_to_words(build: Build) -> None:
    cells = [f"2023-03-{i % 5 + 10}" for i in range(ROWS)]
    with pytest.raises(DataError, match=r"line 2, column 'd': '2023-03-10' is a date: dataset.dates = features"):
        build({"d": cells}, dates="refuse")
    assert isinstance(info_of(build({"d": cells}, dates="off")).columns[0], Category)
    compact = [f"202303{i + 10}" for i in range(ROWS)]
    assert info_of(build({"d": compact})).features == ["d.year", "d.month", "d.day", "d.weekday"]
    assert info_of(build({"d": [f"{i}0230310" for i in range(ROWS)]})).features == ["d"]


def test_columns_without_a_name(build: Build) -> None:
    index = {"": [str(i) for i in range(ROWS)], "a": counted()}
    data = build(index, ",")
    assert info_of(data).features == ["a"] and noted(data, "column 1 has no name and counts the rows from 0: left out")
    other = {"": [str(i * i) for i in range(ROWS)], "a": counted()}
    with pytest.raises(DataError, match=r"line 1, column 1 has no name: .*dataset.ignore = '' leaves it out"):
        build(other, ",")
    assert noted(build(other, ",", ignore=[""]), "column 1 has no name: left out")
    assert noted(
        build({"a": counted(), "y": counted(1), "": [""] * ROWS}, ",", target="y"), "column 3 has no name and no"
    )


def test_categories_are_those_of_training_rows(build: Build) -> None:
    cells = ["red", "blue"] * 9 + ["green", "green"]
    data = build({"c": cells}, time_ordered=True)
    assert info_of(data).columns[0] == Category(name="c", values=["blue", "red"])
    assert noted(data, "c: 2 rows of validation and test have a value that no training row has", "'green'", "line 20")
    assert data.test is not None and (split_columns(data.test)["features"][-2:] == 0).all()
    with pytest.raises(DataError, match="'green' is not one of blue, red"):
        predictor(data).predict([["green"]])
    assert predictor(build({"c": cells}, time_ordered=True, unknown="zeros")).predict([["green"]])
    (word,) = predictor(data).example(data.test, np.random.default_rng(0), Path())
    assert "(other)" not in word


def targets(data: Data) -> dict[str, set[int]]:
    info = info_of(data)
    return {
        part: {
            round(value)
            for value in (split_columns(split)["target"] * info.target.std + info.target.mean)[:, 0].tolist()
        }
        for part, split in data.splits.items()
    }


TARGET = [str(i) for i in range(ROWS)]


def test_groups_stay_in_one_split(build: Build) -> None:
    patients = [f"p{i // 4}" for i in range(ROWS)]
    data = build({"a": counted(), "patient": patients, "y": TARGET}, group="patient", target="y")
    assert info_of(data).features == ["a"] and noted(data, "not learnt from: patient")
    groups = [{value // 4 for value in part} for part in targets(data).values()]
    assert len(groups) == 3 and sum(map(len, groups)) == 5


def test_splits_keep_proportions(build: Build) -> None:
    kinds = ["rare" if i % 5 == 0 else "common" for i in range(100)]
    data = build(
        {"kind": kinds, "y": [str(i) for i in range(100)]}, stratify="kind", val_fraction=0.2, test_fraction=0.2
    )
    assert [sum(value % 5 == 0 for value in part) for part in targets(data).values()] == [12, 4, 4]
    data = build({"a": [str(i) for i in range(100)], "y": [str(i) for i in range(100)]}, stratify="y", val_fraction=0.2)
    assert sorted(value // 10 for value in targets(data)["val"]) == sorted([*range(10)] * 2)


def test_lists_and_a_column_say_the_splits(build: Build, tmp_path: Path) -> None:
    lists = {"train": "1\n2\n3\n4\n5\n", "val": "6\n7", "test": "8"}
    for part, text in lists.items():
        (tmp_path / f"{part}.txt").write_text(text)
    given: dict[str, Any] = {f"{part}_list": str(tmp_path / f"{part}.txt") for part in lists}
    data = build({"a": counted(), "y": TARGET}, **given)
    assert targets(data) == {"train": {0, 1, 2, 3, 4}, "val": {5, 6}, "test": {7}}
    assert noted(data, "12 of 20 rows are in no list and left out")
    ids = [f"id{i}" for i in range(ROWS)]
    (tmp_path / "train.txt").write_text("\n".join(ids[5:15]))
    data = build({"id": ids, "a": counted(), "y": TARGET}, id_column="id", train_list=given["train_list"])
    assert sum(map(len, data.splits.values())) == 10 and targets(data)["val"] < set(range(5, 15))
    gaps = {"id": ids, "a": ["", *counted()[1:]], "y": TARGET}
    (tmp_path / "train.txt").write_text("\n".join(ids[:10]))
    data = build(gaps, id_column="id", train_list=given["train_list"], missing="drop")
    assert targets(data)["train"] | targets(data)["val"] == set(range(1, 10))
    (tmp_path / "train.txt").write_text("1\n3\n4")
    (tmp_path / "val.txt").write_text("6")
    data = build(gaps, train_list=given["train_list"], val_list=given["val_list"], ignore=["id"], missing="drop")
    assert targets(data) == {"train": {2, 3}, "val": {5}}
    (tmp_path / "train.txt").write_text("id3\nid77")
    with pytest.raises(DataError, match=r"train.txt: no row 'id77'"):
        build({"id": ids, "a": counted()}, id_column="id", train_list=given["train_list"])
    parts = ["train"] * 12 + ["valid"] * 5 + ["Test"] * 3
    data = build({"part": parts, "a": counted(), "y": TARGET}, split_column="part")
    assert targets(data) == {"train": set(range(12)), "val": set(range(12, 17)), "test": {17, 18, 19}}
    with pytest.raises(DataError, match=r"line 2, column 'part': 'dev' is none of train, training, val"):
        build({"part": ["dev", *parts[1:]], "a": counted()}, split_column="part")


def test_rows_are_divided_in_one_way(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="time_ordered and group or stratify are two ways"):
        FilesConfig(path="x", time_ordered=True, group="g")
    with pytest.raises(ValueError, match="id_column needs a train_list"):
        FilesConfig(path="x", id_column="i")
    with pytest.raises(ValueError, match="need a train_list"):
        FilesConfig(path="x", val_list="v")


def test_what_was_read_is_read_again(build: Build, write: Write, tmp_path: Path) -> None:
    data = build({'"size, m"': commas(counted()), '"net, EUR"': counted()}, delimiter=";")
    found = predictor(data)
    path = tmp_path / "table.csv"
    rows = found.read([str(path)])
    assert len(rows) == ROWS and found.predict(rows)
    # As standard input brings it: lines without their ends, or with a part of those of Windows.
    lines = [line + "\r" for line in path.read_text().splitlines()]
    assert found.predict(found.read(lines)) == found.predict(rows)


def test_what_an_answer_rests_on_is_said(build: Build, tmp_path: Path) -> None:
    data = build({"a": ["", *counted()[1:]], "c": ["red", "blue"] * 10}, missing="mean", unknown="zeros")
    found = predictor(data)
    assert found.predict([[1, "red"]]) and found.notes() == []
    found.predict([[1, "red"], [None, "green"], [-9999, "red"]])
    filled, far, other = found.notes()
    assert filled.startswith("a: 1 of 3 rows have no value: 2.") and filled.endswith("the first is None (row 2)")
    assert far.startswith("a: 1 of 3 rows have a number more than 100 deviations") and far.endswith("-9999 (row 3)")
    assert other.startswith("c: 1 of 3 rows have a value that no training row had") and "'green' (row 2)" in other
    (tmp_path / "asked.csv").write_text("a;c\n1;red\n;\n2;blue\n")
    assert len(found.read([str(tmp_path / "asked.csv")])) == 2
    assert found.notes() == ["1 rows without any value are left out, such as line 3"] and found.notes() == []


def test_a_wrong_encoding_names_its_option(write: Write, context: Context) -> None:
    path = write("größe,y\n1,2\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"line 1: byte 0xf6 .* as dataset\.encoding"):
        files.build(FilesConfig(path=str(path)), context)


def test_options_are_given_as_the_notes_say() -> None:
    fields = FilesConfig.model_json_schema()["properties"]
    assert parse_text(fields["missing_words"], "-9999") == ["-9999"] == parse_text(fields["missing_words"], "[-9999]")
    assert parse_text(fields["missing_words"], "1e+20, x") == ["1e+20", "x"]
    assert parse_text(fields["ignore"], "") == [""] and parse_text(fields["categories"], "") == []
    assert parse_text(fields["ignore"], "2020, a b") == ["2020", "a b"]


def test_a_tab_may_be_spelled() -> None:
    assert FilesConfig(path="x", delimiter="\\t").delimiter == "\t" == FilesConfig(path="x", delimiter="tab").delimiter


def test_runs_of_old_read_their_tables_as_they_did(build: Build) -> None:
    old: Any = migrated_files({}, 1)
    data = build({"a": commas(counted()), "d": [f"2023-01-{i % 3 + 10}" for i in range(ROWS)], "b": counted()}, **old)
    kinds = [column.kind for column in info_of(data).columns]
    assert kinds == ["category", "category", "number"]
    column = info_of(data).columns[2]
    assert isinstance(column, Number)
    seen = torch.cat([split_columns(split)["features"][:, -1] for split in (data.train, data.val)])
    assert seen.mean().abs() < 1e-6

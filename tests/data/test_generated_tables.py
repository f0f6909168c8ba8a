"""Tables in every way that people write them are read as written down by what made them, or refused by name."""

from __future__ import annotations

import re
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dlkit.config import NoOptions
from dlkit.data.context import Context
from dlkit.data.splits import Data, TensorSplit
from dlkit.errors import DataError
from dlkit_regression.columns import Category, Date, Number
from dlkit_regression.datasets import files
from dlkit_regression.encoding import decode_row
from dlkit_regression.info import RegressionInfo
from dlkit_regression.models import linear
from dlkit_regression.options import FilesConfig
from dlkit_regression.regressor import Regressor
from dlkit_regression.task import Regression
from written import STYLES, Sheet, sheet_text, styled

WORDS = ["rot", "blau;x", 'er sagt "nein"', "a,b", "größe", "x|y", "zwei\nZeilen", "tab\tbed", "NA", "none"]
NAMES = ["a", "Größe, m", "price;net", 'so "genannt"', "x|y", "b", "c d"]
NOTHING = ["", "NA", "n/a", "NaN", "null", "-", "?", "#N/A", "-9999"]
ALLOWED = (
    r"may be a number with a decimal mark or a thousand|may have day or month first|the target is"
    r"|is far from all others|no cell of the column has a value|no row that is trained on has a value|too few rows"
    r"|every row has a missing value"
    r"|an empty cell|is not a number"
)
"""Why a table of these may be refused; ``is not a number`` is said of the words for nothing where they are refused."""
REFUSED_MISSING = r"an empty cell|'(NA|n/a|NaN|null|-|\?|#N/A)' is not a number|'-9999' is not"


@dataclass(frozen=True)
class Column:
    """A column as it is written, and what it means: numbers, moments or words; None where there is nothing."""

    name: str
    cells: Sequence[str]
    means: Sequence[Any]
    decimal: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Written:
    """A table, how it is written, and the options that go with it."""

    columns: Sequence[Column]
    sheet: Sheet
    options: Mapping[str, Any]


sheets = st.builds(
    Sheet,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"]),
    quote_all=st.booleans(),
    says_delimiter=st.booleans(),
    index=st.booleans(),
    trailing=st.booleans(),
    blank=st.sampled_from(["none", "empty", "delimiters"]),
)


@st.composite
def tables(draw: st.DrawFn) -> Written:
    rows = draw(st.integers(8, 30))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    sheet = draw(sheets)
    count = draw(st.integers(1, 4))
    kinds = draw(st.lists(st.sampled_from(["number", "number", "words", "date"]), min_size=count, max_size=count))
    missing = draw(st.sampled_from(["refuse", "drop", "mean", "median", "category"]))
    share = draw(st.sampled_from([0, 0, 0.1, 0.6]))
    columns = [_column(draw, generator, kind, name, rows, share) for kind, name in zip(kinds, NAMES, strict=False)]
    target = _numbers(draw, generator, "y", rows, 0.0)
    encoding = sheet.encoding if sheet.encoding in ("cp1252", "utf-16-le") else "auto"
    if encoding == "cp1252":  # it has no minus sign of its own, and few of the others
        target, *columns = (_in_cp1252(column) for column in (target, *columns))
    options = {"missing": missing, "missing_words": ["-9999"], "encoding": encoding, "time_ordered": True}
    return Written([*columns, target], sheet, {**options, "test_fraction": 0.0})


def _in_cp1252(column: Column) -> Column:
    cells = [cell.encode("cp1252", "replace").decode("cp1252") for cell in column.cells]
    return column if cells == list(column.cells) else _plain(column)


def _plain(column: Column) -> Column:
    cells = ["" if value is None else str(value) for value in column.means]
    return Column(column.name, cells, column.means, ".")


def _column(draw: st.DrawFn, generator: np.random.Generator, kind: str, name: str, rows: int, share: float) -> Column:
    if kind == "number":
        return _numbers(draw, generator, name, rows, share)
    if kind == "date":
        form = draw(st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y %I:%M %p", "%Y-%m-%dT%H:%M:%SZ"]))
        days = [datetime(2001, 1, 1) + timedelta(hours=int(hours)) for hours in generator.integers(0, 200_000, rows)]
        hours = "%H" in form or "%I" in form
        means = [day if hours else day.replace(hour=0) for day in days]
        return Column(name, [day.strftime(form) for day in days], means)
    words = [WORDS[i] for i in generator.integers(0, len(WORDS), rows)]
    gaps = generator.random(rows) < share
    cells = ["" if gap else word for gap, word in zip(gaps, words, strict=True)]
    return Column(name, cells, [cell or None for cell in cells])


def _numbers(draw: st.DrawFn, generator: np.random.Generator, name: str, rows: int, share: float) -> Column:
    style = draw(st.sampled_from(STYLES))
    size = 10.0 ** draw(st.integers(0, 7))
    numbers = [Decimal(f"{value:.{style.places}f}") for value in generator.uniform(-size, size, rows)]
    numbers = [number if number else abs(number) for number in numbers]  # −0 is 0
    gaps = generator.random(rows) < share
    nothing = draw(st.sampled_from(NOTHING))
    cells = [nothing if gap else styled(number, style) for gap, number in zip(gaps, numbers, strict=True)]
    means = [None if gap else number for gap, number in zip(gaps, numbers, strict=True)]
    return Column(name, cells, means, style.decimal, style.after.strip())


def check(written: Written) -> None:
    """Build, look at every feature of every row, ask the same file; or a refusal that is allowed and names the file."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(folder) / "table.csv"
        rows = list(zip(*(column.cells for column in written.columns), strict=True))
        text = sheet_text(written.sheet, [column.name for column in written.columns], rows)
        path.write_bytes(text.encode(written.sheet.encoding))
        try:
            data = files.build(FilesConfig(path=str(path), target="y", **written.options), Context(path.parent))
        except DataError as error:
            _check_refusal(written, str(error))
            return
        event("read")
        info = RegressionInfo.model_validate(data.info)
        _check_rows(written, data, info)
        if all(cell for column in written.columns for cell in column.cells) and data.notes:
            assert not any("without any value" in note for note in data.notes) or written.sheet.blank == "delimiters"
        _check_answers(path, data, info, len(rows))


def _check_refusal(written: Written, said: str) -> None:
    assert re.match(r".*table\.csv(, line \d+)?(, column .+)?: ", said.split("\n")[0]) and re.search(ALLOWED, said), (
        said
    )
    missing = any(value is None for column in written.columns for value in column.means)
    if written.options["missing"] != "refuse" and re.search(REFUSED_MISSING, said):
        raise AssertionError(f"a missing value was to be dealt with: {said}")
    if "is not a number" in said:
        assert missing, said
    event(f"refused: {re.search(ALLOWED, said)[0]}")  # type: ignore[index]


def _check_rows(written: Written, data: Data, info: RegressionInfo) -> None:
    """Every value of every row that is kept, in the order of the file."""
    kept = [i for i in range(len(written.columns[0].cells)) if _is_kept(written, i)]
    features = torch.cat([_columns(split)["features"] for split in (data.train, data.val)]).double()
    targets = torch.cat([_columns(split)["target"] for split in (data.train, data.val)]).double()[:, 0]
    assert len(features) == len(kept)
    for i, (row, target) in enumerate(zip(features, targets.tolist(), strict=True)):
        cells = decode_row(info.columns, row)
        for column, cell, source in zip(info.columns, cells, written.columns, strict=False):
            _check_cell(column, cell, _meant(source, data)[kept[i]])
        mean, std = info.target.mean, info.target.std
        assert abs(target * std + mean - float(_meant(written.columns[-1], data)[kept[i]])) <= 1e-5 * std


def _meant(column: Column, data: Data) -> Sequence[Any]:
    """What a column's cells mean; thousands with a point in every one are read as decimals, which a note says."""
    if any(note.startswith(f"the points of {column.name} are taken for decimal points") for note in data.notes):
        of = 1000 if column.decimal == "," else 1
        return [None if value is None else value / of for value in column.means]
    return column.means


def _is_kept(written: Written, row: int) -> bool:
    return written.options["missing"] != "drop" or all(column.means[row] is not None for column in written.columns)


def _check_cell(column: Number | Date | Category, cell: str, given: Any) -> None:
    if isinstance(column, Category):
        # A word that only validation rows have counts as none; a note says so.
        assert cell in (str(given or ""), "(other)") or cell == (given or "").strip()
    elif isinstance(column, Date):
        form = "%Y-%m-%d %H:%M" if "hour" in column.parts else "%Y-%m-%d"
        assert cell == given.replace(minute=0).strftime(form)
    elif given is not None:
        assert abs(float(cell.rstrip("%")) - float(given)) <= 1e-5 * column.std, (column, cell, given)
    else:
        assert cell == "" if column.indicator else column.fill is not None


def _columns(split: object) -> Mapping[str, torch.Tensor]:
    assert isinstance(split, TensorSplit)
    return {name: column for name, column in split.columns.items() if isinstance(column, torch.Tensor)}


def _check_answers(path: Path, data: Data, info: RegressionInfo, count: int) -> None:
    """A checkpoint answers the file that it was trained on, by what it knows alone."""
    Regression().preview(info, data.train, 5)
    model = linear(NoOptions(), info)
    found = Regressor(model, info, NoOptions())
    try:
        rows = found.read([str(path)])
    except DataError as error:
        # A row without a value is left out in training; there is no answer to it.
        assert re.search(r"an empty cell|is not a number|is not one of", str(error)), error
        return
    assert len(rows) == count
    assert all(np.isfinite(answer["prediction"]) for answer in found.predict(rows))


def test_a_sheet_is_what_it_says() -> None:
    sheet = Sheet(";", "\r\n", quote_all=True, says_delimiter=True, index=True, trailing=True, blank="delimiters")
    text = sheet_text(sheet, ["a"], [["1"]] * 4)
    assert text.split("\r\n")[:3] == ["sep=;", '"";"a";""', '"0";"1";""'] and text.split("\r\n")[-2] == ";;"


@given(tables())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_tables_are_read_or_refused(written: Written) -> None:
    check(written)


@pytest.mark.slow
@given(tables())
@settings(max_examples=2500, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_tables_are_read_or_refused(written: Written) -> None:
    check(written)

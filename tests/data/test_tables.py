"""CSV files: what is read, and how what is malformed is named."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlkit.data.tables import RawTable, read_csv
from dlkit.errors import DataError

Write = Callable[[str | bytes], Path]
cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8).map(str.strip).filter(bool)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write("a,b\\n1,2\\n")``: a file with that text, or those bytes."""

    def make(text: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return make


@given(
    names=st.lists(cells, min_size=2, max_size=5, unique=True),
    data=st.data(),
    delimiter=st.sampled_from(",;\t|"),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_is_read(names: list[str], data: st.DataObject, delimiter: str, write: Write) -> None:
    rows = data.draw(st.lists(st.tuples(*[cells] * len(names)), min_size=1, max_size=6))
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([names, *rows])
    table = read_csv(write(text.getvalue()), delimiter)
    assert list(table.columns) == names
    assert list(zip(*table.columns.values(), strict=True)) == rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_guessed_from_the_header(delimiter: str, write: Write) -> None:
    table = read_csv(write(f"one{delimiter}two\n1{delimiter}2\n"))
    assert table.columns == {"one": ["1"], "two": ["2"]}


def test_byte_order_mark_blank_lines_and_windows_line_ends_are_no_content(write: Write) -> None:
    table = read_csv(write(b"\xef\xbb\xbfa,b\r\n1,2\r\n\r\n3,4\r\n"))
    assert table.columns == {"a": ["1", "3"], "b": ["2", "4"]}
    assert table.where(1).endswith("line 4")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b,c\n1,2,3\n4,5\n", ["line 3", "column 'c'", "missing", "2 fields", "header 3"]),
        ("a,b\n1,2\n\n4,5,6\n", ["line 4", "column 3", "'6'"]),
        ('a,b\n1,"2\n', ["line 2"]),
        ('a,b\n1,"2"x\n', ["line 2", "expected after"]),
        ("a,b,a\n1,2,3\n", ["line 1", "column 3", "'a'", "twice"]),
        ("", ["line 1", "no header"]),
        ("a,b\n", ["no rows"]),
        (b"a,b\n1,\xff\n", ["line 2", "0xff at 6 is not utf-8"]),
        ("a,b\n1,\x00\n", ["table.csv"]),
    ],
)
def test_malformed_files_are_named_by_line_and_column(text: str | bytes, names: list[str], write: Write) -> None:
    with pytest.raises(DataError) as caught:
        read_csv(write(text)).numbers("b")
    assert all(name in str(caught.value) for name in ["table.csv", *names]), str(caught.value)


@pytest.mark.parametrize("cell", ["x", "1,5", "nan", "inf", "1_000", "--3"])
def test_what_is_no_number_is_named(cell: str, write: Write) -> None:
    table = read_csv(write(f'a,b\n1,2\n3,"{cell}"\n'))
    with pytest.raises(DataError, match=r"table\.csv, line 3, column 'b': '.*' is not a number"):
        table.numbers("b")


def test_an_empty_cell_is_named(write: Write) -> None:
    table = read_csv(write("a,b\nx,1\n ,2\n"))
    with pytest.raises(DataError, match=r"line 3, column 'a': an empty cell"):
        table.words("a")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        read_csv(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="a folder"):
        read_csv(tmp_path)


def test_rows_name_the_columns_that_they_lack() -> None:
    assert RawTable.of_rows([{"a": 1, "b": 2, "c": 3}], ["b", "a"]).columns == {"b": [2], "a": [1]}
    with pytest.raises(DataError, match="row 2 lacks b; needed are: a, b"):
        RawTable.of_rows([{"a": 1, "b": 2}, {"a": 1}], ["a", "b"])

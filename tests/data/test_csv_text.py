"""CSV files of spreadsheets and programs: what separates fields, how they are encoded, which lines are no rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlkit.data.tables import Reading, parse_csv, read_csv, read_like
from dlkit.errors import DataError

Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(data: bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(data)
        return path

    return make


@pytest.mark.parametrize(
    ("text", "delimiter", "names"),
    [
        ('"size, m";"price, EUR, net"\n1;2\n', ";", ["size, m", "price, EUR, net"]),
        ("a;b;y\n1,5;2,5;3\n2,5;1;2\n", ";", ["a", "b", "y"]),
        ("a, b;c\n1,5;2\n2,5;3\n", ";", ["a, b", "c"]),
        ("a, b;c, d\n1,5;2,5\n2,5;3,5\n", ";", ["a, b", "c, d"]),
        ("a;b, m;y\n-;red;0,46\n-;blue;0,5\n", ";", ["a", "b, m", "y"]),
        ("price, EUR;size\n1;2\n", ";", ["price, EUR", "size"]),
        ('a,b\n"1;2;3",x\n', ",", ["a", "b"]),
        ("a\tb\n1,2\t3\n", "\t", ["a", "b"]),
        ("only\n1\n2\n", ",", ["only"]),
        ("sep=;\na,b;c\n1;2\n", ";", ["a,b", "c"]),
        ("sep=|\r\na|c\r\n1|2\r\n", "|", ["a", "c"]),
        ("\n \na;b\n1;2\n", ";", ["a", "b"]),
        ('a;b\n"x\ny";2\n', ";", ["a", "b"]),
    ],
)
def test_the_delimiter_is_what_every_line_has(text: str, delimiter: str, names: list[str]) -> None:
    table = parse_csv(text, "table")
    assert (table.delimiter, list(table.columns)) == (delimiter, names)


def test_a_guessed_delimiter_is_said() -> None:
    assert parse_csv("a;b\n1;2\n", "table").notes == ["fields are separated by ';' (dataset.delimiter says otherwise)"]
    assert parse_csv("a,b\n1,2\n", "table").notes == [] == parse_csv("a;b\n1;2\n", "table", ";").notes


def test_a_line_that_names_the_delimiter_is_counted() -> None:
    assert parse_csv("sep=;\na;b\n1;2\n", "table").where(0) == "table, line 3"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_are_heeded(encoding: str, write: Write) -> None:
    assert read_csv(write("größe,b\n1,2\n".encode(encoding))).columns == {"größe": ["1"], "b": ["2"]}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-8"])
def test_an_encoding_may_be_named(encoding: str, write: Write) -> None:
    assert read_csv(write("größe,b\n1,2\n".encode(encoding)), encoding=encoding).columns["größe"] == ["1"]
    marked = "\ufeffa,b\n1,2\n".encode("utf-16-le")
    assert list(read_csv(write(marked), encoding="utf-16-le").columns) == ["a", "b"]


def test_utf16_without_its_mark_is_named(write: Write) -> None:
    with pytest.raises(
        DataError, match=r"table\.csv, line 1: holds NUL characters; UTF-16 without its byte order mark"
    ):
        read_csv(write("a,b\n1,2\n".encode("utf-16-le")))


def test_lines_without_values_are_left_out_and_said() -> None:
    table = parse_csv("a,b\n1,2\n,\n  \n3,4\n , \n", "table")
    assert table.columns == {"a": ["1", "3"], "b": ["2", "4"]}
    assert table.notes == ["3 rows without any value are left out, such as line 3"]
    assert table.where(1) == "table, line 5"


def test_delimiters_at_the_ends_of_lines_make_no_column() -> None:
    assert parse_csv("a,b\n1,2,\n3,4,\n", "table").columns == {"a": ["1", "3"], "b": ["2", "4"]}
    assert parse_csv("a,b,\n1,2\n3,4\n", "table").columns == {"a": ["1", "3"], "b": ["2", "4"]}
    table = parse_csv("a,b,\n1,2,\n3,4,\n", "table")
    assert list(table.columns) == ["a", "b"] and table.unnamed == {3: ["", ""]}
    with pytest.raises(DataError, match="line 2, column 3: unexpected ''"):
        parse_csv("a,b\n1,2,\n3,4,5\n", "table")


def test_a_table_like_another_is_read_the_same(write: Write) -> None:
    path = write(b"a,b;c\n1;2\n")
    assert read_like(path, Reading(delimiter=";"), ["c", "a,b"]).columns["c"] == ["2"]
    # What a run knows does not keep it from reading a file that is written otherwise.
    assert read_like(write(b"a,c\n1,2\n"), Reading(delimiter=";", encoding="utf-16"), ["a", "c"]).columns["c"] == ["2"]
    with pytest.raises(DataError, match=r"line 1: lacks the columns z; needed: c, z"):
        read_like(path, Reading(delimiter=","), ["c", "z"])

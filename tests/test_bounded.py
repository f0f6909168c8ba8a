"""Reading what others wrote: bounded in size, depth and digits, from regular files alone, whatever bytes they hold."""

from __future__ import annotations

import io
import json
import os
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit import bounded
from dlkit.bounded import DEPTH, BadFile, json_object, lines, parse_json, parse_toml, read_json, read_toml

NUMBERS = st.integers(-(2**128), 2**128) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(PLAIN)
def test_what_json_writes_comes_back(value: Any) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=200) | st.text('[]{}:,"\\0123456789eE+-.truefalsnNaI\x00 ', max_size=200).map(str.encode))
def test_any_bytes_are_a_value_or_an_error_that_names_the_file(data: bytes) -> None:
    for parse in (json_object, parse_toml):
        try:
            assert isinstance(parse(data, "some.file"), dict)
        except BadFile as error:
            assert str(error).startswith("some.file: ")


def test_dates_of_toml_are_text_as_in_json() -> None:
    found = parse_toml(b"when = 2026-01-02\n[a]\nat = [2026-01-02T03:04:05, 07:32:00]\nb = {c = 1.5}", "x")
    assert json.loads(json.dumps(found)) == found
    assert found == {"when": "2026-01-02", "a": {"at": ["2026-01-02 03:04:05", "07:32:00"], "b": {"c": 1.5}}}


DEEP = 200_000
WRONG_JSON = {
    "brackets": b"[" * DEEP,
    "closed": b"[" * DEEP + b"]" * DEEP,
    "tables": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "a little too deep": b"[" * (DEPTH + 2) + b"]" * (DEPTH + 2),
    "digits": b'{"step": ' + b"9" * 5000 + b"}",
    "more digits than any of ours": b'{"step": ' + b"9" * 41 + b"}",
    "NaN": b'{"best": NaN}',
    "Infinity": b'{"best": -Infinity}',
    "Latin-1": b'{"name": "\xe9"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a list": b"[]",
    "nothing": b"",
    "torn": b'{"name": "x',
    "zeros": bytes(100),
}
WRONG_TOML = {
    "lists": b"x = " + b"[" * 3000 + b"]" * 3000,
    "tables": b"x = " + b"{a=" * 3000 + b"1" + b"}" * 3000,
    "keys": b".".join([b"a"] * 3000) + b" = 1",
    "heads": b"[" + b".".join([b"a"] * 3000) + b"]",
    "digits": b"x = " + b"9" * 5000,
    "hexadecimal": b"x = 0x" + b"f" * 5000,
    "Latin-1": b'x = "\xe9"',
    "syntax": b"x = = 1",
}


@pytest.mark.parametrize("what", WRONG_JSON)
def test_json_that_is_none_of_ours_is_refused_by_name(what: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes(WRONG_JSON[what])
    with pytest.raises(BadFile, match=r"run\.json: "):
        read_json(tmp_path / "run.json")


@pytest.mark.parametrize("what", WRONG_TOML)
def test_toml_that_is_none_of_ours_is_refused_by_name(what: str, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_bytes(WRONG_TOML[what])
    with pytest.raises(BadFile, match=r"run\.toml: "):
        read_toml(tmp_path / "run.toml")


def test_depth_counts_levels_and_not_brackets() -> None:
    assert parse_json(b"[" + b",".join([b"[]"] * 1000) + b"]") == [[]] * 1000
    assert parse_json(b"[" * DEPTH + b"]" * DEPTH)
    assert parse_json(b'"' + b"[" * DEEP + b'"') == "[" * DEEP


def test_numbers_that_are_not_finite_can_be_asked_for() -> None:
    assert parse_json(b"[Infinity, -Infinity]", constants=True) == [float("inf"), float("-inf")]


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert json_object(b'{"a": 1, "a": 2}', "x") == {"a": 2}


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


NOT_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "fifo": (pipe, "a named pipe, not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "a device, not a regular file"),
    "folder": (lambda path: path.mkdir(), "a folder, not a regular file"),
}


@pytest.mark.parametrize("what", NOT_FILES)
@pytest.mark.parametrize("read", [read_json, read_toml])
def test_what_is_no_regular_file_is_refused_without_waiting(
    what: str, read: Callable[[Path], object], tmp_path: Path
) -> None:
    make, message = NOT_FILES[what]
    make(tmp_path / "it")
    with pytest.raises(BadFile, match=message):
        read(tmp_path / "it")


def test_a_socket_is_no_file_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name has 100 bytes at most
    listening(Path("it"))
    with pytest.raises((OSError, BadFile)):
        read_json(Path("it"))


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "run.json").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing, that takes no room
    tracemalloc.start()
    try:
        with pytest.raises(BadFile, match=r"run\.json: 1099511627776 bytes, more than the 16777216 that are read"):
            read_json(tmp_path / "run.json")
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_a_file_that_says_nothing_of_its_size_is_bounded_too() -> None:
    # /proc knows no sizes: each says 0. A file may as well grow while it is read.
    with pytest.raises(BadFile, match="more than the 10 bytes that are read"):
        bounded.read_bytes("/proc/self/status", 10)
    assert bounded.read_bytes("/proc/self/status", 1 << 20).startswith(b"Name:")


def test_lines_too_long_are_passed_over() -> None:
    file = io.BytesIO(b"one\n" + b"x" * 100 + b"\ntwo\n" + b"y" * 9 + b"\n" + b"z" * 100)
    assert list(lines(file, 10)) == [b"one\n", b"two\n", b"y" * 9 + b"\n"]

"""Text that others wrote cannot steer the terminal."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.present.output import print_result
from dlkit.present.text import Painted, clean, escaped, first_line, fit_to_print, printable
from dlkit.steering import one_line

TURNING = "\u202e\u2066"
"""What turns the direction of writing."""


@given(st.text())
def test_nothing_that_moves_the_cursor_is_printed(text: str) -> None:
    shown = set(printable(text))
    assert not {c for c in shown if (c < " " and c != "\t") or "\x7f" <= c <= "\x9f"}


@given(st.text())
def test_nothing_that_steers_is_left(text: str) -> None:
    for shown in (clean(text), printable(text)):
        assert not {c for c in shown if c in TURNING or (c < " " and c not in "\t\n") or "\x7f" <= c <= "\x9f"}


def test_what_is_taken_out_of_a_text_is_seen_and_of_a_log_is_not() -> None:
    assert clean("a\x1b[31mb\tc\nd\u202e") == "a�[31mb c\nd�"
    assert printable("10%\r\x1b[31m90%\x1b[0m \x1b]0;title\x07done\u202e\r\n") == "90% done"


def test_the_first_line() -> None:
    assert first_line("one\ntwo") == "one" and first_line("") == ""


@given(st.text(st.characters()), st.sampled_from(["\x1b[31m", "\x1b[2J", "\x1b]0;t\x07", "\x9b5n", ""]))
def test_of_what_is_painted_only_colours_are_left(text: str, sequence: str) -> None:
    painted = Painted.joined("\n", [text + sequence, Painted(f"\x1b[1m{text}{sequence}\x1b[0m")])
    assert fit_to_print(painted) is painted
    bare = re.sub("\x1b\\[[0-9;]*m", "", painted)
    assert not {c for c in bare if c in TURNING or (c < " " and c not in "\t\n") or "\x7f" <= c <= "\x9f"}


def test_a_colour_that_came_with_a_text_is_not_shown() -> None:
    assert Painted.joined(" ", ["\x1b[31mred", Painted("\x1b[1mbold\x1b[0m")]) == "�[31mred \x1b[1mbold\x1b[0m"
    assert not isinstance(Painted("a") + "\x1b[31m", Painted), "whatever is added to it is to be cleaned again"


@given(st.text(st.characters()))
def test_a_name_is_one_line(text: str) -> None:
    assert len(one_line(f"a{text}b").splitlines()) == 1


@given(st.text(st.characters()))
def test_programs_read_from_escaped_json_what_was_written(text: str) -> None:
    written = escaped(json.dumps(text, ensure_ascii=False))
    assert json.loads(written) == text
    assert not {c for c in written if c < " " or "\x7f" <= c <= "\x9f" or "\ud800" <= c <= "\udfff"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_a_strict_stdout_cannot_hold_is_replaced(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In workers and schedulers too, whose streams nobody prepares."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding, "strict"))
    print_result("größe 日本")
    sys.stdout.flush()
    assert raw.getvalue().decode(encoding) == {"ascii": "gr??e ??\n", "latin-1": "größe ??\n"}.get(
        encoding, "größe 日本\n"
    )

"""Text that others wrote cannot steer the terminal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlkit.present.text import clean, first_line, printable

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

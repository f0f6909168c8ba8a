"""Whatever a text holds, nothing of it steers the terminal, through whichever writer or widget it gets there."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style
from rich.text import Text
from textual.content import Content

from dlkit.data.download import shown
from dlkit.errors import UsageError
from dlkit.present.notification import notification
from dlkit.present.output import print_json, print_json_text, print_result, say, say_from_handler, say_traceback
from dlkit.present.table import table
from dlkit.present.text import Painted, clean, escaped, fit_to_print, printable
from dlkit.runs.naming import checked_name
from dlkit.steering import FitStream, one_line
from dlkit.tui.app import clean_every_text
from dlkit.tui.chart.canvas import Sheet
from dlkit.tui.shared.table import _fitted
from planted import OWN, steering

LETTERS = st.characters() | st.sampled_from("\x1b\x07\x08\r\n\t\x7f\x85\x9b\u2028\u202e\u2066\u2069\ud83d\udc9b")
WHOLE = st.sampled_from(["", "\x1b[2J", "\x1b]0;t\x07", "\x9b5n", "\x1bP+q\x1b\\", "\u202eevil"])
TEXT = st.tuples(st.text(LETTERS), WHOLE, st.text(LETTERS)).map("".join)


def on_stdout(write: Callable[[], object]) -> str:
    with redirect_stdout(io.StringIO()) as out:
        write()
    return out.getvalue()


def on_stderr(write: Callable[[], object]) -> str:
    with redirect_stderr(io.StringIO()) as err:
        write()
    return err.getvalue()


def in_file(write: Callable[[], object]) -> str:
    """What goes to the file itself, past Python's stream."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as file:
        with redirect_stderr(file):
            write()
        file.seek(0)
        return file.read()


def through_fit_stream(text: str) -> str:
    raw = io.BytesIO()
    own = io.TextIOWrapper(raw, "utf-8", "backslashreplace", newline="")
    print(text, file=FitStream(own), flush=True)
    return raw.getvalue().decode()


def in_bar(text: str) -> str:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with redirect_stderr(Terminal()) as err, shown(text, 10, say):
        pass
    return OWN.sub("", err.getvalue())


def in_chart(text: str) -> str:
    sheet = Sheet(20, 1)
    sheet.text(0, 0, text, Style.null())
    return "".join(segment.text for strip in sheet.strips(Style.null()) for segment in strip)


def as_name(text: str) -> str:
    """Taken, or refused by an error that quotes it."""
    try:
        return checked_name(text)
    except UsageError as error:
        return on_stderr(partial(say, str(error)))


def in_notification(text: str) -> str:
    return notification(text, {"TERM": "xterm"}).removeprefix("\a\x1b]9;").removesuffix("\a")


def raised(text: str) -> BaseException:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


LINE: dict[str, Callable[[str], str]] = {
    "a table's cell": lambda text: table([text], [[text]]).replace("\n", "", 1),
    "one line": one_line,
    "a log's line": printable,
    "a bar": in_bar,
    "a chart": in_chart,
    "a column": lambda text: _fitted(text, 12, right=False),
    "JSON": lambda text: on_stdout(lambda: print_json({text: [text]}, indent=None)).removesuffix("\n"),
    "JSON as it was made": lambda text: on_stdout(
        lambda: print_json_text(json.dumps(text, ensure_ascii=False))
    ).removesuffix("\n"),
}  # fmt: skip
"""What is one line, whatever is in it."""
SINKS: dict[str, Callable[[str], str]] = {
    **LINE,
    "talk": lambda text: on_stderr(lambda: say(text)),
    "a handler's talk": lambda text: in_file(lambda: say_from_handler(text)),
    "a traceback": lambda text: on_stderr(lambda: say_traceback(raised(text))),
    "a result": lambda text: on_stdout(lambda: print_result(text)),
    "paint": lambda text: OWN.sub("", on_stdout(lambda: print_result(Painted(text)))),
    "painted parts": lambda text: OWN.sub("", fit_to_print(Painted.joined(text, [text, Painted(text)]))),
    "text": clean,
    "others on stderr": through_fit_stream,
    "a notification": in_notification,
    "a name": as_name,
    "the interface's Text": lambda text: Text(text).append(text).plain,
    "the interface's Content": lambda text: Content(text).plain + Content.from_text(text, markup=False).plain,
    "TOML": escaped,
}  # fmt: skip


@pytest.mark.parametrize("sink", SINKS)
@settings(max_examples=60)
@given(text=TEXT)
def test_nothing_steers_through_any_sink(sink: str, text: str) -> None:
    clean_every_text()
    assert not steering(SINKS[sink](text).replace("\t", "").replace("\n", ""))


@pytest.mark.parametrize("sink", LINE)
@settings(max_examples=40)
@given(text=TEXT)
def test_a_line_stays_one(sink: str, text: str) -> None:
    assert len(LINE[sink](text).splitlines()) <= 1


@given(text=TEXT)
def test_json_says_the_same_to_programs(text: str) -> None:
    """A surrogate pair in two halves is, in JSON, the letter that it stands for."""
    (pair,) = json.loads(on_stdout(lambda: print_json({text: text}))).items()
    assert pair == (joined(text), joined(text))


def joined(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")

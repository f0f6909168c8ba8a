"""A picture that stays above the bar: drawn over, pushed down by words, left alone where it cannot be replaced."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyte
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from wcwidth import wcwidth

from dlkit.cli import progress
from dlkit.cli import standing as standing_module
from dlkit.cli.progress import PICTURE_LINES, Bar
from dlkit.cli.standing import Standing
from dlkit.events import Event, MetricsLogged, Resumed, Sampled, SampleRef
from dlkit.present.output import say
from dlkit.runs.contents import save_sample
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, Sample, Text
from pseudo_terminal import on_terminal
from recorded import record_run

COLUMNS, LINES = 80, 30


class Terminal(pyte.HistoryScreen):
    """Wraps a letter of two columns that has one left, as terminals do; pyte writes it over the edge."""

    def draw(self, data: str) -> None:
        for letter in data:
            if self.cursor.x == self.columns - 1 and wcwidth(letter) == 2:
                self.carriage_return()
                self.linefeed()
            super().draw(letter)


def seen(text: str, columns: int = COLUMNS, lines: int = LINES) -> list[str]:
    """The lines that a terminal shows, after whatever has scrolled away."""
    screen = Terminal(columns, lines, history=1000)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed(text)
    gone = ["".join(row[i].data for i in range(columns)) for row in screen.history.top]
    return [line.rstrip() for line in [*gone, *screen.display]]


def drawn(run: RunFolder, step: int, sample: Sample) -> Event:
    file = save_sample(run, sample, f"{step}-{sample.name}")
    return Sampled(step=step, samples=[SampleRef(kind=sample.kind, name=sample.name, title="", file=file)])


def noise(side: int = 28) -> Images:
    """What a generative network shows: 64 images, no captions."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, side, side), np.uint8)
    return Images(name="drawn", title="Drawn from noise", images=pixels, columns=8)


def evaluated(step: int) -> Event:
    return MetricsLogged(first=step, count=1, values={"val/mse": [1.0 / step]})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at it is a second later."""
    ticks = itertools.count()
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(ticks)))
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("colourless", [False, True])
def test_pictures_that_come_often_do_not_flood(
    tmp_path: Path, colourless: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if colourless:
        monkeypatch.setenv("NO_COLOR", "1")
    run = record_run(tmp_path)
    with on_terminal(COLUMNS, LINES) as written:
        bar = Bar(run)
        bar.show(Resumed(from_step=0, total_steps=1000, epoch_steps=10, exact=True))
        for step in range(10, 210, 10):
            bar.show(evaluated(step))
            bar.show(drawn(run, step, noise()))
        text = written()
        bar.close()
    lines = seen(text)
    titles = [line for line in lines if "Drawn from noise" in line]
    assert titles == ["Drawn from noise · step 200"]
    told = [line for line in lines if line.startswith("epoch")]
    assert [line.split("step ")[1].split()[0] for line in told] == [str(step) for step in range(10, 210, 10)]
    below = lines[lines.index(titles[0]) :]
    assert sum(bool(line) for line in below) <= PICTURE_LINES + 1, "the picture, and the bar"
    assert "0/1000" in [line for line in below if line][-1]
    assert colourless or sum("▀" in line for line in below) > 3


@pytest.mark.usefixtures("clock")
def test_what_others_write_below_a_picture_stays(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    with on_terminal(COLUMNS, LINES) as written:
        bar = Bar(run)
        bar.show(Resumed(from_step=0, total_steps=1000, epoch_steps=10, exact=True))
        bar.show(drawn(run, 10, Text(name="t", text="the first")))
        say("\nstopping after this step")
        for step in range(20, 400, 10):
            bar.show(drawn(run, step, Text(name="t", text=f"that of {step}")))
        text = written()
        bar.close()
    shown = "\n".join(seen(text))
    assert "the first" in shown and "stopping after this step" in shown
    assert shown.count("that of") == 1 and "that of 390" in shown


TERMINAL = SimpleNamespace(stderr=SimpleNamespace(isatty=lambda: True))


def test_a_terminal_that_cannot_move_its_cursor_is_not_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(standing_module, "sys", TERMINAL)
    standing = Standing()
    assert standing.written("", "a\nb") == "a\nb\n"
    assert not standing.replaceable and standing.written("", "c") == "c\n"


def test_a_picture_is_left_where_the_window_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(standing_module, "sys", TERMINAL)
    standing = Standing()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    standing.written("", "a\nb")
    assert standing.replaceable
    monkeypatch.setenv("COLUMNS", "79")
    assert not standing.replaceable
    assert standing.written("words") == "words\n"
    standing.written("", "\n".join("x" * 24))
    assert not standing.replaceable, "what does not fit on the screen cannot be gone back to"


WORDS = st.text("ab 猫é\n", min_size=1, max_size=60).filter(lambda text: text.strip() == text)


@example([("a", "aaa猫aaa"), ("", "")], 4)  # of the letter's columns only one is left on its line
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS | st.just(""), WORDS | st.just("")), max_size=8), st.integers(4, 30))
def test_the_screen_has_all_words_in_order_and_then_the_last_picture(said: list[tuple[str, str]], columns: int) -> None:
    """Whatever their letters' widths: compared with a screen that never had the other pictures."""
    # High enough for everything, if each letter were two columns wide; drawing 1,000 lines took 30 s of all examples.
    lines = 2 + sum(1 + 2 * len(line) // (columns - 1) for parts in said for part in parts for line in part.split("\n"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm")
        patch.setattr(standing_module, "sys", TERMINAL)
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("LINES", str(lines))
        standing = Standing()
        text = "".join(standing.written(words, picture) for words, picture in said)
    last = next((picture for _, picture in reversed(said) if picture), "")
    whole = "".join(f"{part}\n" for part in [*(words for words, _ in said if words), *([last] if last else [])])
    assert seen(text, columns, lines) == seen(whole, columns, lines)

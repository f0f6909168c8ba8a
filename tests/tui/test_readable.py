"""Every text of every screen can be read, in every theme and without colours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from dlkit.runs.folder import RunFolder
from dlkit.tui.app import DlkitApp
from dlkit.tui.shared.readable import LEAST, READABLE, contrast, readable_color
from recorded import record_run
from screens import opened, press, until

COLORS = st.tuples(*[st.integers(0, 255)] * 3)
TWO = ("textual-dark", "textual-light")


@given(COLORS, COLORS)
def test_any_colour_can_be_read_on_any_other_and_one_that_can_stays(color, behind) -> None:
    found = readable_color(color, behind)
    assert contrast(found, behind) >= LEAST
    assert found == color or contrast(color, behind) < LEAST


def test_pictures_bars_and_frames_keep_their_colours() -> None:
    faint = Style.from_color(RichColor.from_rgb(20, 20, 20), RichColor.from_rgb(18, 18, 18))
    drawn = [Segment(text, faint) for text in ("▀▄█", "⣿⠁ ", "│──╮", "■ ●")]
    assert READABLE.apply(drawn, Color(0, 0, 0)) == drawn
    (written,) = READABLE.apply([Segment("loss", faint)], Color(0, 0, 0))
    assert written.style is not None and written.style.color != faint.color
    own = [Segment("loss", Style.parse("red on default"))]
    assert READABLE.apply(own, Color(0, 0, 0)) == own, "colours of the terminal's own are not known"


@pytest.mark.parametrize(
    ("no_color", "themes"),
    [
        (False, TWO),
        pytest.param(True, TWO[:1], marks=pytest.mark.slow),
        pytest.param(False, (), marks=pytest.mark.slow),
    ],
    ids=["two themes", "no colours", "every theme"],
)
async def test_every_text_of_every_screen_can_be_read(
    no_color: bool, themes: tuple[str, ...], tmp_path: Path, toy_installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    first, second = record_run(tmp_path), record_run(tmp_path, 1)
    async with opened(tmp_path, (120, 35)) as (app, pilot):
        seen = 0

        async def look(where: str) -> None:
            nonlocal seen
            for theme in themes or app.available_themes:
                app.theme = theme
                await pilot.pause()
                for text, share in texts(app):
                    assert share >= LEAST - 0.01, f"{where}, {theme}: {text!r} has a contrast of {share:.2f}"
                    seen += 1

        for key in "1234":
            await press(pilot, key)
            await look(f"area {key}")
        app.theme = TWO[0]
        app.open_launch("toy")
        await until(pilot, lambda: len(list(texts(app))) > 20)
        await look("the form")
        app.open_run(RunFolder(first.path))
        for key in "cslmoe":
            await press(pilot, key)
            await look(f"a run, {key}")
        await press(pilot, "question_mark")
        await look("help")
        await press(pilot, "escape")
        app.open_compare([RunFolder(first.path), RunFolder(second.path)])
        await pilot.pause()
        await look("compare")
        app.notify("something is wrong", title="title", severity="error")
        await pilot.pause()
        await look("a notice")
        assert seen > 500


def texts(app: DlkitApp) -> Iterator[tuple[str, float]]:
    """What is written on the screen, and its contrast, where both colours are known."""
    for strip in app.screen._compositor.render_strips():
        for text, style, _ in strip:
            if style is None or style.color is None or style.bgcolor is None or not any(map(str.isalnum, text)):
                continue
            one, other = style.color.triplet, style.bgcolor.triplet
            if one is not None and other is not None:
                assert not style.dim, text
                yield text, contrast(tuple(one), tuple(other))

"""Samples as widgets, and the pane that goes through a run's steps."""

from __future__ import annotations

import base64
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widget import Widget

from dlkit.events import Sampled, SampleRef
from dlkit.runs.folder import RunFolder
from dlkit.samples import (
    Box,
    Boxes,
    ConfusionMatrix,
    Curve,
    Images,
    Marks,
    Pairs,
    Plane,
    Sample,
    Scatter,
    Shaded,
    Table,
    Text,
    save,
)
from dlkit.tui.run import playing
from dlkit.tui.run.playing import Player
from dlkit.tui.run.samples import KEPT, SamplesPane, Scrubber
from dlkit.tui.sample import outlines, pictures, read, widgets
from dlkit.tui.sample.browser_picture import BrowserPicture
from dlkit.tui.sample.picture import filled, in_cells, padded, picture, rgba, scale_to, scaled
from dlkit.tui.sample.view import PictureLine, SampleView
from dlkit.tui.shared import settings, terminal
from dlkit.tui.shared.terminal import BROWSER, HALF_CELLS, KITTY, SIXEL, Pictures, understand
from waiting import LONG

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)
KINDS: dict[str, Sample] = {
    "images": Images(name="digits", images=np.stack([GREY] * 5), captions=["one", "two → 3", "", "4", "5"],
                     good=[True, False, True, True, False]),
    "boxes": Boxes(name="boxes", image=np.zeros((40, 60, 3), np.uint8),
                   boxes=[Box(corners=(2, 2, 20, 20), label="cat", role="true"),
                          Box(corners=(3, 3, 22, 90), label="dog", score=0.5)]),
    "text": Text(name="text", prompt="once upon", text="a time [bold]there[/bold] was"),
    "shaded": Shaded(name="shaded", pieces=["[bold]", "two\n", "three"], values=[0.1, 0.9, float("nan")], unit="bits"),
    "pairs": Pairs(name="pairs", headers=["source", "model"], rows=[["the long cat " * 20, "le chat"], ["short"]]),
    "table": Table(name="table", headers=["what", "value"], rows=[["a", 1.23456], ["b", 2]]),
    "curve": Curve(name="curve", x=[0, 1, 2], lines={"true": [0, 1, 4], "predicted": [0, 2, float("nan")]}),
    "confusion": ConfusionMatrix(name="confusion", classes=["cat", "dog"], counts=[[8, 2], [0, 10]],
                                 images=np.stack([GREY] * 2), cells=[(0, 1), (0, 1)], captions=["60%", "70%"]),
    "scatter": Scatter(name="scatter", x=[0, 1, 2], y=[3, 4, 5], labels=["a", "b", "a"]),
    "plane": Plane(name="plane", image=np.stack([GREY] * 3, axis=2), x_range=(-1, 1), y_range=(0, 2), note="a note",
                   marks=[Marks(x=[0], y=[1], colour=(255, 0, 0), name="here")]),
}  # fmt: skip


class Shown(App[None]):
    """A pane alone."""

    def __init__(self, pane: Widget, view: Any = None) -> None:
        super().__init__()
        self.pane, self.view = pane, view

    def on_mount(self) -> None:
        if isinstance(self.pane, SamplesPane):
            self.pane.show(self.view)

    def compose(self) -> ComposeResult:
        yield self.pane


@pytest.fixture(autouse=True)
def fresh_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal.PICTURES, "chosen", terminal.AUTO)
    monkeypatch.setattr(terminal.PICTURES, "found", HALF_CELLS)


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline, screen(pilot.app)
        await pilot.pause(0.01)


def screen(app: App[Any]) -> str:
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)


# One sample


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(80, 24), (30, 8), (160, 50)])
async def test_every_kind_is_shown_in_any_room(kind: str, size: tuple[int, int]) -> None:
    app = Shown(view := SampleView())
    async with app.run_test(size=size) as pilot:
        view.show([KINDS[kind]])
        await pilot.pause()
        shown = screen(app)
        assert KINDS[kind].name in shown and "cannot be shown" not in shown
        expected = {"images": "✗ two", "boxes": "true cat", "text": "[bold]there[/bold]", "pairs": "le chat",
                    "shaded": "two↵", "table": "1.235", "confusion": "80%", "curve": "true", "scatter": "a",
                    "plane": "● here"}  # fmt: skip
        if size != (30, 8):
            assert expected[kind] in shown
            assert kind != "pairs" or "model" in shown


async def test_mistakes_boxes_and_prompts_are_told_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = Shown(view := SampleView())
    async with app.run_test(size=(80, 60)) as pilot:
        view.show([KINDS["images"], KINDS["boxes"], KINDS["text"], KINDS["plane"], KINDS["curve"]])
        await pilot.pause()
        view.scroll_end(animate=False)
        await pilot.pause()
        shown = screen(app)
        assert "given" in shown and "written by the model" in shown
        assert "* true" in shown and "o predicted" in shown
    lines = {(role.line, role.upright) for role in outlines.ROLES.values()}
    assert len(lines) == len(outlines.ROLES)


async def test_a_sample_that_a_plugin_filled_wrongly_is_a_line(tmp_path: Path) -> None:
    wrong = Images(name="broken", images=np.zeros((0,), np.uint8))
    app = Shown(view := SampleView())
    async with app.run_test(size=(80, 24)) as pilot:
        view.show([wrong, Curve(name="odd", x=[1, 2, 3], lines={"y": [1]}), KINDS["table"]])
        await pilot.pause()
        assert "odd" in screen(app) and screen(app).count("cannot be shown") >= 1
        assert "1.235" in screen(app)


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.samples.mkdir()
    (run.samples / "torn.json").write_text('{"kind": "tab')
    (run.samples / "newer.json").write_text('{"kind": "hologram", "name": "x"}')
    (run.samples / "list.json").write_text("[1]")
    save(KINDS["images"], run.samples, "gone")
    (run.samples / "gone.png").unlink()
    (run.samples / "cut.json").write_text('{"kind": "table", "name": "t"}')
    for name in ("torn", "newer", "list", "gone", "cut", "absent"):
        told = read(run, f"samples/{name}.json")
        assert isinstance(told, str) and told.startswith(f"{name}.json cannot be shown: ")
    assert "not a kind of sample" in str(read(run, "samples/newer.json"))


# Pictures


@given(st.integers(1, 300), st.integers(1, 300), st.integers(1, 200), st.integers(1, 200))
def test_a_picture_fits_and_keeps_its_shape(height: int, width: int, room_width: int, room_height: int) -> None:
    factor = scale_to(height, width, (room_width, room_height))
    made = scaled(rgba(np.zeros((height, width), np.uint8)), factor)
    assert made.shape[0] <= max(1, room_height) and made.shape[1] <= max(1, room_width)
    if factor >= 1:
        assert factor == int(factor) and made.shape[:2] == (height * factor, width * factor)
        assert min(room_width // width, room_height // height) == factor
    else:
        assert abs(made.shape[0] - height * factor) <= 1 and abs(made.shape[1] - width * factor) <= 1


@given(st.integers(1, 100), st.integers(1, 100), st.integers(1, 200), st.integers(1, 200))
def test_one_picture_fills_the_room_in_its_proportions(height: int, width: int, across: int, high: int) -> None:
    made = filled(rgba(np.zeros((height, width), np.uint8)), (across, high))
    factor = min(across / width, high / height)
    assert abs(made.shape[0] - height * factor) <= 1 and abs(made.shape[1] - width * factor) <= 1
    assert made.shape[0] <= max(1, high) and made.shape[1] <= max(1, across)


@given(
    st.integers(1, 40), st.integers(1, 64), st.integers(1, 64), st.integers(16, 160), st.integers(4, 50),
    st.sampled_from([(1, 2), (10, 20), (9, 17)]), st.integers(0, 20),
)  # fmt: skip
def test_a_grid_is_never_wider_than_the_room(
    count: int, height: int, width: int, columns: int, lines: int, grain: tuple[int, int], caption: int
) -> None:
    sample = Images(name="x", images=np.zeros((count, height, width), np.uint8))
    across, tile, factor = pictures.arrange(sample, Size(columns, lines), grain, caption)
    assert 1 <= across <= min(count, sample.columns)
    assert across * (tile.width + 1) - 1 <= columns
    assert round(width * factor) <= tile.width * grain[0] and round(height * factor) <= tile.height * grain[1]


@pytest.mark.parametrize("columns", [4, 8, 10])
@given(st.integers(20, 200), st.integers(8, 60), st.sampled_from([(1, 2), (9, 17)]))
def test_what_belongs_to_a_row_stands_in_rows_of_its_own(
    columns: int, width: int, lines: int, grain: tuple[int, int]
) -> None:
    """Of many steps each begins at the left."""
    captions = ["step 1", *[""] * (columns - 1)] * 3
    sample = Images(name="x", images=np.zeros((3 * columns, 8, 8), np.uint8), captions=captions, columns=columns)
    across, _, _ = pictures.arrange(sample, Size(width, lines), grain, 6)
    assert columns % across == 0


def test_boxes_with_one_corner_are_all_called() -> None:
    found = [Box(corners=(4, 4, 30, 30), role=role) for role in ("true", "false")]
    letters = outlines.in_letters(found, 1.0, rgba(np.zeros((40, 40), np.uint8)), Size(40, 20))
    assert "".join(letters[x, 2] for x in range(4, 8)) == "T1F2"


def test_small_digits_are_enlarged_by_whole_pixels() -> None:
    sample = Images(name="one", images=GREY[None])
    across, tile, factor = pictures.arrange(sample, Size(80, 20), (1, 2), 0)
    assert (across, factor) == (1, 5.0) and tile == Size(40, 20)


def test_padding_is_background() -> None:
    full = padded(rgba(GREY), in_cells(rgba(GREY), (3, 5)), (3, 5))
    assert full.shape == (10, 9, 4) and not full[8:, :, 3].any() and full[:8, :8, 3].all()


@pytest.mark.parametrize(("role", "share"), [("true", 1.0), ("predicted", 4 / 6), ("missed", 1 / 2), ("false", 1 / 3)])
def test_roles_of_boxes_differ_in_their_dashes(role: str, share: float) -> None:
    image = rgba(np.zeros((61, 61), np.uint8))
    outlines.draw(image, Box(corners=(0, 0, 60, 60), role=role), 1.0)
    top = image[0, :60, :3].any(1).mean()
    assert top == pytest.approx(share, abs=0.05)
    assert not image[30, 30, :3].any()


@pytest.mark.parametrize("ground", [0, 127, 255])
@pytest.mark.parametrize("way", [HALF_CELLS, SIXEL])
async def test_boxes_stand_out_without_colour(monkeypatch: pytest.MonkeyPatch, ground: int, way: str) -> None:
    """On any picture: white on black, told apart by their lines and called as the list calls them."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(terminal.PICTURES, "chosen", way)
    made: list[Any] = []

    def kept(*given: Any) -> Widget:
        made.append(given)
        return picture(*given)

    monkeypatch.setattr(pictures, "picture", kept)
    found = [Box(corners=(5 + 20 * n, 5, 20 + 20 * n, 35), role=role) for n, role in enumerate(outlines.ROLES)]
    app = Shown(view := SampleView())
    async with app.run_test(size=(120, 35)) as pilot:
        view.show([Boxes(name="boxes", image=np.full((40, 90, 3), ground, np.uint8), boxes=found)])
        await pilot.pause()
        shown = screen(app)
    signs = ("T1 true", "P2 predicted", "M3 missed", "F4 false")
    assert all(sign in shown for sign in signs)
    if way == HALF_CELLS:
        assert all(shown.count(sign[:2]) == 2 for sign in signs), shown
        assert all(role.upright in shown for role in outlines.ROLES.values())
        return
    (drawn, *_), *_ = made
    across = drawn[drawn.shape[0] // 2, :, 0]
    assert np.sum(np.diff((across == 0).astype(int)) == 1) >= 4 and {0, 255} <= set(across.tolist())


def test_a_box_outside_of_the_image_is_drawn_at_its_edge() -> None:
    image = rgba(np.zeros((10, 10), np.uint8))
    outlines.draw(image, Box(corners=(-5, 3, 400, float("nan")), role="true"), 1.0)
    assert image[:, :, :3].any()


def test_what_the_terminal_says_decides() -> None:
    cases = [
        (b"\x1b[?62;4;22c", "xterm", SIXEL), (b"\x1b[?62;22c", "xterm", HALF_CELLS), (b"", "xterm", HALF_CELLS),
        (b"", "xterm-kitty", KITTY), (b"\x1b[6;18;9t\x1b[?1;2;4c", "tmux-256color", SIXEL),
        (b"typed\x1b[?4;1c", "xterm", HALF_CELLS), (b"\x1bP>|kitty(0.26.5)\x1b\\\x1b[?62;c", "xterm-kitty", HALF_CELLS),
        (b"\x1bP>|kitty(0.28.0)\x1b\\\x1b[?62;c", "xterm-kitty", KITTY), (b"", "xterm-ghostty", KITTY),
    ]  # fmt: skip
    for answer, name, way in cases:
        found = Pictures()
        understand(answer, {"TERM": name}, found)
        assert found.way == way
        assert found.cell == ((9, 18) if b"[6;" in answer else (10, 20))


async def test_a_key_goes_through_the_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = StringIO()  # Kitty's images go to the terminal itself
    monkeypatch.setattr(sys, "__stdout__", sent)
    pane, view = make(tmp_path, {10: {"digits": KINDS["images"]}})
    app = Shown(pane, view)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.focus()
        await until(pilot, lambda: "one" in screen(app))
        line = pane.query_one(PictureLine)
        said = []
        for _ in terminal.WAYS:
            await pilot.press("i")
            await pilot.pause()
            said.append(str(line.content).split(" · ")[0])
            assert ("\x1bP" in screen(app)) == (said[-1] == "pictures: sixel")
            assert ("\x1b_G" in sent.getvalue()) == bool(said)
            assert "cannot be shown" not in screen(app)
        assert said == ["pictures: kitty", "pictures: sixel", "pictures: half-cells", "pictures: auto (half-cells)"]


async def test_a_page_is_sent_the_pixels_of_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal.PICTURES, "chosen", terminal.AUTO)
    terminal.PICTURES.choose(BROWSER)
    sent: list[tuple[int, int, int, str]] = []
    app = Shown(view := SampleView())
    async with app.run_test(size=(80, 24)) as pilot:
        monkeypatch.setattr(type(app._driver), "send_picture", lambda _, *told: sent.append(told), raising=False)
        view.show([Images(name="one", images=np.full((1, 8, 8), 90, np.uint8))])
        await until(pilot, lambda: sent)
        (picture,) = view.query(BrowserPicture)
        number, columns, rows, png = sent[0]
        assert (number, columns, rows) == (picture.number, picture.size.width, picture.size.height)
        with Image.open(BytesIO(base64.b64decode(png))) as image:
            assert image.size == (columns * 10, rows * 20) and image.getpixel((5, 5)) == (90, 90, 90)
        cells = [
            (s.style.color.triplet, s.style.bgcolor.triplet)
            for y in range(rows) for s in picture.render_line(y) if s.style and s.style.color and s.style.bgcolor
        ]  # fmt: skip
        codes = [on.red << 16 | on.green << 8 | on.blue for _, on in cells if on]
        assert codes == [y << 12 | x for y in range(rows) for x in range(columns)]
        assert {ink.red << 16 | ink.green << 8 | ink.blue for ink, _ in cells if ink} == {number}
    ways = []
    for _ in range(2):
        terminal.PICTURES.next()
        ways.append(terminal.PICTURES.way)
    assert ways == [HALF_CELLS, BROWSER], "a page has no other way"


# The pane


def make(folder: Path, steps: Mapping[int, Mapping[str, Sample]], state: str = "running") -> tuple[SamplesPane, Any]:
    """A pane and the view that it was given: samples by step and name."""
    run = RunFolder(folder)
    run.samples.mkdir(exist_ok=True)
    run.config.write_text('[engine]\nsample_every = "5 epochs"\n')
    sampled = []
    for step, made in steps.items():
        refs = [
            SampleRef(kind=s.kind, name=name, title="", file="samples/" + save(s, run.samples, f"{step}-{name}"))
            for name, s in made.items()
        ]
        sampled.append(Sampled(step=step, samples=refs))
    view = SimpleNamespace(run=run, state=state, sampled=tuple(sampled))
    pane = SamplesPane()
    return pane, view


def said(step: int) -> dict[str, Sample]:
    return {"first": Text(name="first", text=f"first at {step}"), "second": Text(name="second", text=f"second {step}")}


async def press(pilot: Pilot[Any], key: str, expected: str) -> None:
    await pilot.press(key)
    await until(pilot, lambda: expected in screen(pilot.app))


async def test_steps_and_names_are_gone_through(tmp_path: Path) -> None:
    pane, view = make(tmp_path, {step: said(step) for step in (0, 600, 1200)})
    app = Shown(pane, view)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.focus()
        await until(pilot, lambda: "first at 1200" in screen(app))
        assert "step 1 200 · 3 of 3" in screen(app) and "newest" in screen(app)
        await press(pilot, "left", "first at 600")
        assert "2 of 3" in screen(app) and "newest" not in screen(app)
        await press(pilot, "down", "second 600")
        await press(pilot, "less_than_sign", "second 0")
        await press(pilot, "left", "second 0")
        await press(pilot, "end", "second 1200")
        await press(pilot, "home", "second 0")
        await press(pilot, "up", "first at 0")
        await press(pilot, "full_stop", "first at 1200")


async def test_the_newest_is_followed_until_somebody_goes_back(tmp_path: Path) -> None:
    steps: dict[int, dict[str, Sample]] = {0: said(0), 5: said(5)}
    pane, view = make(tmp_path, steps)
    app = Shown(pane, view)

    def more(step: int) -> None:
        steps[step] = said(step)
        pane.show(make(tmp_path, steps)[1])

    async with app.run_test(size=(80, 24)) as pilot:
        pane.focus()
        await until(pilot, lambda: "first at 5" in screen(app))
        more(10)
        await until(pilot, lambda: "first at 10" in screen(app))
        await press(pilot, "left", "first at 5")
        more(15)
        await until(pilot, lambda: "2 of 4" in screen(app))
        assert "first at 5" in screen(app) and pane.step == 5
        del steps[15], steps[10], steps[5]  # a resume made them void
        more(3)
        await until(pilot, lambda: "first at 3" in screen(app))
        assert pane.following


async def test_steps_are_played_tiled_and_enlarged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "SPEEDS", (0.01, 0.02, 0.03, 0.04, 0.05))  # the test is the clock
    grid = {step: {"digits": Images(name="digits", images=np.full((3, 8, 8), step, np.uint8))} for step in (0, 50, 99)}
    pane, view = make(tmp_path, grid)
    app = Shown(pane, view)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.focus()
        await until(pilot, lambda: "step 99 · 3 of 3" in screen(app) and "digits" in screen(app))
        await press(pilot, "space", "▶")
        assert not pane.following and pane._player.told == "▶ 0.03/s"
        await pilot.press("plus", "plus", "minus")
        assert pane._player.told == "▶ 0.04/s" and settings.kept("playing-speed", 0.0) == 0.04
        assert Player(pane, lambda: False)._speed == 3, "remembered"
        for told in ("1 of 3", "2 of 3", "3 of 3"):
            await until(pilot, lambda told=told: told in screen(app) and pane._shown in pane._kept)
            pane._player._tick()
        await until(pilot, lambda: pane.following and "▶" not in screen(app))
        await press(pilot, "space", "▶")
        await pilot.press("space")
        await until(pilot, lambda: "▶" not in screen(app))
        await press(pilot, "end", "3 of 3")
        await press(pilot, "t", "a row a step")
        assert all(f"step {step}" in screen(app) for step in grid)
        await pilot.press("escape")
        await until(pilot, lambda: "a row a step" not in screen(app))
        await press(pilot, "enter", "image 1 of 3")
        assert app.screen.maximized is pane
        await press(pilot, "down", "image 2 of 3")
        await press(pilot, "left", "step 50")
        assert "image 2 of 3" in screen(app), "the same image at another step"
        await pilot.press("escape")
        await until(pilot, lambda: "image 2" not in screen(app))
        assert app.screen.maximized is None


async def test_boxes_are_filtered_and_samples_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = [Box(corners=(1, 1, 9, 9), label=role, role=role) for role in ("true", "missed", "false")]
    boxes = Boxes(name="worst", image=np.zeros((20, 30), np.uint8), boxes=found)
    pane, view = make(tmp_path, {0: {"worst": boxes}, 5: {"worst": boxes}})
    app = Shown(pane, view)
    async with app.run_test(size=(120, 35)) as pilot:
        pane.focus()
        await until(pilot, lambda: "true true" in screen(app))
        await press(pilot, "f", "missed and false: 2 of 3 boxes")
        assert "true true" not in screen(app)
        await press(pilot, "f", "missed: 1 of 3 boxes")
        assert "false false" not in screen(app)
        await pilot.press("f", "f")
        await until(pilot, lambda: "true true" in screen(app))
        await press(pilot, "w", "a page with a slider")
        await pilot.press("enter")
        film = tmp_path / f"{pane.run.id if pane.run else ''}-samples" / "worst.gif"
        await until(pilot, film.exists)


async def test_a_cell_opens_its_images(tmp_path: Path) -> None:
    pane, view = make(tmp_path, {0: {"confusion": KINDS["confusion"]}})
    app = Shown(pane, view)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.focus()
        await until(pilot, lambda: "rows true, columns predicted" in screen(app))
        await press(pilot, "enter", "cat, taken for dog: 2 of 10")
        assert "✗ 70%" in screen(app)
        await press(pilot, "down", "rows true, columns predicted")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen.maximized is None)
        lines = screen(app).splitlines()
        row = next(place for place, line in enumerate(lines) if " cat " in line and "80%" in line)
        await pilot.click(offset=(lines[row].index("2"), row))
        await until(pilot, lambda: "cat, taken for dog" in screen(app))


async def test_the_mouse_moves_the_slider_and_chooses_names(tmp_path: Path) -> None:
    pane, view = make(tmp_path, {step: said(step) for step in range(5)})
    app = Shown(pane, view)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "first at 4" in screen(app))
        line = screen(app).splitlines()[0]
        await pilot.click(Scrubber, offset=(line.index("├") + 1, 0))
        await until(pilot, lambda: "first at 0" in screen(app))
        await pilot.mouse_down(Scrubber, offset=(line.index("├") + 1, 0))
        middle = (line.index("├") + line.index("┤")) // 2
        await pilot.hover(Scrubber, offset=(middle, 0))
        await pilot.mouse_up(Scrubber, offset=(middle, 0))
        await until(pilot, lambda: "first at 2" in screen(app))
        names = screen(app).splitlines()[1]
        await pilot.click(offset=(names.index("second"), 1))
        await until(pilot, lambda: "second 2" in screen(app))


async def test_damaged_samples_are_lines_and_the_rest_goes_on(tmp_path: Path) -> None:
    pane, view = make(tmp_path, {0: said(0), 1: said(1)})
    (tmp_path / view.sampled[1].samples[0].file).write_text("{")
    app = Shown(pane, view)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.focus()
        await until(pilot, lambda: "1-first.json cannot be shown" in screen(app))
        await press(pilot, "left", "first at 0")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("running", ["after 5 epochs", "a asks for some now"]),
        ("completed", ["none were made"]),
    ],
)
async def test_without_samples_it_says_when_they_come(tmp_path: Path, state: str, expected: Sequence[str]) -> None:
    pane, view = make(tmp_path, {}, state)
    app = Shown(pane, view)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.focus()
        await until(pilot, lambda: all(text in screen(app) for text in expected))
        for key in ("left", "right", "home", "end", "up", "down", "i"):
            await pilot.press(key)
        await pilot.pause()
        assert pane.step == -1


async def test_what_was_loaded_is_kept_but_not_all_of_it(tmp_path: Path) -> None:
    pane, view = make(tmp_path, {step: said(step) for step in range(KEPT + 4)})
    app = Shown(pane, view)
    async with app.run_test(size=(80, 24)) as pilot:
        pane.focus()
        for step in reversed(range(KEPT + 4)):
            await until(pilot, lambda step=step: f"first at {step}" in screen(app))
            await pilot.press("left")
        assert len(pane._kept) == KEPT
        for file in (tmp_path / "samples").iterdir():
            file.unlink()
        await press(pilot, "right", "first at 1")


def test_texts_of_models_cannot_steer_the_terminal() -> None:
    steering = Text(name="x", prompt="\x1b]0;title\x07", text="\x1b[2J\x07gone")
    made = widgets(steering, Size(80, 20), Pictures(), colour=True)
    console = Console(width=80, file=None)
    with console.capture() as captured:
        for widget in made:
            console.print(getattr(widget, "content", ""))
    assert "\x1b[2J" not in captured.get() and "\x07" not in captured.get()

"""Whatever its size and colours were before, a screen looks like one that was opened just now."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from at_length import at_length
from dlkit.events import Sampled, SampleRef
from dlkit.monitor.form import Form
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, save
from dlkit.tui.app import DlkitApp
from dlkit.tui.compare.screen import CompareScreen
from dlkit.tui.home.screen import HomeScreen
from dlkit.tui.launch.screen import LaunchScreen
from dlkit.tui.playground.screen import PlaygroundScreen
from dlkit.tui.queue.screen import QueueScreen
from dlkit.tui.run.screen import PANES, RunScreen
from dlkit.tui.runs.screen import RunsScreen
from dlkit.tui.sample import view as sample_view
from dlkit.tui.sample.view import SampleView
from dlkit.tui.shared.terminal import HALF_CELLS, SIXEL, Pictures
from recorded import record_run, write_events
from screens import opened, press, until

Make = Callable[[], Screen[None]]
THEMES = ("textual-dark", "textual-light", "nord", "solarized-light")
SIZES = ((80, 24), (120, 35), (160, 50), (44, 12), (200, 24), (60, 60))
NOON = 1_790_000_000.0


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[RunFolder]:
    """Two, one of them with a sample; nothing that is said of their age changes."""
    monkeypatch.setattr(time, "time", lambda: NOON)
    found = [record_run(tmp_path, number) for number in (1, 2)]
    pixels = np.arange(192, dtype=np.uint8).reshape(3, 8, 8)
    file = save(Images(name="digits", images=pixels, captions=["a", "b", "c"]), found[0].samples, "step-00000100")
    ref = SampleRef(kind="images", name="digits", title="digits", file=f"samples/{file}")
    write_events(found[0], [Sampled(step=100, samples=[ref])], 20)
    return found


def makers(runs: list[RunFolder]) -> dict[str, Make]:
    def run() -> Screen[None]:
        return RunScreen(runs[0])

    return {
        "home": HomeScreen, "runs": RunsScreen, "queue": QueueScreen, "playground": PlaygroundScreen,
        "launch": lambda: LaunchScreen(Form("toy")), "compare": lambda: CompareScreen(runs),
        **dict.fromkeys(PANES, run),
    }  # fmt: skip


def picture(app: DlkitApp) -> list[list[tuple[str, str]]]:
    """Every cell with its style, but of lines that tell what the machine is at this moment."""
    strips = [strip for strip in app.screen._compositor.render_strips() if " memory " not in strip.text]
    return [[(sign, str(segment.style)) for segment in strip for sign in segment.text] for strip in strips]


def lines(picture: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(sign for sign, _ in line) for line in picture]


async def settled(pilot: Pilot[None], app: DlkitApp) -> list[list[tuple[str, str]]]:
    """The picture once nothing works at another one, and it stays as it is for eight looks."""
    seen = [picture(app)]

    def stays() -> bool:
        seen.append(picture(app))
        idle = all(worker.is_finished for worker in app.workers)
        return idle and len(seen) > 8 and all(one == seen[-1] for one in seen[-8:])

    await until(pilot, stays)
    return seen[-1]


async def show(pilot: Pilot[None], app: DlkitApp, name: str, make: Make) -> None:
    app.push_screen(make())
    await until(pilot, lambda: app.screen.is_mounted)
    if name in PANES:
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.view.version)
        await screen.action_pane(name)
    await pilot.pause()


async def walk(pilot: Pilot[None], app: DlkitApp, chance: random.Random, turns: int) -> None:
    """Other sizes and other themes, looked at in between or not."""
    for _ in range(turns):
        if chance.random() < 0.3:
            app.theme = chance.choice(THEMES)
        else:
            size = chance.choice((*SIZES, (chance.randint(30, 180), chance.randint(8, 60))))
            await pilot.resize_terminal(*size)
        if chance.random() < 0.7:
            await pilot.pause()


async def compared(runs: list[RunFolder], seed: int, turns: int, *names: str) -> None:
    chance = random.Random(seed)
    async with opened(runs[0].path.parent.parent) as (app, pilot):
        app.animation_level = "none"
        for name, make in makers(runs).items():
            if names and name not in names:
                continue
            await show(pilot, app, name, make)
            await settled(pilot, app)
            await walk(pilot, app, chance, turns)
            old = await settled(pilot, app)
            await show(pilot, app, name, make)
            new = [picture(app)]

            def equal(old=old, new=new) -> bool:  # type: ignore[no-untyped-def]
                new[0] = picture(app)
                return bool(new[0] == old)

            try:
                await until(pilot, equal)
            except AssertionError:
                apart = [(one, other) for one, other in zip(lines(old), lines(new[0]), strict=False) if one != other]
                raise AssertionError(f"{name}, resized to {app.size}, {app.theme}: {apart[:5]}") from None
            app.pop_screen()
            app.pop_screen()
            await pilot.pause()


async def test_screens_that_draw_look_as_if_opened_now(runs: list[RunFolder]) -> None:
    await compared(runs, 0, 3, "home", "compare", "curves", "samples")


@at_length
@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
async def test_every_screen_resized_at_random_looks_as_if_opened_now(
    toy_installed: Path, runs: list[RunFolder], seed: int
) -> None:
    await compared(runs, seed, 10)


async def test_an_enlarged_chart_is_drawn_for_its_width(runs: list[RunFolder]) -> None:
    """Of the same height as before, by a key and by the terminal."""
    async with opened(runs[0].path.parent.parent, (160, 24)) as (app, pilot):
        await show(pilot, app, "curves", lambda: RunScreen(runs[0]))
        for act in (
            lambda: press(pilot, "enter"),
            lambda: press(pilot, "enter"),
            lambda: pilot.resize_terminal(100, 24),
        ):
            await act()
            await settled(pilot, app)
            for chart in app.screen.query("Chart"):
                if chart.display:
                    axis = [strip.text.rstrip() for strip in chart.render_lines(chart.size.region) if "└" in strip.text]
                    assert [len(text) for text in axis] == [chart.size.width]


async def test_pictures_shown_another_way_elsewhere(monkeypatch: pytest.MonkeyPatch, runs: list[RunFolder]) -> None:
    way = Pictures(chosen=SIXEL, cell=(8, 16))
    monkeypatch.setattr(sample_view, "PICTURES", way)
    async with opened(runs[0].path.parent.parent) as (app, pilot):
        await show(pilot, app, "samples", lambda: RunScreen(runs[0]))
        view = app.screen.query_one(SampleView)
        await until(pilot, lambda: len(view.query("Vertical > *")) > 2)
        assert not view.query("HalfCells")
        await app.screen.action_pane("curves")  # type: ignore[attr-defined]
        await until(pilot, lambda: not view.size)
        way.chosen = HALF_CELLS
        await app.screen.action_pane("samples")  # type: ignore[attr-defined]
        await until(pilot, lambda: view.query("HalfCells"))

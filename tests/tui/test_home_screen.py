"""The first screen: tasks, their data and runs, and plugins that do not work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import RichLog

from dlkit.catalog import GROUP, Catalog
from dlkit.events import Sampled, SampleRef
from dlkit.monitor.form import Form
from dlkit.monitor.form_check import check
from dlkit.monitor.task_list import best_of
from dlkit.runs.contents import save_sample
from dlkit.runs.folder import RunFolder, Summary
from dlkit.runs.lock import SUPERVISOR, WRITER, RunLock
from dlkit.samples import Text as TextSample
from dlkit.tui.home.detail import offers
from dlkit.tui.home.screen import BELOW
from dlkit.tui.shared import looked, settings
from dlkit.tui.shared.area import Area, TopLine
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.command_dialog import fraction
from dlkit.tui.shared.dialogs import TextDialog
from dlkit.tui.shared.fetch import FetchDialog
from dlkit.tui.shared.table import Table
from recorded import record_run, record_runs, write_events
from screens import notices, opened, press, shown, until
from toy import toy_catalog


async def test_first_start_shows_tasks_and_what_to_do(tmp_path: Path) -> None:
    async with opened(tmp_path / "none") as (app, pilot):
        await until(pilot, lambda: "regression" in shown(app) and "embedded" in shown(app))
        text = shown(app)
        assert (
            "classification" in text and "First minute: Enter opens the form · Enter trains · P asks the model" in text
        )
        await press(pilot, "r", "b")
        assert any("no run yet" in told for told in notices(app))
    assert not (tmp_path / "none").exists()


async def test_the_tour_goes_on_until_the_first_answer(tmp_path: Path) -> None:
    async with opened(tmp_path / "none", (80, 24)) as (app, pilot):
        await until(pilot, lambda: "First minute" in shown(app))
        await press(pilot, "enter")
        await until(pilot, lambda: shown(app).splitlines()[0].endswith("2 of 4: Enter trains"))
        run = record_run(tmp_path / "none")
        await until(pilot, lambda: bool(app.summaries))
        app.open_run(run)
        await until(pilot, lambda: shown(app).splitlines()[0].endswith("3 of 4: P asks the model"))
        await pilot.resize_terminal(120, 35)
        await until(pilot, lambda: shown(app).splitlines()[0].endswith("first minute, 3 of 4: P asks the model"))
        screen = app.screen
        assert isinstance(screen, Area)
        screen.end_tour(run.id)
        await until(pilot, lambda: shown(app).splitlines()[0].endswith(run.id))
        assert not app.touring
    async with opened(tmp_path / "none", (120, 35)) as (app, pilot):
        app.open_run(run)
        await until(pilot, lambda: shown(app).splitlines()[0].endswith(run.id))


async def test_what_a_task_can_be_trained_with_fills_the_room_there_is(tmp_path: Path) -> None:
    async with opened(tmp_path / "none", (160, 50)) as (app, pilot):
        await until(pilot, lambda: "model    cnn" in shown(app) and "dataset  " in shown(app))
        empty, longest = 0, 0
        for line in shown(app).splitlines():
            empty = 0 if line.strip() else empty + 1
            longest = max(longest, empty)
        assert longest < 10, "ten empty rows are never shown"


@given(st.integers(0, 30), st.integers(20, 120))
def test_what_is_offered_keeps_to_its_room(room: int, width: int) -> None:
    catalog = toy_catalog()
    parts = {part: catalog.specs(part, "toy") for part in ("model", "dataset")}
    count = sum(map(len, parts.values()))
    text = offers(parts, width, room).plain
    lines = text.splitlines()
    assert len(lines) == (0 if room < 3 else min(room, count))
    assert ("more" in text) is (3 <= room < count)


async def test_last_and_best_run_of_a_task(tmp_path: Path) -> None:
    for i, state in enumerate(("failed", "completed", "completed")):
        record_run(tmp_path, i, state=state, task="regression")
    async with opened(tmp_path, (120, 40)) as (app, pilot):
        await until(pilot, lambda: "task regression" in [row.key for row in app.screen.query_one(Table).rows])
        app.screen.query_one(Table).go_to("task regression")
        (row,) = [row for row in app.screen.query_one(Table).rows if row.key == "task regression"]
        assert row.cells["state"] == ("failed", "bold red") and row.cells["best"] == "0.3333 mse"
        await until(pilot, lambda: "failed, mse 1" in shown(app) and "completed, mse 0.3333" in shown(app))


async def test_what_runs_waits_and_has_ended_comes_first(tmp_path: Path) -> None:
    """How far and how good it is, and its newest sample; what was opened needs no telling again."""
    for number, name in enumerate(("old", "older"), 1):
        record_run(tmp_path, number, name=name)
    looked.keep(tmp_path)
    waits = record_run(tmp_path, 5, state="queued", name="next", job={"queued": True, **JOB})
    bad = record_run(tmp_path, -2, state="failed", name="bad")  # which ends in a minute, as seen from now
    alive = record_run(tmp_path, 4, state="interrupted", name="wide net")
    write_events(alive, [Sampled(step=100, samples=[save(alive)])], 50)
    with RunLock(alive.lock, WRITER), RunLock(alive.lock, SUPERVISOR):
        async with opened(tmp_path, (130, 40)) as (app, pilot):
            table = app.screen.query_one(Table)
            await until(pilot, lambda: keys(table)[:2] == ["#running", f"run {alive.id}"] and "█▃▂▁▁" in shown(app))
            assert table.key == f"run {alive.id}", "no heading has the cursor"
            expected = ["#waiting", f"run {waits.id}", "#ended since you looked", f"run {bad.id}", "#before that"]
            assert keys(table)[2:7] == expected
            await until(pilot, lambda: "a poem of the net" in shown(app))
            text = shown(app)
            assert "100 %" in text and "mse 0.2067" in text and "1 failed" in text and "loss is nan at step 100" in text
            await until(pilot, lambda: "starts next" in shown(app))
            await until(pilot, lambda: " %, memory " in shown(app).splitlines()[-2])
            assert len(text.splitlines()) == 40 and not table.show_vertical_scrollbar
            app.open_run(bad)
            await press(pilot, "escape", "1")
            await until(pilot, lambda: "#ended since you looked" not in keys(table))
            assert f"run {bad.id}" in keys(table), "among those that ended lately"
            await press(pilot, "G", "g")
            assert table.key == f"run {alive.id}" and table.scroll_offset.y == 0
            await press(pilot, "enter")
            await until(pilot, lambda: app.current_mode == "runs" and "wide net" in shown(app))
    assert settings.kept("looked", [])[-1][1] > time.time() - 60  # type: ignore[index]


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (160, 50)])
async def test_the_list_takes_the_lines_that_it_needs(tmp_path: Path, size: tuple[int, int]) -> None:
    """What is below has all the others, so that nothing between them is empty."""
    record_runs(tmp_path, 30)
    async with opened(tmp_path, size) as (app, pilot):
        table = app.screen.query_one(Table)
        await until(pilot, lambda: "task classification" in keys(table))
        await until(pilot, lambda: table.size.height == min(len(table.rows) + 1, size[1] - 3 - BELOW))
        below = app.screen.query_one("#below")
        assert below.region.y == table.region.bottom and below.region.bottom == size[1] - 2


def keys(table: Table) -> list[str]:
    return [row.key for row in table.rows]


def save(run: RunFolder) -> SampleRef:
    """A sample of a run, stored."""
    sample = TextSample(name="text", title="Written", text="a poem of the net")
    file = save_sample(run, sample, "step-00000100-text")
    return SampleRef(kind="text", name="text", title="Written", file=file)


JOB = {"since": 1.0, "priority": 0, "after": [], "device": "cpu", "nproc": 1, "gpu_memory": None}


async def test_a_broken_plugin_is_in_the_list_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {"dlkit": "dlkit.builtin", "toy": "toy", "torn": "missing_module_of_a_plugin"}
    catalog = Catalog([EntryPoint(name, module, GROUP) for name, module in modules.items()])
    catalog.load_all()
    monkeypatch.setattr(Catalog, "load_everything", classmethod(lambda cls, *chosen, **how: catalog))
    async with opened(tmp_path) as (app, pilot):
        await until(pilot, lambda: "broken" in shown(app))
        table = app.screen.query_one(Table)
        assert [row.key for row in table.rows] == ["task toy", "plugin torn"]
        await press(pilot, "G")
        await until(pilot, lambda: "The other plugins work" in shown(app))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, TextDialog))
        assert "ModuleNotFoundError" in shown(app)
        await press(pilot, "escape", "d")
        assert app.screen.query_one(Table) is table


async def test_what_a_plugin_did_to_the_process_is_in_the_list(
    tmp_path: Path, write_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(write_plugin("meddler", "import os\nos.environ['MEDDLED'] = 'yes'\n"))
    modules = {"dlkit": "dlkit.builtin", "toy": "toy", "meddler": "meddler_plugin"}
    catalog = Catalog([EntryPoint(name, module, GROUP) for name, module in modules.items()])
    catalog.load_all()
    monkeypatch.setattr(Catalog, "load_everything", classmethod(lambda cls, *chosen, **how: catalog))
    async with opened(tmp_path / "ws", (160, 40)) as (app, pilot):
        await until(pilot, lambda: "undone" in shown(app))
        await press(pilot, "G")
        await until(pilot, lambda: "meddled with the process" in shown(app) and "MEDDLED" in shown(app))
        assert "What it offers works" in shown(app)
    assert "MEDDLED" not in os.environ


async def test_what_a_plugin_offers_in_vain_is_in_the_list_with_its_file_and_reason(
    tmp_path: Path, toy_installed: Path, plant: Callable[..., str]
) -> None:
    package = plant({"odd.toml": "preset = ", "quick.toml": "preset = 'quick'\n[engine]\nepochs = 1\n"})
    async with opened(tmp_path / "ws", (160, 40)) as (app, pilot):
        await until(pilot, lambda: "faulty0 preset odd" in shown(app) and "faulty0 model linear" in shown(app))
        tasks, taken, preset = app.screen.query_one(Table).rows
        assert tasks.key == "task toy"
        for row, told in {
            taken.key: ("model linear", "model 'linear' for task 'toy' is already offered by plugin 'toy'"),
            preset.key: ("preset odd", f"preset file {package}:presets/odd.toml is broken: Invalid value"),
        }.items():
            app.screen.query_one(Table).go_to(row)
            await until(pilot, lambda told=told: f"cannot offer {told[0]}" in shown(app) and told[1] in shown(app))
            await press(pilot, "enter")
            assert isinstance(app.screen, TextDialog)
            assert all(text in shown(app) for text in told)
            await press(pilot, "escape")


async def test_the_list_means_by_default_what_the_form_takes(tmp_path: Path) -> None:
    async with opened(tmp_path / "none", (120, 35)) as (app, pilot):
        await until(pilot, lambda: "localization" in shown(app))
        table = app.screen.query_one(Table)
        for task in [row.key for row in table.rows]:
            table.go_to(task)
            await pilot.pause()
            (line,) = [line for line in shown(app).splitlines() if line.strip().startswith("default  ")]
            assert app.catalog is not None
            parts = {
                part.name: part.chosen for part in check(Form(task.removeprefix("task ")), app.catalog, tmp_path).parts
            }
            assert line.split("default  ")[1] == ", ".join(f"{part} {name}" for part, name in parts.items())


async def test_data_is_fetched_with_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a mirror that is a folder; what is wrong with it is shown, and nothing is lost."""
    (tmp_path / "mirror").mkdir()
    monkeypatch.chdir(tmp_path)  # a short path is not broken over two lines
    monkeypatch.setenv("DLKIT_MIRROR", "mirror")
    async with opened(tmp_path / "ws") as (app, pilot):
        await until(pilot, lambda: "classification" in shown(app))
        app.screen.query_one(Table).go_to("task classification")
        await press(pilot, "d")
        assert isinstance(app.screen, ChooseDialog), "181 MB are not fetched before one is asked"
        assert all(text in shown(app) for text in ("mnist", "11.6 MB", "cifar10", "170.1 MB", "all", "181.6 MB"))
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, FetchDialog))
        assert "Fetching mnist (11.6 MB)" in shown(app)
        await until(pilot, lambda: "failed; nothing is lost" in shown(app))
        assert "mirror" in shown(app)
        await press(pilot, "escape")
        assert app.screen.query_one(Table).key == "task classification"
        assert app.screen.query_one(TopLine).size.width == app.size.width  # Textual has styles for bars of progress


async def test_what_is_fetched_by_hand_does_not_keep_the_rest_from_being_downloaded(tmp_path: Path) -> None:
    async with opened(tmp_path / "ws") as (app, pilot):
        app.screen.query_one(Table).go_to("task autoencoder")
        await until(pilot, lambda: "lfwcrop: by hand" in shown(app))
        assert app.screen.query_one(Table).key == "task autoencoder"
        await press(pilot, "d")
        assert isinstance(app.screen, FetchDialog)
        assert "Fetching mnist (11.6 MB)" in shown(app)


async def test_nothing_that_a_download_says_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a source that is fetched by hand, it is what to do."""
    monkeypatch.chdir(tmp_path)  # a short path is not broken over two lines
    async with opened(tmp_path / "ws") as (app, pilot):
        dialog = FetchDialog(["lfwcrop"], 0, Path("ws"))
        await app.push_screen(dialog)
        await until(pilot, lambda: "failed; nothing is lost" in shown(app))
        said = " ".join(strip.text for strip in dialog.query_one(RichLog).lines)
        assert "lfwcrop/ offers into ws/data/lfwcrop" in " ".join(said.split())
        words = {word for strip in dialog.query_one(RichLog).lines for word in strip.text.split()}
        assert words <= set(shown(app).split())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mnist.gz: 3.0 of 12.0 MB", 0.25),
        ("a: b: 1.0 of 1.0 MB", 1.0),
        ("getting 3 of 4 files", None),
        ("", None),
        ("x: a of b MB", None),
    ],
)
def test_progress_lines(line: str, expected: float | None) -> None:
    assert fraction(line) == expected


def test_the_best_run_is_among_those_on_the_same_data() -> None:
    spec = toy_catalog().task("toy")
    runs = [
        Summary(id="c", metric="val/mse", best=0.5, dataset="plane"),
        Summary(id="b", metric="val/mse", best=0.1, dataset="other"),
        Summary(id="a", metric="val/mse", best=0.4, dataset="plane"),
        Summary(id="n", metric="val/mse", best=float("nan"), dataset="plane"),
        Summary(id="o", metric="val/other", best=0.0, dataset="plane"),
        Summary(id="z", metric="val/mse", dataset="plane"),
    ]
    found = best_of(runs, spec)
    assert found is not None and found.id == "a"
    assert best_of([], spec) is None

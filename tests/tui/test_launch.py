"""The launch form: started, queued, its data fetched first; where it cannot be."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button

from dlkit.catalog import Catalog
from dlkit.events import Finished
from dlkit.jobs.claims import hold
from dlkit.monitor.form import LAUNCHER, NAME, PRIORITY
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs
from dlkit.tui.app import DlkitApp
from dlkit.tui.launch.screen import LaunchScreen
from dlkit.tui.queue.screen import QueueScreen
from dlkit.tui.run.screen import RunScreen
from dlkit.tui.shared.dialogs import Confirm
from dlkit.tui.shared.table import Table
from forms import (
    ROWS,
    choose,
    command,
    launch,
    launch_toy,
    row,
    screen_of,
    settled,
    status,
    told,
    type_fast,
    type_in,
)
from screens import notices, opened, press, shown, until
from waiting import LONG
from workers import events_of

# Starting


async def test_enter_starts_it_and_the_run_is_shown(workspace: Path, quick: dict[str, str]) -> None:
    async with opened(workspace) as (app, pilot):
        await launch(app, pilot, "toy")
        assert app.focused is screen_of(app).query_one("#start")
        assert status(app) == "ready"
        await press(pilot, "slash")
        await type_fast(app, pilot, "launcher")
        await press(pilot, "enter")
        await until(pilot, lambda: app.focused is row(app, LAUNCHER).editor)
        await press(pilot, "right", "right")
        assert (await settled(app, pilot)).form.names == {"launcher": quick["name"]}
        assert "--launcher zygote" in command(app)
        await press(pilot, "escape")
        screen_of(app).query_one("#start").focus()
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until(pilot, lambda: "completed" in shown(app))
        (run,) = list_runs(workspace)
        (finished,) = events_of(RunFolder(workspace / "runs" / run.id), Finished)
        assert finished.status == "completed"
        await press(pilot, "1")
        assert not any(isinstance(screen, LaunchScreen) for screen in app.screen_stack)


async def test_ctrl_s_starts_from_a_field_with_what_was_typed_last(workspace: Path, quick: dict[str, str]) -> None:
    async with opened(workspace) as (app, pilot):
        await launch_toy(app, pilot)
        await type_in(app, pilot, NAME, "it's [b]mine[/b]")
        await type_in(app, pilot, "engine.epochs", "29")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        (run,) = list_runs(workspace)
        assert run.name == "it's [b]mine[/b]"
        assert "epochs = 29" in RunFolder(workspace / "runs" / run.id).config.read_text()


async def test_a_second_start_while_starting_does_nothing(workspace: Path, quick: dict[str, str]) -> None:
    async with opened(workspace) as (app, pilot):
        await launch_toy(app, pilot)
        for button in ("start", "start", "queue"):
            screen_of(app).query_one(f"#{button}", Button).press()
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await until(pilot, lambda: len(app.screen_stack) == 2)
        (run,) = list_runs(workspace)
        assert RunFolder(workspace / "runs" / run.id).read()["job"]["queued"] is False


async def test_a_start_that_ends_while_one_looks_elsewhere(workspace: Path, quick: dict[str, str]) -> None:
    """It takes nobody away from where they have gone."""
    async with opened(workspace) as (app, pilot):
        await launch_toy(app, pilot)
        screen_of(app).query_one("#start", Button).press()
        app.action_area("queue")
        await until(pilot, lambda: isinstance(app.screen, QueueScreen))
        await until(pilot, lambda: any(told.endswith(" is started") for told in notices(app)))
        assert isinstance(app.screen, QueueScreen)
        await press(pilot, "1")
        assert status(app) == "started"


async def test_ctrl_o_queues_it(workspace: Path, quick: dict[str, str]) -> None:
    with hold(("cpu",), run="somebody", workspace=workspace):
        async with opened(workspace) as (app, pilot):
            await launch_toy(app, pilot)
            await type_in(app, pilot, PRIORITY, "4")
            checked = await settled(app, pilot)
            assert (checked.priority, command(app)) == (4, "dlkit train toy --launcher zygote --queue --priority 4")
            await press(pilot, "ctrl+s")
            await until(pilot, lambda: told(app, "go with the queue"))
            assert status(app) == "ready"
            await press(pilot, "ctrl+o")
            await until(pilot, lambda: isinstance(app.screen, RunScreen))
            (run,) = list_runs(workspace)
            assert any(f"{run.id} is queued: " in told and "somebody" in told for told in notices(app))
            await press(pilot, "3")
            await until(pilot, lambda: [found.key for found in app.screen.query_one(Table).rows] == [run.id])
            await until(pilot, lambda: "1 waiting" in shown(app))
            assert RunFolder(workspace / "runs" / run.id).read()["job"]["priority"] == 4


# Data


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which the stranger's data is fetched; it is not there yet."""
    monkeypatch.delenv("DLKIT_OFFLINE", raising=False)
    monkeypatch.setenv("DLKIT_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "mirror"


async def test_data_is_fetched_and_then_the_run_starts(
    workspace: Path, quick: dict[str, str], stranger: None, mirror: Path
) -> None:
    """If one wants that; what goes wrong can be tried again."""
    async with opened(workspace) as (app, pilot):
        await launch_toy(app, pilot)
        await choose(app, pilot, "dataset", "fetched")
        assert status(app) == "data: 6 B to be downloaded first", shown(app)
        await press(pilot, "ctrl+o")
        await until(pilot, lambda: "Download rows (6 B) first?" in shown(app) and "Download and queue" in shown(app))
        await press(pilot, "n", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Confirm) and "Download and start" in shown(app))
        await press(pilot, "y")
        await until(pilot, lambda: "failed; nothing is lost" in shown(app))
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen))
        assert (status(app), list_runs(workspace)) == ("data: 6 B to be downloaded first", [])
        mirror.mkdir()
        (mirror / "rows.csv").write_bytes(ROWS)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await press(pilot, "y")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert (workspace / "data" / "rows" / "rows.csv").read_bytes() == ROWS
        assert [run.dataset for run in list_runs(workspace)] == ["fetched"]


# Where it cannot be


async def test_a_workspace_that_cannot_be_written(plugins: None) -> None:
    async with opened(Path("/proc/dlkit-workspace")) as (app, pilot):
        await launch(app, pilot, "toy")
        await press(pilot, "enter")
        await until(pilot, lambda: told(app, "cannot make a run"))
        assert (app.screen, status(app)) == (screen_of(app), "ready")


async def test_a_form_opened_before_the_plugins_are_loaded(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses Enter at once need not press it again."""
    go, load = threading.Event(), Catalog.load_everything

    def slowly(*arguments: Any, **how: Any) -> Catalog:
        assert go.wait(LONG)
        return load(*arguments, **how)

    monkeypatch.setattr(Catalog, "load_everything", slowly)
    app = DlkitApp(workspace)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.open_launch("toy")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen) and "loading the plugins" in shown(app))
        await press(pilot, "ctrl+y", "ctrl+g", "ctrl+r", "pagedown", "enter")
        assert "starts when the options are read" in status(app)
        assert not list_runs(workspace)
        go.set()
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert len(list_runs(workspace)) == 1

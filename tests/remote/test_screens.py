"""Another machine's runs in the interface: in its lists, on a run's screen, its orders given over there."""

from __future__ import annotations

from pathlib import Path

from dlkit.jobs.follow import state_now
from dlkit.remote.defined import Remote
from dlkit.runs.folder import RunFolder, summarise
from dlkit.tui.launch.screen import LaunchScreen
from dlkit.tui.launch.start_bar import StartBar
from dlkit.tui.run.screen import RunScreen
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.dialogs import Ask, Confirm
from live import live_run
from recorded import record_run
from screens import notices, opened, press, shown, until
from sshd import Sshd


async def test_a_run_there_is_watched_and_steered(box: Remote, workspace: Path, tmp_path: Path, reach: Sshd) -> None:
    own = record_run(tmp_path / "own")
    with live_run(workspace) as live:
        async with opened(tmp_path / "own", (110, 30)) as (app, pilot):
            await until(pilot, lambda: {run.id for run in app.summaries} == {own.id, f"box:{live.run.id}"})
            await press(pilot, "2")
            await until(pilot, lambda: "box:" in shown(app) and "2 runs" in shown(app))
            await press(pilot, "g", "enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.step > 0)
            screen = app.screen
            assert isinstance(screen, RunScreen)
            reach.drop()  # the connection drops, and comes again
            step = screen.view.step
            await until(pilot, lambda: screen.view.step > step)
            await press(pilot, "p")
            await until(pilot, lambda: any("paused at step" in text for text in notices(app)), "\n".join(notices(app)))
            assert state_now(live.run) == "paused"
            await until(pilot, lambda: screen.view.state == "paused")
            await press(pilot, "p")
            await until(pilot, lambda: any("goes on" in text for text in notices(app)))
            await press(pilot, "T")
            await until(pilot, lambda: isinstance(app.screen, Ask))
            await press(pilot, "a", "b", "enter")
            await until(pilot, lambda: summarise(live.run).tags == "ab")
            await press(pilot, "P")
            await until(pilot, lambda: any("checkpoints lie on box" in text for text in notices(app)))
            await until(pilot, lambda: screen.view.state == "running")
            await press(pilot, "x")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await press(pilot, "y")
            await until(pilot, lambda: state_now(live.run) == "stopped")
            await until(pilot, lambda: screen.view.state == "stopped")


async def test_the_form_starts_there(
    box: Remote, workspace: Path, tmp_path: Path, quick: dict[str, str], imported: None
) -> None:
    async with opened(tmp_path / "own", (110, 30)) as (app, pilot):
        app.open_launch("toy")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen) and app.screen.checked is not None)
        screen = app.screen
        screen._form.settings.update({"engine.epochs": "1"})
        screen.query_one("#machine").press()
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog) and "box" in shown(app))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: screen.query_one(StartBar).machine == "box")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "\n".join(notices(app)))
        (made,) = [path for path in (workspace / "runs").iterdir() if not path.name.startswith(".")]
        await until(pilot, lambda: state_now(RunFolder(made)) == "completed")
    assert not (tmp_path / "own").exists()

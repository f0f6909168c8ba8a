"""What else can be done with a run: by the command that does it anywhere, shown while it goes, ended by a key."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from asked import asked, recorded
from dlkit.cli.main import main
from dlkit.monitor import studies
from dlkit.monitor.run_tools import choices, tools_of
from dlkit.runs.contents import evaluations
from dlkit.runs.folder import RunFolder
from dlkit.tui.compare.screen import CompareScreen
from dlkit.tui.run.screen import RunScreen
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.command_dialog import CommandDialog, fraction
from installed import TESTS
from recorded import record_run
from screens import opened, press, shown, until
from toy import toy_run
from waiting import LONG


@pytest.fixture
def run(tmp_path: Path, toy_installed: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(toy_installed), str(TESTS)]))  # for the commands
    return toy_run(tmp_path / "ws")


def test_every_tool_is_a_command_that_works(run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tools = tools_of(run, tmp_path / "out")
    assert [name for name, _ in choices(tools)] == list(tools)
    assert main([*tools["evaluate test"].words]) == 0
    assert main([*tools["sample"].words]) == 0
    assert any((tmp_path / "out" / run.id / "samples").iterdir())
    assert main([*tools["report"].words]) == 0
    assert "<h1>" in (tmp_path / "out" / run.id / "report.html").read_text()
    assert [record["split"] for record in evaluations(run)] == ["test"]
    told = dict(choices(tools_of(run, tmp_path)))["evaluate test"]
    assert "Looked at before: once with this run" in told, "a look at test uses it up"


def test_how_far_a_line_says_it_is() -> None:
    assert fraction("evaluating: 12 of 48 batches") == 0.25
    assert fraction("mnist: 3.0 of 12.0 MB") == 0.25
    for line in ("", "1 of 2", "of MB", "note: 3 of 4 files", "1.2.3 of 4 MB"):
        assert fraction(line) is None


async def test_a_run_is_measured_from_its_screen(run: RunFolder, tmp_path: Path) -> None:
    async with opened(tmp_path / "ws", (100, 30)) as (app, pilot):
        app.open_run(run)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.version)
        await press(pilot, "w")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        assert all(word in shown(app) for word in ("evaluate test", "evaluate val", "sample", "export"))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, CommandDialog))
        await until(pilot, lambda: "done in" in shown(app) and "val/mse" in shown(app))
        await press(pilot, "escape", "l")
        await until(pilot, lambda: "evaluated on val" in shown(app))


async def test_runs_and_studies_are_reported_from_their_screens(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = record_run(tmp_path / "ws", 2)
    study = asked(tmp_path / "ws", "lr=0.1,0.2")
    recorded(study, {(0, 0): 1.0, (1, 0): 2.0})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(studies, "wake", lambda *_: False)
    async with opened(tmp_path / "ws", (100, 30)) as (app, pilot):
        app.open_compare([run, other])
        await until(pilot, lambda: isinstance(app.screen, CompareScreen) and app.screen.comparison is not None)
        await press(pilot, "w")
        await until(pilot, lambda: isinstance(app.screen, CommandDialog) and "done in" in shown(app))
        await press(pilot, "escape", "5")
        await until(pilot, lambda: study.short in shown(app))
        await press(pilot, "enter", "w")
        await until(pilot, lambda: isinstance(app.screen, CommandDialog) and "done in" in shown(app))
    assert "2 runs compared" in (tmp_path / "exports" / "2-runs.html").read_text()
    assert "trainer.lr" in (tmp_path / "exports" / f"{study.id}.html").read_text()


async def test_what_takes_long_is_ended_by_a_key(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_GATE", str(tmp_path / "never"))
    async with opened(tmp_path / "ws", (100, 30)) as (app, pilot):
        app.push_screen(CommandDialog("measuring", [tools_of(run, tmp_path)["evaluate val"].words]))
        await until(pilot, lambda: isinstance(app.screen, CommandDialog) and app.screen.pid)
        pid = app.screen.pid  # type: ignore[attr-defined]
        await until(pilot, lambda: "escape: stop" in shown(app))
        await press(pilot, "escape")
        await until(pilot, lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")
        assert not isinstance(app.screen, CommandDialog)
    assert os.environ["TOY_GATE"] and evaluations(run) == []


@pytest.mark.slow
async def test_a_run_is_served_as_long_as_its_window_is_open(run: RunFolder, tmp_path: Path) -> None:
    pytest.importorskip("starlette", reason="served with dlkit[serve]")
    async with opened(tmp_path / "ws", (100, 30)) as (app, pilot):
        app.push_screen(CommandDialog("serving", [tools_of(run, tmp_path)["serve"].words]))
        await until(pilot, lambda: "http://127.0.0.1:" in shown(app))
        assert isinstance(app.screen, CommandDialog)
        served = psutil.Process(app.screen.pid)
        address = re.search(r"http://127\.0\.0\.1:\d+", shown(app))
        assert address and "predict" in urlopen(f"{address[0]}/schema", timeout=LONG).read().decode()
        await press(pilot, "escape")
        await until(pilot, lambda: not served.is_running() or served.status() == "zombie")

"""The screen of a run: what it shows of any run, and what can be asked of one."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from dlkit.events import (
    Checkpointed,
    Commanded,
    Event,
    Finished,
    Machine,
    MetricsLogged,
    Notice,
    Preparing,
    Resumed,
    Spent,
    Started,
    to_json,
)
from dlkit.monitor.view import RunView
from dlkit.present.sparkline import bars
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import RunLock
from dlkit.tui.app import DlkitApp
from dlkit.tui.run.events import EventsPane
from dlkit.tui.run.head import bar, headlines
from dlkit.tui.run.log import Lines
from dlkit.tui.run.machine import bar_of, picture
from dlkit.tui.run.orders import why_not
from dlkit.tui.run.screen import PANES, RunScreen
from dlkit.tui.run.set_dialog import SetDialog
from dlkit.tui.shared.dialogs import Ask, Confirm, TextDialog
from dlkit.tui.shared.figures import per_column, rounded_up
from dlkit.tui.shared.table import Table
from installed import TESTS
from live import live_run
from recorded import record_run
from screens import notices, opened, press, shown, until
from toy import toy_run


@asynccontextmanager
async def opened_run(
    run: RunFolder, *keys: str, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[DlkitApp, Pilot[None], RunScreen]]:
    """The screen of a run, once it has been read."""
    async with opened(run.path.parent.parent, size) as (app, pilot):
        app.open_run(run)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.version)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await press(pilot, *keys)
        yield app, pilot, screen


def add(run: RunFolder, *events: Event) -> None:
    """More lines of the log, numbered far behind those that are there."""
    with run.events.open("a") as file:
        for i, event in enumerate(events):
            line = json.loads(to_json(event)) | {"seq": 1000 + i, "time": event.time or time.time()}
            file.write(json.dumps(line) + "\n")


def asked(run: RunFolder) -> list[tuple[str, str, object]]:
    return [(command.action, command.key, command.value) for command in commands.read(run.commands)[0]]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return record_run(tmp_path, 1)


@pytest.fixture
def alive(tmp_path: Path) -> Iterator[RunFolder]:
    with live_run(tmp_path) as live:
        yield live.run


# What is shown


async def test_every_pane_of_a_completed_run(run: RunFolder) -> None:
    async with opened_run(run) as (app, pilot, screen):
        await until(pilot, lambda: "completed" in shown(app) and "step 100/100" in shown(app))
        assert "val/mse" in shown(app)
        for name, (key, text, _) in PANES.items():
            await press(pilot, key)
            assert screen.pane == name
            assert [child.id for child in screen.query_one("#panes").children if child.display] == [name]
            assert f"{key} {text}" in shown(app)
        await press(pilot, "right_square_bracket")
        assert screen.pane == "curves"
        await press(pilot, "left_square_bracket")
        assert screen.pane == "events"
        await pilot.click("#panes", offset=(1, 1))
        tab = next(tab for tab in screen.query("PaneName") if tab.pane == "log")  # type: ignore[attr-defined]
        await pilot.click(tab)
        await until(pilot, lambda: screen.pane == "log")
        assert all(len(line) <= 80 for line in shown(app).splitlines())
        await press(pilot, "escape")
        assert not isinstance(app.screen, RunScreen)
        assert screen._source is not None
        await until(pilot, lambda: screen._source.closed)


async def test_the_worst_of_a_run_is_in_its_head_and_all_of_it_under_a_key(tmp_path: Path) -> None:
    run = toy_run(tmp_path, layer={"trainer": {"lr": 1e9}}, epochs=9)
    async with opened_run(run) as (app, pilot, screen):
        await until(pilot, lambda: "diverged at epoch 1" in shown(app) and "W: why" in shown(app))
        assert all(len(line) <= 80 for line in shown(app).splitlines())
        await press(pilot, "W")
        assert isinstance(app.screen, TextDialog)
        assert "a tenth of the learning rate" in shown(app)
        await press(pilot, "escape")
        assert app.screen is screen


async def test_what_comes_is_shown(run: RunFolder) -> None:
    """New steps, and a resume that makes some of them void."""
    async with opened_run(run, "e") as (app, pilot, screen):
        add(run, MetricsLogged(first=101, count=3, values={"train/loss": [0.5, 0.25, 0.125]}))
        await until(pilot, lambda: "step 103/100" in shown(app))
        add(run, Resumed(from_step=80, total_steps=200, epoch_steps=20, exact=True))
        await until(pilot, lambda: "step 80/200" in shown(app))
        await until(pilot, lambda: "goes on from step 80 of 200" in shown(app))
        assert screen.view.series("train/loss").steps[-1] == 80


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("failed", "loss is nan at step 100; no checkpoint yet: r begins again"),
        ("interrupted", "its worker died; no checkpoint yet: r begins again"),
        ("stopped", "r begins again"),
    ],
)
async def test_what_is_not_well_is_said(tmp_path: Path, state: str, said: str) -> None:
    run = record_run(tmp_path, 1, state=state)
    async with opened_run(run) as (app, pilot, _):
        await until(pilot, lambda: said in shown(app), said)


def test_head_says_what_goes_on(tmp_path: Path) -> None:
    run = record_run(tmp_path, 1, state="failed")
    add(run, Checkpointed(step=40, folder="checkpoints/step-00000040", best=True, seconds=0.1))
    view = RunView(run)
    view.poll()
    lines = [line.plain for line in headlines(view, 200)]
    assert lines[0].startswith("failed  toy · linear · plane  cpu")
    assert lines[2].startswith("val/mse ") and "best" in lines[2]
    assert lines[3] == "loss is nan at step 100; r goes on from step 40"
    assert all(len(line.plain) <= 30 for line in headlines(view, 30))


@pytest.mark.parametrize(("done", "said"), [(40, "33 %  features of train: 40 of 120"), (120, "step 100/100")])
def test_head_says_how_far_a_preparation_is(tmp_path: Path, done: int, said: str) -> None:
    run = record_run(tmp_path, 1, state="interrupted")
    add(run, Preparing(step=0, text="features of train", done=done, total=120), Notice(step=0, text="by the way"))
    with RunLock(run.lock):  # somebody is there
        view = RunView(run)
        view.poll()
        assert view.state == "running" and said in headlines(view, 200)[1].plain


@pytest.mark.parametrize("state", ["completed", "failed"])
def test_head_says_what_of_the_log_is_left_out(tmp_path: Path, state: str) -> None:
    run = record_run(tmp_path, 1, state=state)
    with run.events.open("ab") as file:
        file.write(b'{"event": "metrics"}\n' + b"\0" * 40 + b"\n")
    view = RunView(run)
    view.poll()
    assert "2 damaged lines of events.jsonl left out" in headlines(view, 200)[3].plain


def test_bar() -> None:
    assert bar(50, 100, 18) == "█████─────  50 %  "
    assert bar(200, 100, 18).startswith("██████████")
    assert bar(1, 0, 18) == bar(1, 2, 5) == ""


@pytest.mark.parametrize("kind", ["rubbish", "numbers", "gone", "newer", "empty"])
async def test_damaged_folders(run: RunFolder, kind: str) -> None:
    """A message, whatever the pane and the key."""
    rubbish = {
        "events": b'\xff{"event":"metrics"}\n{"event":"samples","samples":[{}]}\n',
        "record": b"{",
        "config": b"=",
    }
    if kind == "rubbish":
        for name, data in rubbish.items():
            getattr(run, name).write_bytes(data)
    elif kind == "numbers":
        wrong = {"format": 1, "state": 3, "components": 7, "created": "x", "command": 1, "versions": [], "job": 4}
        run.record.write_text(json.dumps(wrong))
        run.evaluations.write_text('{"metrics": 3, "step": "x", "time": "now"}\n')
        add(run, Started(total_steps=3, epoch_steps=1, summary={"model": 5, "data": None}))
    elif kind == "newer":
        run.record.write_text(json.dumps({**run.read(), "format": 99, "state": "running"}))
    elif kind == "empty":
        shutil.rmtree(run.path)
        run.path.mkdir()
    async with opened_run(run) as (app, pilot, screen):
        if kind == "gone":
            shutil.rmtree(run.path)
            await until(pilot, lambda: "the folder is gone" in shown(app))
        for key, _, _ in PANES.values():
            await press(pilot, key, "enter")
            if not isinstance(app.screen, RunScreen):
                await press(pilot, "escape")
        for key in ("p", "a", "b", "S", "x"):
            await press(pilot, key)
            assert app.screen is screen, f"{key} asks, though nothing runs"
        await until(pilot, lambda: any("not running" in text or "newer" in text for text in notices(app)))
        assert not any("cannot be shown" in text for text in notices(app))


# The log


async def test_log_follows_until_somebody_scrolls(run: RunFolder) -> None:
    run.output.write_text("".join(f"line {i}\n" for i in range(300)))
    async with opened_run(run, "l") as (app, pilot, _):
        await until(pilot, lambda: "line 299" in shown(app))
        lines = app.screen.query_one(Lines)
        with run.output.open("a") as file:
            file.write("and more\n")
        await until(pilot, lambda: "and more" in shown(app))
        await press(pilot, "pageup")
        assert not lines.following
        with run.output.open("a") as file:
            file.write("the latest\n")
        await until(pilot, lambda: "    the latest" in lines.lines)
        assert "the latest" not in shown(app)
        assert "f follows the newest" in shown(app)
        await press(pilot, "f")
        await until(pilot, lambda: "the latest" in shown(app))
        await press(pilot, "g")
        assert "steps to go" in shown(app) and not lines.following


async def test_log_search(run: RunFolder) -> None:
    run.output.write_text(
        "".join(f"{'ERROR' if i % 100 == 50 else 'fine'} number {i} {'x' * 100}\n" for i in range(1000))
    )
    async with opened_run(run, "l", "slash", *"error") as (app, pilot, screen):
        lines = screen.query_one(Lines)
        await until(pilot, lambda: len(lines.matches) == 10)
        await press(pilot, "enter", "g", "n")
        seen = []
        for _ in range(10):
            seen.append(lines.matches[lines.match])
            assert lines.lines[seen[-1]].strip()[:17].rstrip() in shown(app)
            await press(pilot, "n")
        assert [lines.lines[i].split()[2] for i in sorted(seen)] == list(map(str, range(50, 1000, 100)))
        before = lines.match
        await press(pilot, "N")
        assert lines.match == (before - 1) % 10
        assert "of 10 lines" in shown(app)
        await press(pilot, "escape")
        assert lines.pattern == "" and app.screen is screen
        await press(pilot, "n")
        await until(pilot, lambda: notices(app), "without a search n means the run again: its task has no plugin here")
        await press(pilot, "N")
        assert isinstance(app.screen, Ask), "without a search N renames"
        await press(pilot, "escape", "escape")
        assert app.screen is not screen


async def test_log_of_a_failed_foreground_run(tmp_path: Path) -> None:
    run = record_run(tmp_path, 1, state="failed")
    add(run, Notice(step=3, text="a checkpoint was skipped"),
        Finished(run=run.id, status="failed", metrics={}, seconds=1.0, train_seconds=1.0, steps=100, reason="no",
                 traceback="Traceback\n  here\nZeroDivisionError: no"))  # fmt: skip
    async with opened_run(run, "l") as (app, pilot, screen):
        await until(pilot, lambda: "ZeroDivisionError: no" in shown(app))
        assert all(text in shown(app) for text in ("100 steps to go", "epoch 5", "note: a checkpoint was skipped"))
        run.output.write_text("Traceback\n  here\nZeroDivisionError: no\n")
        lines = screen.query_one(Lines)
        await until(pilot, lambda: any(line.kind == "printed" for line in lines.told))
        assert sum(line.endswith("ZeroDivisionError: no") for line in lines.lines) == 1, "it is not told twice"


async def test_long_lines_break(run: RunFolder) -> None:
    run.output.write_text("one two three " * 20 + "end\n" + "宽" * 100 + "\n" + "y" * 200 + "\nlast\n")
    async with opened_run(run, "l") as (app, pilot, screen):
        await until(pilot, lambda: "last" in shown(app))
        lines = screen.query_one(Lines)
        first = next(i for i, line in enumerate(lines.lines) if "one two" in line)
        text = lines.lines[first]
        rows = [text[a:b] for line, a, b in lines._rows if line == first]
        assert " ".join(rows) == text and len(rows[0]) <= 80 and all(len(row) <= 76 for row in rows[1:])
        assert sum(b - a for line, a, b in lines._rows if line == first + 1) == 104
        assert "宽宽宽" in shown(app)


# Machine, configuration, events


async def test_machine(run: RunFolder) -> None:
    async with opened_run(run, "m", size=(80, 25)) as (app, pilot, _):
        await until(pilot, lambda: "No figures: they are sampled of jobs" in shown(app))
        gpus = [{"index": 0, "name": "H1", "use": 90.0, "memory": 2e9, "total": 8e9, "celsius": 61, "watts": 250.5},
                {"index": 1, "use": None}]  # fmt: skip
        now = time.time()
        add(run, *(Machine(step=1, cpu=50.0 + i, memory=10**9, processes=3, gpus=gpus, time=now - 20 + i)
                   for i in range(20)))  # fmt: skip
        await until(pilot, lambda: "GPU 0 H1" in shown(app))
        text = shown(app)
        assert "cpu 69 %, memory 1.0 GB, 3 processes" in text
        figures = app.screen.query_one("#figures", Static).content
        assert "GPU 0 temperature  61 °C at the end" in str(figures) and "GPU 1 temperature" not in str(figures)
        assert "69 % of a core at the end" in text and " now" not in text, "nothing is now of what has ended"
        assert "2.0 GB at the end" in text and "scale 0 to 8.0 GB" in text
        add(run, Spent(step=1, seconds={"steps": 6.0, "loading": 2.0, "paused": 60.0}, cpu_seconds=8.0))
        await until(pilot, lambda: "steps 75 %" in shown(app))
        time_spent = str(app.screen.query_one("#spent", Static).content)
        assert time_spent.count("█") > 2.5 * time_spent.count("▓") > 25 and "paused for 1:00 besides" in time_spent


def test_a_share_of_the_time_stands_on_one_line() -> None:
    kinds = {"steps": 52.0, "checkpoints": 24.0, "other": 8.0, "sampling": 7.0, "evaluation": 6.0, "preparing": 3.0}
    lines = bar_of(Spent(step=1, seconds=kinds, cpu_seconds=1.0), 76).plain.splitlines()
    assert [line.count("%") for line in lines] == [0, 0, 4, 2] and max(map(len, lines)) <= 76


def test_figures_of_a_live_job_are_of_now() -> None:
    text = picture([Machine(step=1, cpu=136.0, memory=1, processes=1, time=time.time())], 60, 2, live=True).plain
    assert "136 % of a core now" in text and text.endswith("now")


def test_charts() -> None:
    samples = [Machine(step=1, cpu=float(i), memory=1, processes=1, time=float(i)) for i in range(100)]
    spike = samples[37].__class__(step=1, cpu=900.0, memory=1, processes=1, time=37.5)
    columns = per_column([*samples[:38], spike, *samples[38:]], lambda m: m.cpu, 10, 100.0)
    assert max(c for c in columns if c is not None) == 900.0, "a spike is in some column"
    assert columns[-1] == 99.0
    gap = per_column([samples[0], samples[99]], lambda m: m.cpu, 10, 100.0)
    assert gap[0] == 0.0 and gap[5] is None, "what is not known is no zero"
    assert bars([None, 0.0, 50.0, 100.0], 0.0, 100.0, 2) == ["   █", " ▁██"]
    assert [rounded_up(v) for v in (0.0, 1.0, 1.1, 3.0, 166.0, 8.4e8)] == [1.0, 1.0, 2.0, 5.0, 200.0, 1e9]


async def test_configuration(run: RunFolder) -> None:
    run.config.write_text('task = "toy"\n[trainer]\nname = "supervised"\nlr = 0.05\n[engine]\nepochs = 3\n'
                          f'[dataset]\npath = "{Path.cwd()}/photos/cats"\n')  # fmt: skip
    components = {"model": {"name": "linear", "plugin": "toy", "plugin_version": "2.1", "version": 1}}
    run.update(command=["/x/dlkit", "train", "toy", "--name", "a b"], seed=7, components=components)
    add(run, Commanded(step=50, action="set", key="trainer.lr", value=0.01, id="x", by="ada"))
    async with opened_run(run, "o", size=(100, 60)) as (app, pilot, _):
        await until(pilot, lambda: "set at step 50 by ada; before that 0.05" in shown(app))
        text = shown(app)
        assert "  photos/cats" in text
        for words in ("linear  (toy 2.1)", "engine.epochs", "dlkit train toy --name 'a b'", run.id, "seed"):
            assert words in text
        await press(pilot, "y")
        assert app.clipboard == "dlkit train toy --name 'a b'"
        await press(pilot, "Y")
        assert app.clipboard == str(run.path)


async def test_events_and_evaluations(run: RunFolder) -> None:
    add(run, Notice(step=60, text="x" * 300 + " the end"))
    run.evaluations.write_text(json.dumps({"split": "test", "checkpoint": "best", "step": 60, "time": time.time() + 5,
                                           "metrics": {"test/mse": 0.25, "test/mse/a": 1.0}}) + "\n")  # fmt: skip
    async with opened_run(run, "e") as (app, pilot, screen):
        await until(pilot, lambda: "evaluation" in shown(app))
        table = screen.query_one(EventsPane).query_one(Table)
        kinds = [row.cells["kind"][0] for row in table.rows]
        assert kinds == ["evaluation", "notice", "completed", "started"], "newest first"
        assert "test/mse 0.25 (split test, checkpoint best)" in shown(app)
        await press(pilot, "j", "enter")
        assert isinstance(app.screen, TextDialog)
        assert "the end" in shown(app)
        await press(pilot, "escape")
        assert app.screen is screen


# Commands


async def test_commands_and_their_answers(alive: RunFolder) -> None:
    async with opened_run(alive) as (app, pilot, screen):
        await until(pilot, lambda: screen.view.state == "running" and "steps/s" in shown(app))
        await press(pilot, "p")
        await until(pilot, lambda: any("paused at step" in text for text in notices(app)))
        await until(pilot, lambda: screen.view.state == "paused")
        await press(pilot, "p")
        await until(pilot, lambda: screen.view.state == "running")
        before = len(screen.view.checkpoints)
        await press(pilot, "b")
        await until(pilot, lambda: len(screen.view.checkpoints) > before)
        await press(pilot, "a")
        await until(pilot, lambda: screen.view.sampled)
        await press(pilot, "N", *"second", "enter")
        await until(pilot, lambda: any("is running" in text for text in notices(app)), "a live run is not renamed")
        await press(pilot, "x")
        assert isinstance(app.screen, Confirm)
        await press(pilot, "n")
        assert ("stop", "", None) not in asked(alive)
        await press(pilot, "x", "y")
        await until(pilot, lambda: screen.view.state == "stopped")
        await until(pilot, lambda: "r goes on from step" in shown(app))
        await until(pilot, lambda: any(f"{alive.id}: stopped" in text for text in notices(app)), "its end is told")
        await press(pilot, "N", *"second", "enter")
        await until(pilot, lambda: screen.view.record.get("name") == "second")


async def test_setting_the_learning_rate(alive: RunFolder, toy_installed: Path) -> None:
    async with opened_run(alive, "S") as (app, pilot, screen):
        dialog = app.screen
        assert isinstance(dialog, SetDialog)
        await until(pilot, lambda: "trainer.lr" in shown(app) and "0.01" in shown(app))
        await press(pilot, "g", "enter")
        assert dialog.query_one(Input).value == "0.01"
        await press(pilot, "ctrl+u", *"much", "enter")
        await until(pilot, lambda: "trainer.lr = 'much'" in shown(app))
        assert app.screen is dialog
        await press(pilot, "ctrl+u", *"0.002", "enter")
        await until(pilot, lambda: app.screen is screen)
        await until(pilot, lambda: any("trainer.lr = 0.002 from step" in text for text in notices(app)))
        await press(pilot, "S")
        await until(pilot, lambda: "0.002" in shown(app), "what is shown is the present value")


async def test_resume_without_the_plugin(tmp_path: Path) -> None:
    """What keeps a run from going on is said, and it stays as it was."""
    run = record_run(tmp_path, 1, state="stopped")
    async with opened_run(run, "r") as (app, pilot, _):
        await until(pilot, lambda: any("which is not installed" in text for text in notices(app)))
    assert run.read()["state"] == "stopped"


@pytest.mark.slow
async def test_train_longer_in_a_worker(tmp_path: Path, toy_installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The interface starts a worker, and sees it begin and end."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (toy_installed, TESTS, TESTS.parent))))
    run = toy_run(tmp_path, epochs=1)
    async with opened_run(run) as (app, pilot, screen):
        before = screen.view.step
        await press(pilot, "r", "2", "enter")
        await until(pilot, lambda: any("goes on" in text for text in notices(app)))
        await until(pilot, lambda: screen.view.state == "completed" and screen.view.step == 2 * before)
        assert any(isinstance(event, Resumed) for event in screen.view.events)


async def test_completed_run_asks_for_epochs(run: RunFolder) -> None:
    async with opened_run(run, "r") as (app, pilot, screen):
        assert isinstance(app.screen, Ask)
        await press(pilot, *"ten", "enter")
        await until(pilot, lambda: any("'ten' is not a number" in text for text in notices(app)))
        assert app.screen is screen


@pytest.mark.parametrize(
    ("fields", "action", "said"),
    [
        ({"state": "running", "pid": 1}, "pause", ""),
        ({"state": "running"}, "pause", "is being started"),
        ({"state": "running"}, "stop", ""),
        ({"state": "queued", "job": {"queued": True}}, "pause", "x takes it out of the queue"),
        ({"state": "queued", "job": {"queued": False}}, "pause", "it is being started"),
        ({"state": "completed"}, "stop", "r trains it longer"),
        ({"state": "failed"}, "stop", "r goes on with it"),
        ({"state": "unknown, last event 3 s ago"}, "stop", ""),
        ({"state": "running (newer format)"}, "stop", "newer dlkit"),
        ({"state": "removed"}, "stop", "is removed, not running"),
    ],
)
def test_refusal(tmp_path: Path, fields: dict[str, object], action: str, said: str) -> None:
    view = RunView(RunFolder(tmp_path / "r"))
    view.state, view.record = str(fields["state"]), fields
    found = why_not(view, action)
    assert said in found and bool(found) == bool(said)


async def test_reopened_at_once(run: RunFolder) -> None:
    """The view is kept: what was read is not read again."""
    async with opened_run(run) as (app, pilot, screen):
        view = screen.view
        offset = view._tail.offset
        assert offset == run.events.stat().st_size
        await press(pilot, "escape")
        app.open_run(run)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and "step 100/100" in shown(app))
        assert isinstance(app.screen, RunScreen) and app.screen.view is view

"""Runs side by side: curves over each other, what they differ in, which came off best, whatever state they are in."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from dlkit.events import MetricsLogged, Started
from dlkit.runs.files import write_json
from dlkit.runs.folder import RunFolder
from dlkit.tui.app import DlkitApp
from dlkit.tui.compare import screen as compare
from dlkit.tui.compare.screen import CompareScreen
from dlkit.tui.runs.screen import RunsScreen
from dlkit.tui.shared.filter_line import FilterLine
from dlkit.tui.shared.table import Table
from recorded import record_run, record_seeds, write_events
from screens import notices, opened, shown, typed, until


@asynccontextmanager
async def compared(
    runs: Sequence[RunFolder], size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[DlkitApp, Pilot[None], CompareScreen]]:
    """The screen, once the folders and all logs have been read."""
    async with opened(runs[0].path.parent.parent, size) as (app, pilot):
        app.open_compare(list(runs))
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        await until(pilot, lambda: screen.comparison is not None and all(view.version for view in screen.views))
        await pilot.pause()
        yield app, pilot, screen


def configured(run: RunFolder, text: str) -> RunFolder:
    run.config.write_text(f'task = "toy"\n{text}')
    return run


def table(screen: CompareScreen) -> list[list[str]]:
    """What the lower table says: the key, then a text a run that has a column."""
    found = screen.query_one("#table", Table)
    cells = [[row.cells.get(column.key, "") for column in found.columns] for row in found.rows]
    return [[cell if isinstance(cell, str) else cell[0] for cell in row] for row in cells]


def metrics(screen: CompareScreen) -> list[str]:
    return [group.title for group in screen.charts.groups]


async def test_three_runs(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i) for i in (1, 3, 2)]
    for run, lr in zip(runs, (0.1, 0.2, 0.1), strict=True):
        configured(run, f"[trainer]\nlr = {lr}\n[engine]\nepochs = 3\n")
    async with compared(runs, (160, 50)) as (app, pilot, screen):
        assert metrics(screen) == ["val/mse", "train/loss"] and screen.charts.shape == (2, 1)
        names = ["-".join(run.id.split("-")[-2:]) for run in runs]
        assert shown(app).splitlines()[1].strip() == f"A {names[0]}   B try 3   C {names[2]}"
        for chart in screen.charts.charts:
            assert [(line.key, line.colour) for line in chart.lines] == [("A", 0), ("B", 1), ("C", 2)]
        assert not screen.query_one("#table").display and "v Table  b Group by" in shown(app)
        await typed(pilot, "down", "left", "y", "z")
        assert [chart.log_y for chart in screen.charts.charts] == [False, True]
        assert shown(app).count("step 100   A ") == 2 and "A 0.506738 ~" in shown(app), "one cursor for all"
        await typed(pilot, "up", "t")
        assert screen.charts.charts[0].lines[0].x[-1] == 5
        await typed(pilot, "v")
        assert [column.title for column in screen.query_one("#table", Table).columns[1:]] == [
            f"A {names[0]}", "B try 3", f"C {names[2]}"
        ]  # fmt: skip
        assert table(screen) == [
            ["  run", *(run.id for run in runs)],
            ["  state", *["completed"] * 3],
            ["  val/mse", "0.5", "* 0.25", "0.3333"],
            ["≠ trainer.lr", "0.1", "0.2", "0.1"],
            ["  steps", "100", "100", "100"],
            ["  time", "12 s", "12 s", "12 s"],
        ]
        assert "3 runs  1 setting differs" in shown(app)
        await typed(pilot, "down", "down", "down")
        assert "trainer.lr:  A 0.1   B 0.2   C 0.1" in shown(app)
        await typed(pilot, "a")
        assert table(screen)[6:] == [["= task", *["toy"] * 3], ["= engine.epochs", *["3"] * 3]]
        await typed(pilot, "enter", "a", "escape")
        assert len(table(screen)) == 6 and isinstance(app.screen, CompareScreen), "the table first"
        assert not screen.query_one("#table").display and screen.charts.has_focus
        await typed(pilot, "escape")
        assert isinstance(app.screen, RunsScreen)


async def test_groups_are_means_with_their_spread(tmp_path: Path) -> None:
    runs = record_seeds(
        tmp_path,
        [{"lr": lr, "seed": seed, "mse": 0.1} for lr in (0.1, 0.2) for seed in (0, 1)]
        + [{"lr": 0.3, "seed": 0, "mse": 1}],
    )
    async with compared(runs, (160, 50)) as (app, pilot, screen):
        await typed(pilot, "b", "down", "down", "enter")
        assert screen.grouped_by == "trainer.lr"
        assert "1 lr 0.1 (n = 2)   2 lr 0.2 (n = 2)   3 lr 0.3 (n = 1)" in shown(app)
        lines = screen.charts.charts[0].lines
        assert [line.key for line in lines] == ["1", "2", "3"]
        each = [view.series("val/mse").values for view in screen.views]
        np.testing.assert_allclose(lines[0].y, (each[0] + each[1]) / 2)
        assert lines[0].band is not None and lines[2].band is not None
        np.testing.assert_allclose(lines[0].band[1] - lines[0].y, np.std(each[:2], axis=0, ddof=1))
        assert np.isnan(lines[2].band[0]).all()
        drawn = screen.charts.charts[0].drawings
        screen._show_charts()
        await pilot.pause()
        assert screen.charts.charts[0].drawings == drawn, "nothing new"
        await typed(pilot, "b", "home", "enter")
        assert [line.key for line in screen.charts.charts[0].lines] == list("ABCDE")
    async with compared(runs[:2]) as (app, pilot, screen):
        await typed(pilot, "b")
        assert any(text.startswith("nothing to group by") for text in notices(app))


async def test_a_table_of_groups_has_means_and_their_intervals(tmp_path: Path) -> None:
    seeds = [{"lr": lr, "seed": seed, "mse": mse} for lr, seed, mse in
             [(0.1, 0, 0.4), (0.1, 1, 0.6), (0.2, 0, 0.1), (0.2, 1, 0.2), (0.3, 0, 0.9)]]  # fmt: skip
    runs = record_seeds(tmp_path, seeds)
    runs[4].update(state="stopped")
    async with compared(runs) as (app, pilot, screen):
        await typed(pilot, "v")
        assert len(table(screen)[0]) == 4, "three of five runs fit"
        assert shown(app).splitlines()[0].endswith("A-C of 5 runs: , .  2 differ"), "what has room in 80 cells"
        screen.grouped_by = "trainer.lr"
        screen._show_table()
        found = {row[0].strip(): row[1:] for row in table(screen)}
        assert found["runs"] == ["A B", "C D", "E"] and found["state"] == ["completed", "completed", "stopped"]
        assert found["val/mse"] == ["0.5 ± 1.3", "* 0.15 ± 0.64", "0.9"]
        assert found["≠ trainer.lr"] == ["0.1", "0.2", "0.3"] and "≠ engine.seed" not in found
        titles = [column.title for column in screen.query_one("#table", Table).columns[1:]]
        assert titles == ["1 lr 0.1 (n = 2)", "2 lr 0.2 (n = 2)", "3 lr 0.3 (n = 1)"]
        assert "3 groups" in shown(app).splitlines()[0]
        screen.grouped_by = ""
        screen._show_table()
        assert len(table(screen)[0]) == 4


async def test_the_best_where_more_is_better(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i, direction="max") for i in (1, 2)]
    async with compared(runs) as (app, pilot, screen):
        assert ["  val/mse", "* 0.5", "0.3333"] in table(screen)
        await typed(pilot, "v")
        assert "* 0.5" in shown(app), "it stands in a small terminal too"
        assert "2 runs  no settings differ" in shown(app)


async def test_a_run_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its curve at once, the table soon after, also after the last of its news."""
    monkeypatch.setattr(compare, "AGAIN_SECONDS", 0.2)
    runs = [record_run(tmp_path, 1), record_run(tmp_path, 2, state="interrupted")]
    async with compared(runs) as (app, pilot, screen):
        for last in (150, 200):
            event = MetricsLogged(first=last - 49, count=50, values={"train/loss": [0.5] * 50}, epoch=9, rate=8.0)
            write_events(runs[1], [event], last)
            app.poller.nudge()
            await typed(pilot, "end")
            await until(pilot, lambda last=last: screen.charts.chart.lines[1].x[-1] == last)  # type: ignore[misc]
        await until(pilot, lambda: ["  steps", "100", "200"] in table(screen))
        record = json.loads(runs[1].record.read_text())
        result = {"step": 200, "total_steps": 200, "best": 0.125, "last": 0.2, "metrics": {"val/mse": 0.125}}
        write_json(runs[1].record, {**record, "state": "completed", "result": result})
        await until(pilot, lambda: ["  state", "completed", "completed"] in table(screen))
        assert ["  val/mse", "0.5", "* 0.125"] in table(screen)


async def test_runs_that_have_nothing_in_common(tmp_path: Path) -> None:
    """Of two tasks, with other metrics, damaged, of a newer version, with rubbish for numbers, gone."""
    runs = [record_run(tmp_path, i) for i in range(1, 3)]
    other = record_run(tmp_path, 3, task="regression", metric="val/rmse")
    other.events.write_text("")
    write_events(other, [Started(total_steps=9, epoch_steps=0, summary={}),
                         MetricsLogged(first=1, count=3, values={"val/rm\x1b[31mse": [3.0, 2.0, 1.0]})])  # fmt: skip
    other.config.write_text('task = "regression"\n[model]\nname = "名前\\u001b[31m"\n')
    damaged, newer = record_run(tmp_path, 4), record_run(tmp_path, 5, format=99)
    damaged.record.write_text("{")
    odd = record_run(tmp_path, 6, metric=5, name=["x"], result={"step": "9", "total_steps": 9, "seconds": "long"})
    gone = record_run(tmp_path, 7)
    shutil.rmtree(gone.path)
    async with opened(tmp_path, (160, 50)) as (app, pilot):
        app.open_compare([*runs, other, damaged, newer, odd, gone])
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        await until(pilot, lambda: screen.comparison is not None)
        await until(pilot, lambda: sorted(metrics(screen)) == [
            "train/loss (5 of 7)", "val/mse (5 of 7)", "val/rm\x1b[31mse (1 of 7)"
        ])  # fmt: skip
        await typed(pilot, "v")
        text = shown(app)
        assert "\x1b" not in text and "名前�[31m" in text
        assert "damaged: " in text and all(run.id in text for run in (damaged, odd, gone))
        for said in (f"written by a newer dlkit: {newer.id}", "different tasks (toy, regression)"):
            assert said in text
        row = next(row for row in table(screen) if row[0] == "≠ model.name")
        assert row[1:] == ["-", "-", "名前\x1b[31m", "-", "-", "-", "-"]
        await typed(pilot, "a", "comma", "full_stop", "down", "down", "escape", "G", "left", "t", "d", "z", "y")
        last = screen.charts.chart
        assert (
            last is not None
            and last.title == "val/rm\x1b[31mse (1 of 7)"
            and [line.key for line in last.lines] == ["C"]
        )
        assert "val/rm�[31mse (1 of 7)" in shown(app)
        assert any("C, " in text or text.endswith("C") for text in notices(app)), "its epochs are not known"
        assert not [text for text in notices(app) if "Error" in text]


async def test_runs_without_metrics(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i, state="queued") for i in (1, 2)]
    for run in runs:
        run.events.write_text("")
    async with compared(runs) as (app, pilot, screen):
        await typed(pilot, *"jyzt", "left", "plus", "0", "enter")
        text = shown(app)
        assert "none of these runs has any metrics yet" in text and metrics(screen) == []


async def test_ten_runs_in_a_small_terminal(tmp_path: Path) -> None:
    runs = [configured(record_run(tmp_path, i), f"x = {i}\n") for i in range(10)]
    async with compared(runs) as (app, pilot, screen):
        assert "A-C of 10 runs: , .  1 differ" in shown(app)
        chart = screen.charts.chart
        assert chart is not None and len(chart.lines) == 10 and "J 0.3401" in shown(app), "in few words"
        assert ["≠ x", "0", "1", "2"] in table(screen)
        await typed(pilot, "v", *["full_stop"] * 3)
        assert "D-F of 10 runs" in shown(app) and ["≠ x", "3", "4", "5"] in table(screen)
        for _ in range(20):
            screen.action_runs(1)
        assert ["≠ x", "7", "8", "9"] in table(screen), "no further"
        await typed(pilot, "comma", "down", "down", "down")
        assert ["≠ x", "6", "7", "8"] in table(screen)
        assert "x:  A 0   B 1   C 2   D 3   E 4   F 5   G 6   H 7   I 8   J 9" in shown(app)
        assert all(len(line) <= 80 for line in shown(app).splitlines())
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: ["≠ x", *map(str, range(10))] in table(screen))


async def test_the_filter_and_the_metrics_of_classes(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i, state="interrupted") for i in (1, 2)]
    write_events(runs[0], [MetricsLogged(first=20, count=1, values={"val/mse/north": [0.1], "lr": [0.1]})], 3)
    async with compared(runs) as (app, pilot, screen):
        assert metrics(screen) == ["val/mse", "train/loss", "lr (1 of 2)"]
        await typed(pilot, "d")
        assert "val/mse/north (1 of 2)" in metrics(screen)
        await typed(pilot, "d", "G", "slash", *"val/*")
        assert metrics(screen) == ["val/mse"]
        await typed(pilot, "x", "enter", "left")
        assert metrics(screen) == [] and "No metric matches" in shown(app)
        assert screen.query_one(FilterLine).display
        await typed(pilot, "escape")
        assert len(metrics(screen)) == 3 and isinstance(app.screen, CompareScreen)
        assert not screen.query_one(FilterLine).display and screen.charts.has_focus
        await typed(pilot, "escape")
        assert isinstance(app.screen, RunsScreen)

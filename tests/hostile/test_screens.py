"""Bad runs beside a good one, in the interface: each a line with its reason, opened without harm, removed by a key."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from random import Random

import pytest
from textual.pilot import Pilot

from at_length import at_length
from dlkit.runs.folder import RunFolder
from dlkit.tui.app import DlkitApp
from dlkit.tui.run.screen import PANES, RunScreen
from dlkit.tui.runs.screen import RunsScreen
from dlkit.tui.shared.table import Table
from hostile.bad_runs import KINDS, BadRun, contents, make_bad_run, make_bad_runs
from recorded import record_run
from screens import notices, opened, press, shown, until

BAD = 50
UNSEEN = ("a folder that is a FIFO",)
"""What is no folder at all is no run."""
LONG_TO_READ = ("events.jsonl is a terabyte",)
"""What the poller goes through block by block, for half a minute, others having their turn."""
SIZE = (120, 35)


@pytest.fixture
def good(bad_workspace: Path) -> RunFolder:
    return record_run(bad_workspace, 0, name="the good one")


async def listed(app: DlkitApp, pilot: Pilot[None], count: int) -> Table:
    """The table of runs, once it has them all."""
    await press(pilot, "2")
    await until(pilot, lambda: isinstance(app.screen, RunsScreen) and f"{count} runs" in shown(app), f"{count} runs")
    return app.screen.query_one(Table)


async def test_good_and_bad_runs_are_listed_and_the_bad_ones_removed_by_key(
    bad_workspace: Path, good: RunFolder
) -> None:
    """What their links lead to stays as it is."""
    bad = [found for found in make_bad_runs(bad_workspace, BAD, seed=1) if found.kind not in UNSEEN]
    outside = contents(bad_workspace.parent / "outside")
    async with opened(bad_workspace, SIZE) as (app, pilot):
        table = await listed(app, pilot, len(bad) + 1)
        assert {row.key for row in table.rows} == {good.id, *(found.run.id for found in bad)}
        for found in bad:
            if found.damaged:
                table.go_to(found.run.id)
                await until(pilot, partial(_reason, app, found), f"the reason of {found.kind}")
        for found in bad:
            table.go_to(found.run.id)
            table.toggle_mark()
        await press(pilot, "D")
        await until(pilot, lambda: f"Remove {len(bad)} runs" in shown(app))
        await press(pilot, "y")
        await until(pilot, lambda: [row.key for row in table.rows] == [good.id], "only the good one is left")
        assert "the good one" in shown(app)
    assert [path.name for path in (bad_workspace / "runs").iterdir() if not path.name.startswith(".")] == [good.id]
    assert contents(bad_workspace.parent / "outside") == outside


def _reason(app: DlkitApp, found: BadRun) -> bool:
    """Below the table: the run's id, and that it cannot be used, in words."""
    summary = next(run for run in app.summaries if run.id == found.run.id)
    return summary.state == "damaged" and bool(summary.reason) and found.run.id[:20] in shown(app)


async def test_any_bad_run_can_be_looked_at(bad_workspace: Path, good: RunFolder) -> None:
    """A dozen of them, each in another pane; all of them, each in two panes, in the slow stage."""
    names = Random(1).sample([name for name in KINDS if name not in (*UNSEEN, *LONG_TO_READ)], 12)
    await _looked_at(bad_workspace, good, {name: tuple(PANES)[i % len(PANES)] for i, name in enumerate(names)})


@at_length
@pytest.mark.slow
@pytest.mark.parametrize("pane", PANES)
async def test_every_bad_run_can_be_looked_at(pane: str, bad_workspace: Path, good: RunFolder) -> None:
    # Each kind in two panes of the six: all in all took ten minutes, of which five are left to all slow tests.
    third = tuple(PANES).index(pane) % 3
    await _looked_at(bad_workspace, good, {name: pane for name in list(KINDS)[third::3] if name not in UNSEEN})


async def _looked_at(workspace: Path, good: RunFolder, panes: Mapping[str, str]) -> None:
    bad = [make_bad_run(workspace, name, number) for number, name in enumerate(panes, 1)]
    outside = contents(workspace.parent / "outside")
    async with opened(workspace, SIZE) as (app, pilot):
        for found in bad:
            await _open(app, pilot, found.run, panes[found.kind])
        await _open(app, pilot, good, "config")
        assert "the good one" in shown(app)
        assert not [text for text in notices(app) if "Error: " in text], "a folder's fault is not the interface's"
    assert contents(workspace.parent / "outside") == outside


async def _open(app: DlkitApp, pilot: Pilot[None], run: RunFolder, pane: str) -> None:
    app.open_run(run)
    await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.version, run.id)
    await press(pilot, PANES[pane][0], "end")


async def test_bad_runs_beside_a_good_one_in_comparison_queue_playground_and_tasks(
    bad_workspace: Path, good: RunFolder
) -> None:
    bad = [found for found in make_bad_runs(bad_workspace, BAD, seed=2) if found.kind not in UNSEEN]
    async with opened(bad_workspace, SIZE) as (app, pilot):
        await listed(app, pilot, len(bad) + 1)
        for key, word in (("3", "prio"), ("4", "to ask"), ("1", "embedded")):
            await press(pilot, key)
            await until(pilot, lambda word=word: word in shown(app), word)
        app.open_compare([good, *(found.run for found in bad[:8])])
        await until(pilot, lambda: "the good one" in shown(app) and "damaged: " in shown(app), "the comparison")
        assert not [text for text in notices(app) if "Error: " in text]

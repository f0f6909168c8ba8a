"""The list of runs: live, filtered, sorted, marked; what can be done from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.events import MetricsLogged
from dlkit.monitor.run_columns import arranged
from dlkit.monitor.run_query import parse
from dlkit.runs.folder import Summary
from dlkit.runs.index import list_runs
from dlkit.tui.compare.screen import CompareScreen
from dlkit.tui.runs.columns import ColumnsDialog
from dlkit.tui.runs.look import kept_look, kept_order
from dlkit.tui.runs.rows import DEFAULT, about, columns_of
from dlkit.tui.runs.screen import RunsScreen
from dlkit.tui.shared import settings
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.dialogs import Ask, Confirm
from dlkit.tui.shared.table import Table, fit
from live import live_run
from recorded import record_run, record_runs, write_events
from screens import notices, opened, press, shown, until


def table(app: object) -> Table:
    found: Table = app.screen.query_one(Table)  # type: ignore[attr-defined]
    return found


async def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    async with opened(tmp_path / "none") as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: "no runs here yet" in shown(app))
        await press(pilot, "enter", "space", "c", "r", "x", "D", "n", "p", "j", "G", "s", "S", "slash", "escape")
        assert isinstance(app.screen, RunsScreen)
        assert shown(app).splitlines()[-1].split() == ["^q", "Quit", "?", "Help"], "nothing else has a use here"
    assert not (tmp_path / "none").exists()


async def test_a_thousand_runs_in_a_small_window(tmp_path: Path) -> None:
    made = record_runs(tmp_path, 1000)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: len(table(app).rows) == 1000)
        assert table(app).key == made[0].id
        await press(pilot, "G")
        assert table(app).key == made[-1].id
        await press(pilot, "g", "j", "j", "k")
        assert table(app).key == made[1].id
        text = shown(app)
        assert "1000 runs" in text and made[1].id in text
        assert all(len(line) <= 80 for line in text.splitlines())


async def test_an_order_by_what_cannot_be_seen_is_said(tmp_path: Path) -> None:
    record_runs(tmp_path, 3)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2", "s", "down", "enter")
        assert "device" not in shown(app).splitlines()[1]
        assert "3 runs, by device▲" in shown(app).splitlines()[0]
        await press(pilot, "S")
        assert "by device▼" in shown(app)


async def test_a_run_is_known_by_its_end_where_there_is_little_room(tmp_path: Path) -> None:
    """Its id's date is what is left out; in the playground it is called so where it has no name."""
    run = record_run(tmp_path, 1, name="", task="classification")
    (run.checkpoints / "step-00000100").mkdir()
    async with opened(tmp_path, (80, 24)) as (app, pilot):
        await press(pilot, "4")
        await until(pilot, lambda: table(app).rows)
        assert "> 0001  " in shown(app) and "val/mse" in shown(app)
        await press(pilot, "2", "enter")
        await until(pilot, lambda: shown(app).splitlines()[0].endswith(" classification-linear-0001"))


def test_what_was_not_measured_is_said_in_words(tmp_path: Path) -> None:
    record_run(tmp_path, 1)
    (run,) = list_runs(tmp_path)
    assert "val/mse last 0.55, best 0.5" in about(run).plain
    assert "val/mse not measured yet" in about(run._replace(last=None, best=None)).plain


@pytest.mark.parametrize("size", [(80, 24), (120, 35)])
async def test_a_name_is_in_every_list_and_found_in_the_palette(tmp_path: Path, size: tuple[int, int]) -> None:
    """Where nobody has given one, its column takes no room."""
    for number in range(1, 31):
        record_run(tmp_path, number, name="")
    async with opened(tmp_path, size) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: len(table(app).rows) == 30)
        assert "name" not in shown(app).splitlines()[1]
        run = record_run(tmp_path, 40, name="wide net")
        (run.checkpoints / "step-00000100").mkdir()
        await until(pilot, lambda: len(table(app).rows) == 31)
        for key, title in (("2", "name"), ("4", "run")):
            await press(pilot, key)
            table(app).go_to(run.id)
            await until(pilot, lambda: table(app).rows and "wide net" in shown(app))
            text = shown(app).splitlines()
            assert title in text[1] and any("wide net" in line and "started" not in line for line in text[2:-4])
        found = {command.title: command.help for command in app.get_system_commands(app.screen)}
        assert found[f"Open run wide net  {run.id}"] == "completed", "an old one, with a name"


async def test_filter_narrows_and_escape_shows_all(tmp_path: Path) -> None:
    record_runs(tmp_path, 30)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2", "slash", *"state:failed", "enter")
        await until(pilot, lambda: len(table(app).rows) == 6)
        assert "6 of 30 runs" in shown(app)
        await press(pilot, "slash", *"zzz")
        await until(pilot, lambda: not table(app).rows)
        assert "escape shows all" in shown(app)
        await press(pilot, "escape")
        await until(pilot, lambda: len(table(app).rows) == 30)


async def test_sorting_by_a_column_and_clicking_its_title(tmp_path: Path) -> None:
    record_runs(tmp_path, 30)
    async with opened(tmp_path, (120, 30)) as (app, pilot):
        await press(pilot, "2")
        screen = app.screen
        assert isinstance(screen, RunsScreen)
        await press(pilot, "s", "up", "up", "enter")  # above "started": time, best
        assert screen.look.sort == "best"
        best = [run.best for run in screen._found if run.best is not None]
        assert best == sorted(best)
        await press(pilot, "S")
        best = [run.best for run in screen._found if run.best is not None]
        assert best == sorted(best, reverse=True)
        await pilot.click(Table, offset=(4, 0))
        await until(pilot, lambda: screen.look.sort == "state")
        states = [run.state for run in screen._found]
        assert states == sorted(states, key=["interrupted", "failed", "stopped", "completed"].index)
    assert kept_order() == ("state", False), "remembered"
    settings.keep("runs-sort", ["trend", True])
    assert kept_order() == ("created", True)
    settings.keep("runs-sort", ["gone", 5])
    assert kept_order() == ("created", True)


async def test_options_and_numbers_in_the_filter_and_courses_in_the_rows(tmp_path: Path) -> None:
    """Configurations are read when somebody asks for them; what cannot be understood is said while it is typed."""
    runs = record_runs(tmp_path, 5)
    runs[2].config.write_text('task = "toy"\n[trainer]\nlr = 0.003\n')
    async with opened(tmp_path, (130, 30)) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: "course" in shown(app) and "█▃▂▁▁" in shown(app))
        await press(pilot, "slash", *"lr<0.01", "enter")
        await until(pilot, lambda: [row.key for row in table(app).rows] == [runs[2].id])
        assert "lr<0.01" in shown(app) and "1 of 5 runs" in shown(app), "the filter stays to be seen"
        await press(pilot, "slash", "end", *" [a")
        await until(pilot, lambda: "left out of the filter: '[a' is no regular expression" in shown(app))
        assert [row.key for row in table(app).rows] == [runs[2].id]


async def test_a_live_run_moves_and_its_end_is_told(tmp_path: Path) -> None:
    with live_run(tmp_path) as live:
        async with opened(tmp_path) as (app, pilot):
            await press(pilot, "2")
            await until(pilot, lambda: app.summaries and app.summaries[0].state == "running")
            step = app.summaries[0].step
            await until(pilot, lambda: app.summaries[0].step > step)
            assert "running" in shown(app)
            await press(pilot, "x")
            assert isinstance(app.screen, Confirm)
            await press(pilot, "y")
            await until(pilot, lambda: app.summaries[0].state == "stopped")
            await until(pilot, lambda: any(f"{live.run.id}: stopped" in text for text in notices(app)))


async def test_a_killed_run_is_shown_as_interrupted(tmp_path: Path) -> None:
    with live_run(tmp_path) as live:
        async with opened(tmp_path) as (app, pilot):
            await press(pilot, "2")
            await until(pilot, lambda: app.summaries and app.summaries[0].state == "running")
            live.process.kill()
            live.process.join()
            await until(pilot, lambda: "interrupted" in shown(app))
            await until(pilot, lambda: "goes on from the last checkpoint" in shown(app))


async def test_marked_runs_are_removed_after_a_yes(tmp_path: Path) -> None:
    made = record_runs(tmp_path, 5)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: len(table(app).rows) == 5)
        await press(pilot, "space", "space", "D")
        assert isinstance(app.screen, Confirm)
        assert "Remove 2 runs" in shown(app) and made[1].id in shown(app)
        await press(pilot, "n")
        assert all(run.path.is_dir() for run in made)
        await press(pilot, "D", "y")
        await until(pilot, lambda: len(table(app).rows) == 3)
    assert [run.path.is_dir() for run in made] == [False, False, True, True, True]


async def test_a_run_gets_a_name(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: bool(table(app).rows))
        await press(pilot, "N")
        assert isinstance(app.screen, Ask)
        await press(pilot, "ctrl+u", *"[b]best", "enter")
        await until(pilot, lambda: app.summaries[0].name == "[b]best")
        assert "[b]best" in shown(app)
    assert run.read()["name"] == "[b]best"


async def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    record_run(tmp_path, state="completed")
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: bool(table(app).rows))
        await press(pilot, "x", "r", "c")
        told = notices(app)
        assert [any(word in text for text in told) for word in ("nothing to stop", "nothing to resume", "mark two")]


async def test_rubbish_newer_formats_and_a_vanishing_folder(tmp_path: Path) -> None:
    import shutil

    run = record_run(tmp_path, 1)
    newer = record_run(tmp_path, 2, format=99)
    rubbish = tmp_path / "runs" / "rubbish"
    rubbish.mkdir()
    (rubbish / "run.json").write_text("{")
    async with opened(tmp_path, (160, 50)) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: len(table(app).rows) == 3)
        assert "damaged" in shown(app)
        table(app).go_to(newer.id)
        await until(pilot, lambda: "completed (newer format)" in shown(app))
        table(app).go_to("rubbish")
        await press(pilot, "enter", "escape")
        shutil.rmtree(tmp_path / "runs")
        await until(pilot, lambda: not app.summaries)
    assert not newer.path.exists() and not run.path.exists()


async def test_many_events_a_second_do_not_pile_up(tmp_path: Path) -> None:
    runs = [record_run(tmp_path, i, state="interrupted") for i in range(4)]
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2")
        for step in range(101, 1101, 100):
            for run in runs:
                write_events(
                    run,
                    [MetricsLogged(first=s, count=1, values={"val/mse": [1.0 / s]}) for s in range(step, step + 100)],
                    step,
                )
        await until(pilot, lambda: all(summary.step == 1100 for summary in app.summaries))
        assert {summary.best for summary in app.summaries} == {1.0 / 1100}


SUMMARIES = st.lists(
    st.builds(
        Summary,
        id=st.text("abc", min_size=1, max_size=3),
        state=st.sampled_from(["running", "completed", "odd"]),
        best=st.none() | st.floats(),
        seconds=st.floats(0, 100),
        device=st.sampled_from(["", "cpu"]),
    ),
    max_size=12,
)


@given(SUMMARIES, st.sampled_from(["state", "best", "seconds", "device", "created"]), st.booleans())
def test_sorting_loses_nobody_and_puts_what_is_missing_last(runs: list[Summary], key: str, descending: bool) -> None:
    found = arranged(runs, key, descending)
    assert sorted(map(id, found)) == sorted(map(id, runs))
    if key == "best":
        values = [run.best for run in found]
        there = [value for value in values if value is not None and value == value]
        assert there == sorted(there, reverse=descending)
        assert values[: len(there)] == there


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("MLP", True),
        ("task:toy state:fail", True),
        ("task:mlp", False),
        ("model:mlp cuda", False),
        ("x:y", False),
    ],
)
def test_filter_words(text: str, expected: bool) -> None:
    run = Summary(id="2026-toy", task="toy", model="mlp", state="failed", device="cpu")
    assert parse(text).matches(run) is expected


def test_a_row_is_made_anew_if_its_run_changed_or_its_age() -> None:
    screen = RunsScreen()
    run = Summary(id="a", created=1000.0)
    row = screen._row(run, 1090.0)
    assert row.cells["created"] == "1 min ago" and screen._row(run, 1119.0) is row
    assert screen._row(run, 1121.0).cells["created"] == "2 min ago"
    assert screen._row(run._replace(step=5), 1122.0).cells["step"] == "5"


async def test_the_marked_runs_are_compared_and_no_other(tmp_path: Path) -> None:
    runs = record_runs(tmp_path, 4)
    async with opened(tmp_path) as (app, pilot):
        await press(pilot, "2", "c", "space", "c")
        assert "mark two or more runs with space, then press c" in notices(app)
        assert "one is marked: mark two or more runs with space, then press c" in notices(app)
        await press(pilot, "j", "space", "c")
        assert isinstance(app.screen, CompareScreen)
        assert [run.id for run in app.screen.runs] == [runs[0].id, runs[2].id], "the cursor is on the last one"


async def test_groups_fold_and_are_marked_and_all_of_it_is_remembered(tmp_path: Path) -> None:
    made = record_runs(tmp_path, 6)  # of three tasks by turns
    heads = ["#task=regression", "#task=classification", "#task=toy"]
    async with opened(tmp_path, (120, 30)) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: len(table(app).rows) == 6)
        await press(pilot, "b")
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        await press(pilot, "down", "enter")
        await until(pilot, lambda: [row.key for row in table(app).rows if not row.cells] == heads)
        assert [row.key for row in table(app).rows][:3] == [heads[0], made[0].id, made[3].id]
        assert "▾ regression   2 runs: 1 failed, 1 completed; best mse 0.25" in shown(app)
        assert "6 runs, in groups by task" in shown(app)
        await press(pilot, "j", "left")  # from a run its group is folded, and the cursor is on the heading
        assert (table(app).key, len(table(app).rows)) == (heads[0], 7)
        assert "▸ regression" in shown(app) and "Unfold" in shown(app).splitlines()[-1]
        await press(pilot, "space")  # all runs of it, which cannot be seen
        assert table(app).marked == {made[0].id, made[3].id} and "2 marked" in shown(app)
        await press(pilot, "j", "enter", "c")
        assert isinstance(app.screen, CompareScreen) and [run.id for run in app.screen.runs] == [made[0].id, made[3].id]
        await press(pilot, "escape", "k", "space", "z")
        await until(pilot, lambda: [row.key for row in table(app).rows] == heads)
        assert not table(app).marked
        await press(pilot, "D")
        assert "Remove 2 runs" in shown(app)
        await press(pilot, "n")
    async with opened(tmp_path, (120, 30)) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: [row.key for row in table(app).rows] == heads)
        await press(pilot, "z", "slash", *"state:failed", "enter")
        await until(pilot, lambda: [row.key for row in table(app).rows] == [heads[0], made[3].id])


async def test_columns_are_chosen_ordered_and_remembered(tmp_path: Path) -> None:
    """Metrics and options may be columns too; what is chosen is what one sorts by."""
    runs = record_runs(tmp_path, 3)
    for run, lr in zip(runs, (0.3, 0.1, 0.2), strict=True):
        run.config.write_text(f'task = "toy"\n[trainer]\nlr = {lr}\n')
    async with opened(tmp_path, (120, 40)) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: len(table(app).rows) == 3)
        await press(pilot, "o")
        await until(pilot, lambda: isinstance(app.screen, ColumnsDialog))
        dialog = app.screen.query_one(Table)
        assert {"name", "study", "val/mse", "lr"} <= {row.key for row in dialog.rows}
        assert "the option lr" in shown(app) and "the name of its folder" in shown(app)
        for key in ("name", "task", "dataset"):
            dialog.go_to(key)
            await press(pilot, "space")
        dialog.go_to("lr")
        await press(pilot, *["K"] * 30, "enter")
        await until(pilot, lambda: shown(app).splitlines()[1].split()[:2] == ["lr", "state"])
        assert "data" not in shown(app).splitlines()[1]
        await until(pilot, lambda: [row.cells["lr"] for row in table(app).rows] == ["0.3", "0.1", "0.2"])
        await pilot.click(Table, offset=(8, 0))
        await until(pilot, lambda: [row.cells["lr"] for row in table(app).rows] == ["0.1", "0.2", "0.3"])
    look = kept_look()
    assert (look.columns[:3], look.sort, look.descending) == (("lr", "state", "model"), "lr", False)
    async with opened(tmp_path, (80, 24)) as (app, pilot):
        await press(pilot, "2")
        await until(pilot, lambda: [row.cells["lr"] for row in table(app).rows] == ["0.1", "0.2", "0.3"])
        await press(pilot, "o")
        await until(pilot, lambda: isinstance(app.screen, ColumnsDialog))
        for row in app.screen.query_one(Table).rows[: len(look.columns)]:
            app.screen.query_one(Table).go_to(row.key)
            await press(pilot, "space")
        await press(pilot, "enter")
        assert notices(app)[-1] == "a list needs a column: mark one with space" and "escape" in shown(app)
        await press(pilot, "r", "enter")
        assert kept_look().columns == DEFAULT


@given(st.lists(st.sampled_from([*DEFAULT, "val/mse", "lr", "study", "a.b"]), unique=True, min_size=1))
def test_of_chosen_columns_the_last_give_way_first(keys: list[str]) -> None:
    columns = columns_of(keys)
    assert [column.key for column in columns] == keys
    for width in (20, 60, 100, 300):
        shown_ones = [column.key for column, _, _ in fit(columns, width)]
        expected = keys if tuple(keys) != DEFAULT else None
        assert expected is None or (shown_ones == expected[: len(shown_ones)] and shown_ones)


@pytest.mark.parametrize("kept", [["x", 5], [""], [["a"]]])
def test_what_makes_no_sense_among_what_is_remembered_is_as_at_first(kept: list[object]) -> None:
    settings.keep("runs-columns", kept)
    settings.keep("runs-group", 5)
    look = kept_look()
    assert look.group == "" and look.columns == (("x",) if "x" in kept else DEFAULT)

"""The launch form: how one gets about in it, and out of it; and what it says of what is broken."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from textual.widgets import OptionList

from dlkit.monitor.form import AFTER, CHECKPOINT, LAUNCHER
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder
from dlkit.studies.folder import list_studies
from dlkit.tui.launch.field_list import FieldList
from dlkit.tui.launch.fields import FieldRow
from dlkit.tui.launch.screen import LaunchScreen
from dlkit.tui.launch.section import Heading
from dlkit.tui.run.screen import RunScreen
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.dialogs import Confirm
from dlkit.tui.studies.screen import StudiesScreen
from forms import (
    about,
    box,
    choose,
    command,
    fields_made,
    launch,
    launch_toy,
    part,
    row,
    says,
    screen_of,
    settled,
    status,
    told,
    type_fast,
    type_in,
)
from screens import notices, opened, press, shown, until
from toy import toy_run

# Finding one's way


async def test_the_filter(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await press(pilot, "slash")
        await type_fast(app, pilot, "OUT of mem")
        await until(pilot, lambda: [found.field.key for found in screen_of(app).query(FieldRow) if found.region.height]
                    == ["job.on_oom"])  # fmt: skip
        assert "Enter goes to the first field found" in about(app)
        assert "job" in shown(app) and "epochs" not in shown(app)
        await press(pilot, "enter", "x")
        assert row(app, "job.on_oom").editor.has_focus
        assert "Out of memory" in about(app)
        await press(pilot, "f3", *"zz")
        await until(pilot, lambda: "no field has “zz”" in shown(app))
        await press(pilot, "enter", "escape")
        await until(pilot, lambda: "epochs" in shown(app))
        assert app.focused is screen_of(app).query_one("#start")
        assert not box(app, "job").opened
        await press(pilot, "slash")
        await type_fast(app, pilot, "oom")
        await press(pilot, "enter")
        await until(pilot, lambda: row(app, "job.on_oom").editor.has_focus)
        await press(pilot, "escape")
        await until(pilot, lambda: box(app, "engine").display)
        assert box(app, "job").opened and not box(app, "engine").opened
        assert row(app, "job.on_oom").editor.has_focus


async def test_sections_are_closed_and_opened(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        assert not any(field.key.startswith("job.") for field in fields_made(app))
        assert "4 options" not in shown(app)
        box(app, "job").query_one(Heading).focus()
        await pilot.pause()
        assert "▸ job  " in shown(app) and "Enter opens and closes" in about(app)
        await press(pilot, "space")
        await until(pilot, lambda: "▾ job" in shown(app) and box(app, "job").rows)
        await press(pilot, "down")
        assert row(app, LAUNCHER).editor.has_focus
        await press(pilot, "right", "up", "enter")
        await settled(app, pilot)
        assert "1 changed" in shown(app)
        await press(pilot, "enter")
        assert row(app, LAUNCHER).region.height == 1


async def test_everything_can_be_reached_by_keys_alone_and_says_what_it_is(forms: Path) -> None:
    """Wherever one is, that place can be seen, and of a field its whole description."""
    async with opened(forms) as (app, pilot):
        checked = await launch(app, pilot)
        fields = {field.key: field for field in checked.fields()}
        seen: set[str] = set()
        start, place = app.focused, None
        while place is not start:
            await pilot.press("down")
            place = app.focused
            assert place is not None and about(app)
            if isinstance(place, Heading) and "▸" in str(place.render()) and place.parent is not box(app, "engine"):
                await press(pilot, "enter")
            if isinstance(place.parent, FieldRow):
                field = fields[place.parent.field.key]
                assert about(app).startswith(f"{field.description} {field.key.removeprefix('submit.')}: ")
                seen.add(field.key)
            viewport = screen_of(app).query_one(FieldList)
            assert viewport not in place.ancestors or viewport.region.contains_region(place.region)
        assert seen == {key for key in fields if box(app, key).opened}
        assert {"model.width", "engine.seed", "job.on_oom", AFTER, LAUNCHER} < seen


async def test_with_the_mouse(workspace: Path, quick: dict[str, str]) -> None:
    async with opened(workspace, (100, 40)) as (app, pilot):
        await launch_toy(app, pilot)
        assert await pilot.click(part(app, "model"))
        await until(pilot, lambda: isinstance(app.screen, ChooseDialog))
        assert "Raises ZeroDivisionError while it trains" in shown(app)
        assert await pilot.click(OptionList, offset=(4, 0))
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen))
        await settled(app, pilot)
        assert command(app) == "dlkit train toy --launcher zygote --model faulty"
        await pilot.click(row(app, "model.bias").editor)
        await settled(app, pilot)
        assert command(app) == "dlkit train toy --launcher zygote --model faulty --model.bias false"
        await pilot.click(row(app, "engine.seed"), offset=(3, 0))
        assert row(app, "engine.seed").editor.has_focus
        heading = box(app, "run").query_one(Heading)
        await pilot.click(heading)
        await until(pilot, lambda: not box(app, "run").opened)
        await pilot.click(heading)
        await until(pilot, lambda: box(app, "run").opened)
        assert await pilot.click("#start")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))


# Leaving


async def test_escape_asks_only_if_there_is_something_to_lose(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await type_in(app, pilot, "engine.epochs", "71")
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await press(pilot, "n", "end", "backspace")
        assert (await settled(app, pilot)).form.settings
        await press(pilot, "escape")
        assert len(app.screen_stack) == 1
        await launch(app, pilot)
        await choose(app, pilot, "loss", "l1")
        await press(pilot, "escape")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await press(pilot, "y")
        await until(pilot, lambda: len(app.screen_stack) == 1)


# What is broken


async def test_broken_components(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        for model, words in (("gone", "nowhere_at_all"), ("raises", "thirteen [b]of[/b] mine")):
            await choose(app, pilot, "model", model)
            if model == "raises":
                assert status(app) == "ready"
                await type_in(app, pilot, "model.size", "13")
            await until(pilot, partial(says, app, words))
            assert status(app).startswith("1 problem")
            await press(pilot, "ctrl+s")
            await until(pilot, partial(told, app, words))
            await choose(app, pilot, "model", "plain")
            assert status(app) == "ready"
    assert not forms.exists()


async def test_a_task_that_is_not_there(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot, "mixtur[b]")
        assert says(app, "no task 'mixtur[b]'")
        assert status(app) == "1 problem"
        await press(pilot, "enter", "ctrl+y", "ctrl+g", "ctrl+r", "slash", *"x", "enter", "escape", "down", "down")
        await until(pilot, lambda: told(app, "mixtur[b]"))
        await press(pilot, "escape")
        assert len(app.screen_stack) == 1


# Again, with changes


async def test_a_run_again_with_changes_and_with_a_list_of_numbers(
    tmp_path: Path, toy_installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = toy_run(tmp_path, layer={"trainer": {"lr": 0.02}}, seed=3)
    woken: list[object] = []
    monkeypatch.setattr("dlkit.monitor.form_study.wake", woken.append)
    async with opened(tmp_path, (120, 35)) as (app, pilot):
        app.open_run(run)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.version)
        await press(pilot, "o")
        await until(pilot, lambda: "again" in shown(app) and "dlkit train toy" in shown(app))
        await press(pilot, "y")
        assert app.clipboard.startswith("dlkit train toy ") and "--lr 0.02" in app.clipboard
        assert "--detach" not in app.clipboard and "--seed 3" in app.clipboard
        await press(pilot, "n")
        await until(
            pilot, lambda: isinstance(app.screen, LaunchScreen) and f"again, with changes: {run.id}" in shown(app)
        )
        checked = await settled(app, pilot)
        assert checked.form.settings["trainer.lr"] == "0.02"
        await press(pilot, "escape")
        assert isinstance(app.screen, RunScreen), "nothing was changed: nothing is asked"

        await press(pilot, "n")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen))
        await settled(app, pilot)
        await type_in(app, pilot, "trainer.lr", "0.02, 0.05")
        await until(pilot, lambda: "ready: 2 runs, queued" in shown(app))
        words = (await settled(app, pilot)).command(tmp_path)
        assert words.startswith("dlkit study toy ") and "--vary lr=0.02,0.05" in words and "--seed 3" in words
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: woken and isinstance(app.screen, StudiesScreen))
        assert any("2 runs are queued, as study" in text for text in notices(app))
    (study,) = list_studies(tmp_path)
    assert study.id == woken[0].id  # type: ignore[attr-defined]


# A fork


async def test_a_fork_says_what_fits_and_starts(
    tmp_path: Path, toy_installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = toy_run(tmp_path, epochs=2, keep=50, checkpoint_every=0.001)
    steps = [checkpoint.step for checkpoint in complete(run.path)]
    started: list[RunFolder] = []
    monkeypatch.setattr("dlkit.jobs.handover.start_worker", started.append)
    async with opened(tmp_path, (100, 40)) as (app, pilot):
        await until(pilot, lambda: app.catalog is not None and app.looked)
        await press(pilot, "2")
        await until(pilot, lambda: run.id[-4:] in shown(app))
        await press(pilot, "F")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen) and f"fork of {run.id}" in shown(app))
        checked = await settled(app, pilot)
        assert "is at its end at step" in checked.general[0], "its last checkpoint leaves nothing to do"
        await type_in(app, pilot, "engine.epochs", "4")
        await until(pilot, lambda: status(app) == "fork: 1 changed, exact")
        await type_in(app, pilot, "engine.batch_size", "8")
        await until(pilot, partial(says, app, "the same step is another place in the data"))
        await until(pilot, lambda: status(app).startswith("1 problem"))
        await press(pilot, "escape", "y")
        await until(pilot, lambda: not isinstance(app.screen, LaunchScreen))

        app.open_run(run)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.version)
        await press(pilot, "F")
        await until(pilot, lambda: isinstance(app.screen, LaunchScreen))
        await settled(app, pilot)
        app.screen._change(app.screen._form.set(CHECKPOINT, str(steps[0])), 0)  # type: ignore[attr-defined]
        await until(pilot, lambda: status(app) == "fork: nothing changed")
        await type_in(app, pilot, "trainer.lr", "0.3")
        await until(pilot, lambda: status(app) == "fork: 1 changed, exact")
        words = (await settled(app, pilot)).command(tmp_path)
        assert words.startswith(f"dlkit fork {run.id}@{steps[0]} --lr 0.3 --detach")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: started and isinstance(app.screen, RunScreen) and app.screen.run.id == started[0].id)
    record = started[0].read()
    assert record["state"] == "queued" and record["forked_from"]["id"] == run.id
    assert (record["forked_from"]["step"], record["forked_from"]["changes"]) == (steps[0], {"trainer.lr": [0.05, 0.3]})

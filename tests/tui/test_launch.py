"""The launch form as a screen: typed, chosen, refused, started."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Button, Input, OptionList, Static

from conftest import PLUGINS, install_metadata
from dlkit.catalog import Catalog
from dlkit.events import Finished
from dlkit.jobs.claims import hold
from dlkit.monitor.form import AFTER, LAUNCHER, NAME, PRIORITY, Checked
from dlkit.monitor.form_fields import Field
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs
from dlkit.tui.app import DlkitApp
from dlkit.tui.dialogs import Confirm
from dlkit.tui.fields import ChooseDialog, FieldRow, Pick
from dlkit.tui.launch import LaunchScreen
from dlkit.tui.launch_list import FieldList
from dlkit.tui.launch_parts import Lines, PartChoice
from dlkit.tui.launch_section import Heading, SectionBox
from dlkit.tui.queue import QueueScreen
from dlkit.tui.run import RunScreen
from dlkit.tui.table import Table
from screens import notices, opened, press, shown, until
from workers import events_of

ROWS = b"1,2,3\n"
STRANGER = f"""
from dlkit import DatasetSpec, LayoutFile, ModelSpec, SourceFile, SourceSpec, hookimpl

@hookimpl
def dlkit_models():
    return [
        ModelSpec(name="gone", task="mixture", summary="s", target="a.b:c", config="nowhere_at_all:Config"),
        ModelSpec(name="raises", task="mixture", summary="s", target="a.b:c", config="stranger_options:Raises"),
        ModelSpec(name="choosy", task="mixture", summary="s", target="a.b:c", config="stranger_options:Choosy"),
    ]

@hookimpl
def dlkit_sources():
    return [SourceSpec(
        name="rows", summary="Rows", licence="CC0", homepage="https://rows.invalid", citation="Nobody (2026)",
        files=(SourceFile(url="https://rows.invalid/rows.csv", size={len(ROWS)},
                          sha256="{hashlib.sha256(ROWS).hexdigest()}"),),
        layout=(LayoutFile("rows.csv", {len(ROWS)}, "{hashlib.sha256(ROWS).hexdigest()}"),),
    )]

@hookimpl
def dlkit_datasets():
    return [DatasetSpec(name="fetched", task=task, summary="Points that must be fetched", sources=("rows",),
                        target="toy_parts:build_plane", config="toy_options:PlaneConfig")
            for task in ("toy", "mixture")]
"""
OPTIONS = """
from typing import Literal
from pydantic import Field, field_validator
from dlkit.config import Config

class Raises(Config):
    size: int = Field(1, description="One")
    @field_validator("size")
    @classmethod
    def judge(cls, value):
        if value == 13:
            raise ZeroDivisionError("thirteen [b]of[/b] mine")
        return value

class Choosy(Config):
    path: str = Field(description="A path, which must be given")
    way: Literal["left", "right"] | None = Field(None, description="A choice, or none")
    sure: bool | None = Field(None, description="Yes, no or neither")
"""


@pytest.fixture
def stranger(write_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A plugin with broken models, and data to be fetched, for this process and those it starts."""
    folder = write_plugin("stranger", STRANGER)
    (folder / "stranger_options.py").write_text(OPTIONS)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    monkeypatch.setenv("DLKIT_DISABLE", ",".join(PLUGINS))
    invalidate_caches()
    yield
    for name in ("stranger_plugin", "stranger_options"):
        sys.modules.pop(name, None)


@pytest.fixture
def forms(stranger: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that is not there, and the task ``mixture``, whose forms have options of every kind."""
    install_metadata(tmp_path / "more", "dlkit-mixture", "mixture", "mixture")
    monkeypatch.syspath_prepend(str(tmp_path / "more"))
    invalidate_caches()
    return tmp_path / "ws"


def screen_of(app: DlkitApp) -> LaunchScreen:
    screen = next(screen for screen in reversed(app.screen_stack) if isinstance(screen, LaunchScreen))
    assert isinstance(screen, LaunchScreen)
    return screen


def as_shown(app: DlkitApp) -> Checked:
    """The form as it is shown, all of it."""
    checked = screen_of(app).checked
    assert checked is not None
    return checked


async def settled(app: DlkitApp, pilot: Pilot[None]) -> Checked:
    """What was typed has been checked, and all sections are there."""
    await until(pilot, lambda: screen_of(app).checked and screen_of(app).query_one(FieldList).complete)
    return as_shown(app)


async def launch(app: DlkitApp, pilot: Pilot[None], task: str = "mixture", preset: str = "") -> Checked:
    app.open_launch(task, preset)
    await until(pilot, lambda: isinstance(app.screen, LaunchScreen))
    return await settled(app, pilot)


async def launch_toy(app: DlkitApp, pilot: Pilot[None]) -> Checked:
    """The form of a task that trains, with the launcher whose processes begin in milliseconds."""
    await launch(app, pilot, "toy")
    screen_of(app).post_message(FieldRow.Edited(LAUNCHER, "zygote"))
    await until(pilot, lambda: screen_of(app).checked and as_shown(app).form.names)
    return await settled(app, pilot)


def row(app: DlkitApp, key: str) -> FieldRow:
    return next(found for found in screen_of(app).query(FieldRow) if found.field.key == key)


def status(app: DlkitApp) -> str:
    return str(screen_of(app).query_one("#status", Static).render())


def value(app: DlkitApp, key: str) -> str:
    """What a field holds."""
    editor = row(app, key).editor
    return editor.value if isinstance(editor, Input) else editor.text


def fields_made(app: DlkitApp) -> list[Field]:
    return [found.field for found in screen_of(app).query(FieldRow)]


def command(app: DlkitApp) -> str:
    text = screen_of(app).query_one("#command", Lines).text
    return text.removeprefix("$ ").partition(" --workspace")[0].removesuffix(" --detach")


def about(app: DlkitApp) -> str:
    """The help lines, all of which can be seen."""
    lines = screen_of(app).query_one("#about", Lines)
    text = str(lines.render())
    assert text.count("\n") < lines.region.height
    return " ".join(text.split())


def part(app: DlkitApp, name: str) -> Pick:
    choices = screen_of(app).query(PartChoice)
    return next(choice.query_one(Pick) for choice in choices if choice._part.name == name)


def box(app: DlkitApp, key: str) -> SectionBox:
    """The section that a field belongs to, or that has this name."""
    return next(found for found in screen_of(app).query(SectionBox) if found.section.key == key or found.has(key))


def is_at_problem(app: DlkitApp, key: str) -> bool:
    """Whether the field has the focus, and why it is refused can be read."""
    found = row(app, key)
    return found.editor.has_focus and f"! {found.field.problem}"[:20] in shown(app)


def says(app: DlkitApp, words: str) -> bool:
    """Whether the screen does, however it breaks the lines."""
    return words in " ".join(shown(app).split())


def told(app: DlkitApp, words: str) -> bool:
    """Whether a notice has said so."""
    return any(words in notice for notice in notices(app))


async def go_to(app: DlkitApp, pilot: Pilot[None], key: str) -> FieldRow:
    """To a field, in a section that may be closed."""
    section = box(app, key)
    if not section.opened:
        section.query_one(Heading).focus()
        await press(pilot, "enter")
        await until(pilot, lambda: key in section.rows)
    found = row(app, key)
    found.editor.focus()
    await pilot.pause()
    return found


async def type_in(app: DlkitApp, pilot: Pilot[None], key: str, text: str) -> None:
    """Into a field, in place of what is there; not checked yet."""
    editor = (await go_to(app, pilot, key)).editor
    assert isinstance(editor, Input)
    editor.value = text
    await pilot.pause()


async def type_fast(app: DlkitApp, pilot: Pilot[None], text: str) -> None:
    """Keys that come faster than any effect of theirs."""
    for character in text:
        app.post_message(Key("space" if character == " " else character, character))
    await pilot.pause()


async def choose(app: DlkitApp, pilot: Pilot[None], name: str, wanted: str) -> Checked:
    """A component."""
    part(app, name).focus()
    part(app, name).edit(wanted)
    await pilot.pause()
    return await settled(app, pilot)


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


# Problems


async def test_what_is_wrong_is_said_at_its_field_and_nothing_is_started(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await choose(app, pilot, "model", "deep")
        await type_in(app, pilot, "model.dropout", "2")
        await until(pilot, lambda: "! must be a number of at least 0 and below 1" in shown(app))
        assert (status(app), box(app, "model").query_one(Heading).has_focus) == ("1 problem (ctrl+g)", False)
        assert "1 refused" in shown(app)
        lines = shown(app).splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith(" * dropout"))
        assert "below 1" in lines[at + 1]
        await type_in(app, pilot, "job.max_restarts", "often")
        await type_in(app, pilot, "trainer.lr", "fast")
        await type_in(app, pilot, AFTER, "nobody")
        await until(pilot, lambda: status(app) == "4 problems (ctrl+g)")
        screen_of(app).query_one("#start").focus()
        await press(pilot, "enter")
        await until(pilot, lambda: any(told.startswith("trainer.lr: ") for told in notices(app)))
        await until(pilot, lambda: row(app, "trainer.lr").editor.has_focus)
        for key in ("model.dropout", "job.max_restarts", AFTER, "trainer.lr"):
            await press(pilot, "ctrl+g")
            await until(pilot, partial(is_at_problem, app, key))
        for key, text in (("trainer.lr", "5e-1"), ("model.dropout", "0.25"), ("job.max_restarts", "1"), (AFTER, " ")):
            await type_in(app, pilot, key, text)
        await until(pilot, lambda: status(app) == "ready")
        assert "!" not in shown(app)
        await press(pilot, "ctrl+g")
        assert app.screen is screen_of(app)
    assert not forms.exists()


async def test_the_problem_of_the_lowest_field_on_the_screen_can_be_read(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        found = await go_to(app, pilot, "inference.top")
        fields = screen_of(app).query_one(FieldList)
        fields.scroll_relative(y=found.region.bottom - fields.region.bottom, animate=False)
        await until(pilot, lambda: found.region.bottom == fields.region.bottom)
        await press(pilot, "0")
        await until(pilot, partial(is_at_problem, app, "inference.top"))


async def test_a_problem_of_a_closed_or_hidden_section_is_found(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await type_in(app, pilot, "job.max_restarts", "-1")
        await until(pilot, lambda: status(app).startswith("1 problem"))
        box(app, "job").query_one(Heading).focus()
        await press(pilot, "enter")
        assert not box(app, "job").opened
        await press(pilot, "slash")
        await type_fast(app, pilot, "width")
        await until(pilot, lambda: not box(app, "job").display)
        await press(pilot, "ctrl+g")
        await until(pilot, lambda: row(app, "job.max_restarts").editor.has_focus)
        assert "! must be " in shown(app)


async def test_components_that_do_not_combine(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await choose(app, pilot, "loss", "l1")
        await choose(app, pilot, "model", "handmade")
        assert status(app) == "1 problem"
        assert "! these do not combine" in shown(app)
        await press(pilot, "ctrl+g", "ctrl+s")
        await until(pilot, lambda: told(app, "do not combine"))
        part(app, "loss").focus()
        await press(pilot, "ctrl+r")
        await settled(app, pilot)
        assert (status(app), part(app, "loss").text) == ("ready", "byhand")
    assert not forms.exists()


# Values


async def test_values_of_every_kind(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await choose(app, pilot, "model", "deep")
        await type_in(app, pilot, "model.hidden", "8, 4")
        await go_to(app, pilot, "model.norm")
        await press(pilot, "space")
        await go_to(app, pilot, "model.activation")
        await press(pilot, "left", "right", "right")
        await type_in(app, pilot, "inference.top", "3")
        await type_in(app, pilot, "inference.labels", "['a b', \"it's\"]")
        await type_in(app, pilot, NAME, "$HOME 'x'")
        checked = await settled(app, pilot)
        assert checked.resolved is not None
        model, inference = checked.resolved.sections["model"], checked.resolved.sections["inference"]
        assert model.model_dump() == {"hidden": (8, 4), "activation": "tanh", "dropout": 0.0, "norm": True}
        assert inference.model_dump() == {"labels": ("a b", "it's"), "top": 3}
        assert checked.name == "$HOME 'x'"
        words = command(app)
        assert words.startswith("dlkit train mixture --model deep --model.hidden '8, 4' --model.activation tanh ")
        assert "--model.norm true" in words and "--name '$HOME '\"'\"'x'\"'\"''" in words
        await type_in(app, pilot, "inference.top", "")
        assert "--inference.top" not in (await settled(app, pilot)).command(forms)
        assert row(app, "inference.top").editor.has_focus


async def test_what_must_be_given_and_what_may_be_nothing(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await choose(app, pilot, "model", "choosy")
        assert status(app) == "1 problem (ctrl+g)"
        await go_to(app, pilot, "model.path")
        await until(pilot, lambda: says(app, "path needed ! is needed: a text"), "why, below the field that is gone to")
        await type_in(app, pilot, "model.path", "a path")
        await go_to(app, pilot, "model.way")
        assert "none" in shown(app).splitlines()[row(app, "model.way").region.y]
        await press(pilot, "enter", "k", "enter")
        await go_to(app, pilot, "model.sure")
        await press(pilot, "right", "right", "right")
        checked = await settled(app, pilot)
        assert checked.resolved is not None
        assert checked.resolved.sections["model"].model_dump() == {"path": "a path", "way": "right", "sure": False}
        await press(pilot, "enter", "escape", "left", "left")
        assert "sure" not in (await settled(app, pilot)).command(forms)


async def test_epochs_and_steps_displace_each_other(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await type_in(app, pilot, "engine.steps", "50")
        await until(pilot, lambda: value(app, "engine.epochs") == "")
        assert "steps given" in shown(app)
        assert command(app) == "dlkit train mixture --steps 50"
        await type_in(app, pilot, "engine.epochs", "3")
        await until(pilot, lambda: value(app, "engine.steps") == "")
        assert command(app) == "dlkit train mixture --epochs 3"


# Components and presets


async def test_another_component_keeps_what_still_applies(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        for key, text in (("model.width", "32"), ("trainer.lr", "0.2"), (NAME, "mine")):
            await type_in(app, pilot, key, text)
        await settled(app, pilot)
        trainer = box(app, "trainer")
        checked = await choose(app, pilot, "model", "deep")
        assert any(told == "model.width: not an option of what is chosen now; dropped" for told in notices(app))
        assert command(app) == "dlkit train mixture --model deep --lr 0.2 --name mine"
        assert box(app, "model").section.title == "model deep"
        assert [found.section.key for found in screen_of(app).query(SectionBox)] == [
            found.key for found in checked.sections
        ]
        assert box(app, "trainer") is trainer
        assert part(app, "model").has_focus
        await choose(app, pilot, "dataset", "large")
        assert (value(app, "engine.batch_size"), value(app, "trainer.lr")) == ("512", "0.2")
        assert "dataset.share" in box(app, "dataset").rows
        await choose(app, pilot, "model", "handmade")
        assert (part(app, "loss").text, part(app, "trainer").text) == ("byhand", "byhand")
        assert not any(found.section.key == "model" for found in screen_of(app).query(SectionBox))


async def test_presets_change_the_defaults(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await choose(app, pilot, "preset", "quick")
        assert (value(app, "engine.epochs"), value(app, "trainer.lr")) == ("2", "0.75")
        assert command(app) == "dlkit train mixture --preset quick"
        await go_to(app, pilot, "engine.epochs")
        assert "default 2 from preset quick" in about(app)
        await choose(app, pilot, "preset", "")
        assert command(app) == "dlkit train mixture"
        await press(pilot, "escape")
        assert len(app.screen_stack) == 1
        await launch(app, pilot, preset="quick")
        assert part(app, "preset").text == "quick"
        await press(pilot, "escape")
        await until(pilot, lambda: not isinstance(app.screen, LaunchScreen | Confirm))


async def test_reset(forms: Path) -> None:
    async with opened(forms, (100, 40)) as (app, pilot):
        await launch(app, pilot)
        await type_in(app, pilot, "engine.epochs", "many")
        await until(pilot, lambda: "! must be" in shown(app) and "* epochs" in shown(app))
        await press(pilot, "ctrl+r")
        assert value(app, "engine.epochs") == "7"
        await until(pilot, lambda: "! must be" not in shown(app) and "* epochs" not in shown(app))
        assert status(app) == "ready"
        await type_in(app, pilot, "engine.epochs", "8")
        await until(pilot, lambda: "default 7 (reset)" in shown(app))
        assert await pilot.click(row(app, "engine.epochs"), offset=(55, 0))
        await settled(app, pilot)
        assert (value(app, "engine.epochs"), command(app)) == ("7", "dlkit train mixture")
        await go_to(app, pilot, LAUNCHER)
        await press(pilot, "right")
        assert "--launcher" in (await settled(app, pilot)).command(forms)
        await press(pilot, "ctrl+r")
        assert "--launcher" not in (await settled(app, pilot)).command(forms)
        box(app, "engine").query_one(Heading).focus()
        await press(pilot, "ctrl+r")
        assert app.screen is screen_of(app)


async def test_the_command_can_be_copied(forms: Path) -> None:
    async with opened(forms) as (app, pilot):
        await launch(app, pilot)
        await type_in(app, pilot, NAME, "a b")
        checked = await settled(app, pilot)
        assert await pilot.click("#copy")
        assert app.clipboard.startswith("dlkit train mixture --name 'a b' --detach --workspace ")
        app.copy_to_clipboard("")
        await press(pilot, "ctrl+y")
        assert app.clipboard == checked.command(forms, tool="dlkit")


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
        assert status(app) == "data: 6 B to be downloaded first"
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


async def test_a_workspace_that_cannot_be_written(plugins: None) -> None:
    async with opened(Path("/proc/dlkit-workspace")) as (app, pilot):
        await launch(app, pilot, "toy")
        await press(pilot, "enter")
        await until(pilot, lambda: told(app, "cannot make a run"))
        assert (app.screen, status(app)) == (screen_of(app), "ready")


async def test_a_form_opened_before_the_plugins_are_loaded(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who presses Enter at once need not press it again."""
    go, load = threading.Event(), Catalog.load_everything

    def slowly(*arguments: Any) -> Catalog:
        assert go.wait(30)
        return load(*arguments)

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


async def test_the_app_hears_of_a_worker_that_raised(tmp_path: Path) -> None:
    """Of any widget's, not of its own alone."""

    async def boom() -> None:
        raise ZeroDivisionError("of [b]mine[/b]")

    async with opened(tmp_path) as (app, pilot):
        app.screen.query_one(Table).run_worker(boom(), exit_on_error=False)
        await until(pilot, lambda: "of [b]mine[/b]" in notices(app))

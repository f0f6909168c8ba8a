"""The launch form's fields: what is typed and chosen there, what of it is refused, what the defaults are."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from dlkit.monitor.form import AFTER, LAUNCHER, NAME
from dlkit.tui.launch.field_list import FieldList
from dlkit.tui.launch.screen import LaunchScreen
from dlkit.tui.launch.section import Heading, SectionBox
from dlkit.tui.shared.dialogs import Confirm
from forms import (
    about,
    box,
    choose,
    command,
    go_to,
    is_at_problem,
    launch,
    part,
    row,
    says,
    screen_of,
    settled,
    status,
    told,
    type_fast,
    type_in,
    value,
)
from screens import notices, opened, press, shown, until

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
        await go_to(app, pilot, NAME)
        await press(pilot, "end", *"cd", "ctrl+y")  # at once: nobody has read yet what was typed last
        await until(pilot, lambda: "--name 'a bcd'" in app.clipboard)

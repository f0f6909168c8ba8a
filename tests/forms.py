"""Driving the launch form in tests: open it, type into its fields, choose its components, read what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input, Static

from dlkit.monitor.form import LAUNCHER, Checked
from dlkit.monitor.form_fields import Field
from dlkit.tui.app import DlkitApp
from dlkit.tui.launch.field_list import FieldList
from dlkit.tui.launch.fields import FieldRow, Pick
from dlkit.tui.launch.parts import FittedText, PartChoice
from dlkit.tui.launch.screen import LaunchScreen
from dlkit.tui.launch.section import Heading, SectionBox
from installed import PLUGINS, install_metadata
from screens import notices, press, shown, until

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
def stranger(write_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin with broken models, and data to be fetched, for this process and those it starts."""
    folder = write_plugin("stranger", STRANGER)
    (folder / "stranger_options.py").write_text(OPTIONS)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    monkeypatch.setenv("DLKIT_DISABLE", ",".join(PLUGINS))
    invalidate_caches()


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
    text = screen_of(app).query_one("#command", FittedText).text
    return text.removeprefix("$ ").partition(" --workspace")[0].removesuffix(" --detach")


def about(app: DlkitApp) -> str:
    """The help lines, all of which can be seen."""
    lines = screen_of(app).query_one("#about", FittedText)
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

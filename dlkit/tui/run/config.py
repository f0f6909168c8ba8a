"""What a run was told and where it ran: components, environment, model, every option, checkpoints."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import ClassVar, cast

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widgets import Static

from dlkit.errors import DlkitError
from dlkit.monitor.again import train_line
from dlkit.monitor.view import RunView
from dlkit.present.commands import tool
from dlkit.present.events import describe_start
from dlkit.present.numbers import size, when
from dlkit.present.text import from_here
from dlkit.runs.contents import CheckpointRecord, checkpoints, flatten, stored_values
from dlkit.tui.run.orders import changes
from dlkit.tui.run.pane import Pane
from dlkit.tui.shared.host import Host
from dlkit.tui.shared.words import hanging

_RECORD = ("host", "device", "precision", "processes", "threads", "threads_why", "seed", "git", "fingerprint")


class ConfigPane(Pane):
    """One long text; what lies on the disk is read in a thread, when something about the run has changed."""

    DEFAULT_CSS = (
        "ConfigPane VerticalScroll { padding: 0 1; scrollbar-size-vertical: 1; } ConfigPane Static { height: auto; }"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_command", "Copy command", id="config.copy-command", tooltip="The command line of the run"),
        Binding("Y", "copy_path", "Copy path", show=False, id="config.copy-path", tooltip="The run's folder"),
        Binding("j", "scroll(1)", "down", show=False, id="config.down"),
        Binding("k", "scroll(-1)", "up", show=False, id="config.up"),
    ]

    class Read(Message):
        """config.toml, the checkpoints that are there, and the command that makes the run again."""

        def __init__(self, values: Mapping[str, object], kept: list[CheckpointRecord], line: str) -> None:
            self.values, self.kept, self.line = values, kept, line
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._view: RunView | None = None
        self._shown: tuple[object, ...] = ()
        self._values: Mapping[str, object] | None = None
        self._kept: list[CheckpointRecord] = []
        self._line = ""

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static("reading …", id="text")

    def show(self, view: RunView) -> None:
        new = (view.record, view.events, view.summary)
        if self._shown and all(a is b for a, b in zip(new, self._shown, strict=True)):
            return
        self._view, self._shown = view, new
        self._read(view)

    @work(thread=True, exclusive=True, group="config", exit_on_error=False)
    def _read(self, view: RunView) -> None:
        try:
            kept = checkpoints(view.run)
        except (OSError, ValueError, KeyError, TypeError):  # a damaged manifest hides the list, not the rest
            kept = []
        self.post_message(self.Read(stored_values(view.run), kept, self._train_line(view)))

    def _train_line(self, view: RunView) -> str:
        catalog = cast("Host", self.app).catalog
        try:
            return train_line(catalog, view.run, tool()) if catalog is not None else ""
        except DlkitError:  # a component that is not there any more: what was typed then is all there is
            return ""

    def on_config_pane_read(self, message: Read) -> None:
        self._values, self._kept, self._line = message.values, message.kept, message.line
        self.shield(self._draw)

    def on_resize(self) -> None:
        self.shield(self._draw)

    def _draw(self) -> None:
        if self._view is not None and self._values is not None:
            text = account(self._view, self._values, self._kept, self._line)
            self.query_one("#text", Static).update(hanging(text, max(20, self.size.width - 4), self.app.console))

    def action_scroll(self, by: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)

    def action_copy_command(self) -> None:
        """The ``train`` line that makes the run again, whoever started it and from where; where its components are not
        there any more, the line that was typed."""
        typed = command_line(self._view.record) if self._view is not None else ""
        line = self._line or (typed if " train " in typed else "")
        if line:
            self.app.copy_to_clipboard(line)
            self.notify(f"copied: {line}", markup=False)
        else:
            self.notify(
                "the command that makes it again is not known: its components are not there", severity="warning"
            )

    def action_copy_path(self) -> None:
        if self._view is not None:
            self.app.copy_to_clipboard(str(self._view.run.path))
            self.notify(f"copied: {self._view.run.path}", markup=False)


def command_line(record: Mapping[str, object]) -> str:
    """As it was typed; empty if it is not known."""
    words = record.get("command")
    if not isinstance(words, list):
        return ""
    tool, *rest = map(str, words)
    return shlex.join(["dlkit" if tool.endswith("dlkit") else tool, *rest])


def account(view: RunView, values: Mapping[str, object], kept: Sequence[CheckpointRecord], line: str = "") -> Text:
    """The whole text. Nothing in it relies on a field being there, or being what it should be."""
    text = Text()
    _section(text, "Run", _run_rows(view, line))
    _section(text, "Components", _component_rows(view.record))
    _summary(text, view.summary)
    _configuration(text, view, values)
    _section(text, "Checkpoints", _checkpoint_rows(kept))
    return text


def _section(text: Text, title: str, rows: Mapping[str, str]) -> None:
    rows = {key: value for key, value in rows.items() if value}
    if not rows:
        return
    wide = max(map(len, rows)) + 2
    _title(text, title)
    for key, value in rows.items():
        text.append(f"{key:{wide}}", style="dim").append(f"{value}\n")


def _title(text: Text, title: str) -> None:
    text.append(f"{chr(10) if text else ''}{title}\n", style="bold underline")


def _run_rows(view: RunView, line: str) -> dict[str, str]:
    record: Mapping[str, object] = view.record  # which may hold anything
    versions = record.get("versions")
    return {
        "id": view.run.id,
        "name": str(record.get("name") or ""),
        "created": when(record.get("created"), "%Y-%m-%d %H:%M:%S"),
        "again": line,
        "command": command_line(record) if " train " in command_line(record) or not line else "",
        "folder": str(view.run.path),
        **{key: str(record[key])[:40] for key in _RECORD if record.get(key) not in (None, "")},
        "versions": ", ".join(f"{k} {v}" for k, v in versions.items()) if isinstance(versions, Mapping) else "",
    }


def _component_rows(record: Mapping[str, object]) -> dict[str, str]:
    parts = record.get("components")
    if not isinstance(parts, Mapping):
        return {}
    return {str(part): _made(made) for part, made in parts.items() if isinstance(made, Mapping)}


def _made(made: Mapping[str, object]) -> str:
    return f"{made.get('name', '?')}  ({made.get('plugin', '?')} {made.get('plugin_version', '')}".rstrip() + ")"


def _summary(text: Text, summary: Mapping[str, object]) -> None:
    if not summary:
        return
    try:
        words = describe_start(summary)
    except (KeyError, TypeError, AttributeError, ValueError):  # another version's
        return
    _title(text, "Model and data")
    text.append(f"{words}\n")


def _configuration(text: Text, view: RunView, values: Mapping[str, object]) -> None:
    """Section by section; what was changed while it ran says so, with the value before."""
    flat, changed = flatten(values), changes(view.events)
    if not flat:
        return
    _title(text, "Configuration")
    wide = max(map(len, flat)) + 2
    for key, value in flat.items():
        text.append(f"{key:{wide}}", style="dim")
        if key in changed:
            event = changed[key]
            by = f" by {event.by}" if event.by else ""
            text.append(f"{event.value}", style="bold yellow")
            text.append(f"  set at step {event.step}{by}; before that {value}\n", style="yellow")
        else:
            text.append(f"{_plain(from_here(value))}\n")


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _checkpoint_rows(kept: Sequence[CheckpointRecord]) -> dict[str, str]:
    return {
        f"step {c['step']}": f"{size(c['size']):>10}  {str(c['sha256'])[:16]}{'  best' if c['best'] else ''}"
        for c in kept
    }

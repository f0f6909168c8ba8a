"""What happened in a run, newest first; one event's whole text on Enter."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from textual.app import ComposeResult

from dlkit.events import Event, Finished, Started, to_json
from dlkit.monitor.view import RunView
from dlkit.present.events import describe, describe_start, main_values
from dlkit.present.numbers import number, when
from dlkit.tui.run.pane import Pane
from dlkit.tui.shared.table import Column, Row, Table

COLUMNS = (
    Column("time", "time", 14),
    Column("step", "step", 7, right=True),
    Column("kind", "event", 10),
    Column("what", "what", 0),
)
Entry: TypeAlias = Event | Mapping[str, object]
"""An event, or a line of evaluations.jsonl."""
_STYLES = {"failed": "bold red", "retried": "yellow", "notice": "yellow", "command": "cyan"}


class EventsPane(Pane):
    """All events but metrics and figures of the machine, and the evaluations on record."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: dict[str, Entry] = {}
        self._events: Sequence[Event] = ()
        self._rows: list[Row] = []
        """Of the events, oldest first."""
        self._evaluations: Sequence[Mapping[str, object]] | None = None

    def compose(self) -> ComposeResult:
        yield Table(COLUMNS, empty="nothing has happened yet")

    def show(self, view: RunView) -> None:
        if view.events is self._events and view.evaluations is self._evaluations:
            return
        self._take(view.events)
        self._evaluations = view.evaluations
        rows = self._rows[::-1]
        for i, entry in enumerate(view.evaluations):
            key = f"evaluation {i}"
            self._entries[key] = entry
            rows.insert(self._place(rows, _moment(entry)), row_of(key, entry))
        table = self.query_one(Table)
        at_top = table.cursor == 0
        table.show(rows)
        if at_top:
            table.action_end(-1)

    def _take(self, events: Sequence[Event]) -> None:
        """Make rows of new events; of all, if some have become void."""
        known = len(self._events)
        if known > len(events) or (known and events[known - 1] is not self._events[-1]):
            known, self._rows, self._entries = 0, [], {}
        for event in events[known:]:
            key = f"{event.seq} {event.time}"
            self._entries[key] = event
            self._rows.append(row_of(key, event))
        self._events = events

    def _place(self, rows: Sequence[Row], moment: float) -> int:
        """Where something of that time stands among rows, newest first."""
        return bisect_left(rows, -moment, key=lambda row: -_moment(self._entries[row.key]))

    def on_table_chosen(self, message: Table.Chosen) -> None:
        from dlkit.tui.shared.dialogs import TextDialog

        message.stop()
        entry = self._entries.get(message.key)
        if entry is not None:
            self.shield(lambda: self.app.push_screen(TextDialog(heading(entry), whole(entry))))

    def on_table_moved(self, message: Table.Moved) -> None:
        message.stop()


def row_of(key: str, entry: Entry) -> Row:
    kind = kind_of(entry)
    step = "" if step_of(entry) is None else str(step_of(entry))
    moment = when(_moment(entry), "%m-%d %H:%M:%S")
    return Row(key, {"time": moment, "step": step, "kind": (kind, _STYLES.get(kind, "")), "what": brief(entry)})


def kind_of(entry: Entry) -> str:
    """One word."""
    if isinstance(entry, Finished):
        return entry.status
    return entry.event if isinstance(entry, Event) else "evaluation"


def step_of(entry: Entry) -> int | None:
    """The step it belongs to, if it does."""
    if isinstance(entry, Event):
        return next((getattr(entry, k) for k in ("step", "steps", "from_step") if hasattr(entry, k)), None)
    found = entry.get("step")
    return found if isinstance(found, int) else None


def brief(entry: Entry) -> str:
    """What happened, in a line."""
    if isinstance(entry, Event):
        return describe(entry)
    text = f"{main_values(entry.get('metrics'))} (split {entry.get('split', '?')}, checkpoint {_checkpoint(entry)})"
    return " ".join(text.split())


def heading(entry: Entry) -> str:
    step = step_of(entry)
    return kind_of(entry) if step is None else f"{kind_of(entry)}, step {step}"


def whole(entry: Entry) -> str:
    """Everything that is recorded of it, for reading."""
    if isinstance(entry, Started):
        try:
            return describe_start(entry.summary)
        except (KeyError, TypeError, AttributeError, ValueError):  # another version's summary
            return _fields(json.loads(to_json(entry)))
    if isinstance(entry, Event):
        fields = json.loads(to_json(entry))
        traceback = fields.pop("traceback", "")
        return f"{brief(entry)}\n\n{_fields(fields)}{f'{chr(10)}{chr(10)}{traceback}' if traceback else ''}"
    return f"{brief(entry)}\n\n{_fields(entry)}"


def _fields(fields: Mapping[str, object]) -> str:
    left_out = ("event", "seq", "time", "end")
    return "\n".join(
        _field(key, value) for key, value in fields.items() if key not in left_out and value not in ("", {})
    )


def _field(key: str, value: object) -> str:
    if isinstance(value, Mapping):
        return "\n".join([key, *(f"  {name}  {_plain(item)}" for name, item in value.items())])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\n".join([key, *(f"  {_plain(item)}" for item in value)])
    return f"{key}  {_plain(value)}"


def _plain(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items() if item != "")
    return number(value) if isinstance(value, float) else str(value)


def _checkpoint(entry: Mapping[str, object]) -> str:
    return str(entry.get("checkpoint", "?"))[:12]


def _moment(entry: Entry) -> float:
    moment = entry.time if isinstance(entry, Event) else entry.get("time", 0.0)
    return float(moment) if isinstance(moment, (int, float)) else 0.0

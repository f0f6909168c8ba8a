"""Giving a device back in the midst of a run: the order that asks for it, and the run put back into the queue.

A run that gives way writes its checkpoint and then says ``queued`` in one write of run.json, so that at every instant
either it lives, or it is interrupted with the order still on record, or it waits: whoever starts jobs takes it up from
each. ``gave_way`` in its job table says to whom and at which step; with ``held`` it waits for a person.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import NamedTuple, TypedDict

from dlkit.errors import UsageError
from dlkit.json_types import Json
from dlkit.runs import commands, own
from dlkit.runs.commands import Command
from dlkit.runs.files import file_size
from dlkit.runs.folder import RunFolder
from dlkit.runs.run_record import RunRecord
from dlkit.shapes import fields, text

ACTION = "release"
URGENT, TURN, HAND, NOTICE = "urgent", "turn", "hand", "notice"
WHY = (URGENT, TURN, HAND, NOTICE)
"""An urgent job needs the device, another's turn has come, a person says so, the machine is about to go."""
LONGEST_NOTICE = 86400
_VALUE = fields(to=text, called=text, why=text)


def notice_seconds() -> float:
    """DLKIT_NOTICE_SECONDS: how long after SIGTERM the machine, or the allocation, is gone; 0: SIGTERM just stops.

    UsageError for anything but a number of seconds.
    """
    said = os.environ.get("DLKIT_NOTICE_SECONDS", "")
    try:
        seconds = float(said or 0)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_NOTICE:
        raise UsageError(f"DLKIT_NOTICE_SECONDS={said!r}: must be seconds, 0 to {LONGEST_NOTICE}")
    return seconds


class GaveWay(TypedDict, total=False):
    """``gave_way`` of a job table: to the run ``to``, which people call ``called``, at ``step``, at ``time``."""

    to: str
    called: str
    why: str
    whose: str
    step: int
    time: float


class Release(NamedTuple):
    """What an order to give way says. ``end`` is the offset behind it in commands.jsonl; ``held``: until a person has
    the run go on."""

    why: str
    to: str = ""
    called: str = ""
    whose: str = ""
    end: int = 0
    held: bool = False
    time: float = 0.0

    @property
    def words(self) -> str:
        return words(self.why, self.called or self.to, self.whose)


def words(why: str, called: str, whose: str) -> str:
    """``gave way to NAME, which is urgent``: for people, without the step."""
    match why:
        case "urgent":
            return f"gave way to {called}, which is urgent"
        case "turn":
            return f"gave way to {called}, whose turn it is"
        case "notice":
            return "gave way to a notice (SIGTERM) that the machine is about to go"
        case _:
            return f"paused by {whose}, its device given back"


def ask(run: RunFolder, why: str, to: str = "", called: str = "", *, by: str = "", reason: str = "") -> str:
    """Ask a job to give way; the command's id. OSError if it cannot be written."""
    value: dict[str, Json] = {"to": to, "called": called, "why": why}
    return commands.append(run.commands, ACTION, "for", value, by=by, reason=reason)


def understood(command: Command, *, paused: bool = False) -> Release:
    """A command as what it asks for; one that says nothing more is a person's. ``paused``: by a person, before."""
    value: Mapping[str, object] = command.value if isinstance(command.value, dict) else {}
    if _VALUE(value, "") or value.get("why") not in WHY:
        value = {"why": HAND}
    why, to, called = (str(value.get(key, "")) for key in ("why", "to", "called"))
    held = why == HAND or paused  # what a person has paused does not go on by itself
    return Release(why, to, called, command.whose, command.end, held, command.time)


def pending(run: RunFolder, record: RunRecord) -> Release | None:
    """The order to give way that the job of a run has been given and has not obeyed; None too if it is to stop."""
    since = _table(record).get("commands_from", 0)
    since = since if isinstance(since, int) else 0
    if file_size(run.commands) <= since:  # the usual case: one stat
        return None
    return asked(commands.read(run.commands, since)[0])


def asked(found: list[Command]) -> Release | None:
    """The first order to give way among commands, unless one of them is to stop."""
    if any(command.action == "stop" for command in found):
        return None
    return next((understood(command) for command in found if command.action == ACTION), None)


def back_in_queue(
    run: RunFolder, record: RunRecord, release: Release, step: int, table: Mapping[str, object] | None = None
) -> RunRecord | None:
    """What run.json is to say of a run that gives way at ``step``, in one write, by whoever may write it.

    ``table``: the job table of a run that has none of its own. None: it is nobody's to start again by itself.
    """
    job = {**(_table(record) or table or {})}
    if not job or (release.why == NOTICE and not job.get("queued")):  # whoever started it at once looks after it
        return None
    gave_way: GaveWay = {
        "to": release.to,
        "called": release.called,
        "why": release.why,
        "whose": release.whose,
        "step": step,
        "time": round(time.time(), 3),
    }
    reason = f"{release.words}, at step {step}"
    changes: dict[str, object] = {
        "queued": True,
        "foreground": False,
        "commands_from": release.end,
        "gave_way": gave_way,
        "after": [],
    }
    if release.held:
        changes["held"] = release.whose
    if release.why == TURN:  # behind those that have waited: it had its turn
        changes["since"] = gave_way["time"]
    if release.why == NOTICE:  # a scheduler that lives as long as the machine would start it into its end
        changes["at"] = round(time.time() + notice_seconds(), 3)
    if "fingerprint" in record:  # it has been built: its next worker goes on with it
        device = str(record.get("device", job.get("device", "auto")))
        # Any GPU of its kind will do: the one it had is another's by now.
        changes["device"] = device.partition(":")[0] if device.startswith("cuda") else device
        changes |= {"resume": True, "before": {"state": "stopped", "reason": reason, "result": None}}
    return own.marks_again(run.path, record, state="queued", reason=reason, result=None, job={**job, **changes})


def gave_way(job: Mapping[str, object]) -> GaveWay | None:
    """What a job table says of it."""
    found = job.get("gave_way")
    return found if isinstance(found, dict) else None  # type: ignore[return-value]  # checked where run.json is read


def _table(record: RunRecord) -> Mapping[str, object]:
    job = record.get("job")
    return job if isinstance(job, dict) else {}

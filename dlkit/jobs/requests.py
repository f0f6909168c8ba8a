"""Asking something of a running job from outside: whether it can be asked, sending it, and what comes of it.

``refusal`` and ``Pending`` never wait and never read a file: an interface asks them at every change that it sees.
``Request`` is the same for whoever can wait. Both give data; what people read is each caller's own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from dlkit.errors import RunError
from dlkit.events import Commanded, Event, Finished, Resumed, Started
from dlkit.jobs.follow import LOST, Follower, Gone, state_now
from dlkit.jobs.job_record import job_of
from dlkit.runs import commands, giving_way, opening
from dlkit.runs.files import file_size
from dlkit.runs.folder import FORMAT, RunFolder
from dlkit.runs.run_record import RunRecord

PATIENCE = 10.0
"""Seconds after which a job that has not answered is said not to have. It obeys late, or never."""
LOOK_SECONDS = 0.05
FRESH_SECONDS = 60.0
"""A job on another host is believed to be alive if its last event is younger, or if it is paused."""


class Refusal(NamedTuple):
    """Why a job cannot be asked now.

    ``newer``        a newer dlkit wrote it: what a command means to it is not known here
    ``starting``     it will be able to soon: its processes are being started
    ``queued``       it waits in the queue
    ``foreign``      it says so, and is not its workspace's own
    ``completed``, ``interrupted``
    ``ended``        stopped, or failed
    ``gone``         damaged, removed, or not read yet
    """

    kind: Literal["newer", "starting", "queued", "foreign", "completed", "interrupted", "ended", "gone"]
    state: str


class Refused(RunError):
    """The run cannot be asked; ``refusal`` says why, for those who have better words."""

    def __init__(self, run: RunFolder, refusal: Refusal) -> None:
        super().__init__(f"{run.id} is {refusal.state}, not running")
        self.refusal = refusal


def refusal(state: str, record: RunRecord, action: str) -> Refusal | None:
    """Why a run of that state and run.json cannot be asked; None if it can."""
    if record.get("format", 0) > FORMAT or state.endswith("(newer format)"):
        return Refusal("newer", state)
    if state.startswith("unknown"):
        return None  # a shared disk carries commands to other hosts too
    match state:
        case "running" | "paused":
            # Before it trains, only its supervisor reads commands, and that knows these alone.
            begun = action in ("stop", giving_way.ACTION) or is_alive(record.get("pid"))
            return None if begun else Refusal("starting", state)
        case "queued":  # said of a job that waits, and of one whose worker has not taken it yet
            return Refusal("queued" if job_of(record).get("queued", True) else "starting", state)
        case "completed" | "interrupted" | "foreign":
            return Refusal(state, state)
        case "stopped" | "failed":
            return Refusal("ended", state)
        case _:
            return Refusal("gone", state)


def send(run: RunFolder, action: str, key: str = "", value: object = None, *, reason: str = "") -> str:
    """Ask something of a job, and do not wait; the command's id. RunError if it cannot be written."""
    try:
        return commands.append(run.commands, action, key, value, reason=reason)
    except OSError as error:
        raise RunError(f"{run.commands} cannot be written: {error.strerror or error}") from error


class Pending:
    """The commands that somebody has sent, and who still waits for an answer."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[str, float]] = {}
        self._late: set[str] = set()

    def sent(self, identity: str, action: str, deadline: float) -> None:
        """A command is on its way; until ``deadline`` (monotonic seconds) its answer is waited for in silence."""
        self._waiting[identity] = action, deadline

    def answered(self, events: Sequence[Event]) -> list[Commanded]:
        """Answers to what was sent, each given once, however often the same events are shown."""
        if not (self._waiting or self._late):  # the usual case, at every change of a run that is looked at
            return []
        found = [e for e in events if isinstance(e, Commanded) and (e.id in self._waiting or e.id in self._late)]
        for event in found:
            self._waiting.pop(event.id, None)
            self._late.discard(event.id)
        return found

    def overdue(self, now: float) -> list[str]:
        """The actions whose time has just run out, each once; the job may still obey them."""
        late = {identity: action for identity, (action, deadline) in self._waiting.items() if now >= deadline}
        self._late |= late.keys()
        for identity in late:
            del self._waiting[identity]
        return list(late.values())

    def drop(self) -> None:
        """The run is over: nothing will answer."""
        self._waiting.clear()
        self._late.clear()


class Answer(NamedTuple):
    """What came of a command: the job's own word, how it ended meanwhile, or neither in time."""

    event: Commanded | None = None
    end: Finished | Gone | None = None


class Request:
    """One command to one run. ``send()`` appends it and waits for the answer; Refused if the run cannot be asked.

    ``reason`` is put on record; ``timeout`` is in seconds, of everything; ``say`` hears where a command goes that
    leaves this machine.
    """

    def __init__(
        self,
        run: RunFolder,
        action: str,
        key: str = "",
        value: object = None,
        *,
        reason: str = "",
        timeout: float = PATIENCE,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.run, self.action, self.key, self.value = run, action, key, value
        self.id, self._reason = "", reason
        self._timeout, self._say = timeout, say
        self._deadline = time.monotonic() + timeout
        self._pending = Pending()

    def send(self) -> Answer:
        self._wait_until_it_trains()
        self._follower = Follower(self.run, file_size(self.run.events))
        self._append()
        return self._answer()

    def check(self) -> None:
        """Whether it can be asked now, nothing being asked; Refused or RunError as of ``send``."""
        found = self._refusal()
        # What is being started could be asked as soon as it trains.
        if found is not None and found.kind != "starting":
            raise Refused(self.run, found)

    def wait_for_end(self) -> Finished | Gone:
        """However long it takes."""
        while self._follower.ended is None:
            time.sleep(LOOK_SECONDS)
            self._follower.poll()
        return self._follower.ended

    def _append(self) -> None:
        self.id = send(self.run, self.action, self.key, self.value, reason=self._reason)
        self._pending.sent(self.id, self.action, self._deadline)

    def _answer(self) -> Answer:
        while True:
            found = self._follower.poll()
            mine = self._pending.answered(found)
            if not mine and any(isinstance(e, (Started, Resumed)) for e in found):
                self._append()  # it began meanwhile, and passes over what was asked before: only stop comes so early
            if mine or self._follower.ended is not None:
                return Answer(mine[0] if mine else None, self._follower.ended)
            if self._pending.overdue(time.monotonic()):
                return Answer()
            time.sleep(LOOK_SECONDS)

    def _wait_until_it_trains(self) -> None:
        """What will be possible soon is waited for: whoever types the next command does not know of processes."""
        while (found := self._refusal()) is not None:
            if found.kind != "starting":
                raise Refused(self.run, found)
            if time.monotonic() >= self._deadline:
                raise RunError(f"{self.run.id} is being started, and has not begun to train within {self._timeout:g} s")
            time.sleep(LOOK_SECONDS)

    def _refusal(self) -> Refusal | None:
        state = state_now(self.run)
        record = {} if state in LOST[1:] else self.run.read()
        found = refusal(state, record, self.action)
        if found is None and state.startswith("unknown"):
            self._check_elsewhere(record)
        return found

    def _check_elsewhere(self, record: RunRecord) -> None:
        """Whether anybody reads commands on another host cannot be known: RunError if it is not to be believed."""
        host = record.get("host")
        told = opening.status(self.run.path, self.run.events.name)
        age = time.time() - told.st_mtime if told is not None else float("inf")
        if age > FRESH_SECONDS and record.get("state") != "paused":
            silence = "never told anything" if age == float("inf") else f"last told something {age:.0f} s ago"
            raise RunError(f"{self.run.id} says it runs on {host}, and {silence}: do this there")
        self._say(f"{self.run.id} runs on {host}: the command goes there through the shared folder")


def is_alive(process: object) -> bool:
    """Whether the process that trains, as it wrote itself into run.json when it began, is there."""
    try:
        os.kill(int(process), 0)  # type: ignore[call-overload]  # whatever run.json has there
    except PermissionError:
        return True
    except (OSError, TypeError, ValueError, OverflowError):
        return False
    return True

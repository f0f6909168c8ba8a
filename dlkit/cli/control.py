"""Asking something of a running job, and saying what came of it: what stop, pause, unpause, ask and set share."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from dlkit.cli.choice import run_parser
from dlkit.cli.common import Parser, print_json
from dlkit.errors import RunError
from dlkit.events import Commanded, Finished, Resumed, Started
from dlkit.jobs.follow import LOST, Follower, Gone, state_now
from dlkit.present.commands import to_type
from dlkit.present.events import describe_answer
from dlkit.present.outcome import unrecorded_end
from dlkit.present.output import say
from dlkit.runs import commands
from dlkit.runs.files import file_size
from dlkit.runs.folder import ENDED, FORMAT, RunFolder

TIMEOUT = 10.0
LOOK_SECONDS = 0.05
FRESH_SECONDS = 60.0
"""A job on another host is believed to be alive if its last event is younger, or if it is paused."""


class Answer(NamedTuple):
    """What came of a command: the job's own word, how it ended meanwhile, or neither in time."""

    event: Commanded | None = None
    end: Finished | Gone | None = None


def control_parser(command: str, description: str) -> Parser:
    parser = run_parser(command, description)
    parser.add_argument(
        "--timeout", type=float, default=TIMEOUT, metavar="SECONDS", help=f"wait for the job's answer ({TIMEOUT:g})"
    )
    return parser.with_json()


class Request:
    """One command to one run. ``send()`` appends it and waits for the answer; RunError if the run is not alive."""

    def __init__(self, run: RunFolder, action: str, key: str = "", value: Any = None, *, timeout: float) -> None:
        self.run, self.action, self.key, self.value = run, action, key, value
        self.ids: list[str] = []
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout

    def send(self) -> Answer:
        self._wait_until_it_trains()
        self._follower = Follower(self.run, file_size(self.run.events))
        self._append()
        return self._answer()

    def wait_for_end(self) -> Finished | Gone:
        """However long it takes."""
        while self._follower.ended is None:
            time.sleep(LOOK_SECONDS)
            self._follower.poll()
        return self._follower.ended

    def _append(self) -> None:
        try:
            self.ids.append(commands.append(self.run.commands, self.action, self.key, self.value))
        except OSError as error:
            raise RunError(f"{self.run.commands} cannot be written: {error.strerror or error}") from error

    def _answer(self) -> Answer:
        while True:
            found = self._follower.poll()
            mine = [e for e in found if isinstance(e, Commanded) and e.id in self.ids]
            if not mine and any(isinstance(e, (Started, Resumed)) for e in found):
                self._append()  # it began meanwhile, and passes over what was asked before: only stop comes so early
            if mine or self._follower.ended is not None:
                return Answer(mine[0] if mine else None, self._follower.ended)
            if self._late:
                return Answer()
            time.sleep(LOOK_SECONDS)

    @property
    def _late(self) -> bool:
        return time.monotonic() >= self._deadline

    def _wait_until_it_trains(self) -> None:
        """A job whose worker has just been started reads no commands yet; its supervisor knows ``stop`` alone."""
        while not self._trains():
            if self._late:
                raise RunError(f"{self.run.id} is being started, and has not begun to train within {self._timeout:g} s")
            time.sleep(LOOK_SECONDS)

    def _trains(self) -> bool:
        """Whether the command would be read; RunError if it never will be."""
        state = state_now(self.run)
        record = {} if state in LOST[1:] else self.run.read()
        if record.get("format", 0) > FORMAT:
            raise RunError(f"{self.run.id} was written by a newer dlkit (format {record['format']})")
        if state == "queued" and not record.get("job", {}).get("queued", True):
            return False
        if state.startswith("unknown"):
            self._check_elsewhere(record)
            return True
        if state not in ("running", "paused"):
            _refuse(self.run, state)
        return self.action == "stop" or _alive(record.get("pid"))

    def _check_elsewhere(self, record: Mapping[str, Any]) -> None:
        """A shared disk carries commands to other hosts too; whether anybody reads them there cannot be known."""
        host = record.get("host")
        try:
            age = time.time() - self.run.events.stat().st_mtime
        except OSError:
            age = float("inf")
        if age > FRESH_SECONDS and record.get("state") != "paused":
            silence = "never told anything" if age == float("inf") else f"last told something {age:.0f} s ago"
            raise RunError(f"{self.run.id} says it runs on {host}, and {silence}: do this there")
        say(f"{self.run.id} runs on {host}: the command goes there through the shared folder")


def perform(run: RunFolder, action: str, key: str = "", value: Any = None, *, options: Any) -> Request:
    """Send a command and report it, as text or JSON; RunError if it was refused or came too late."""
    request = Request(run, action, key, value, timeout=options.timeout)
    answer = request.send()
    if options.json:
        print_json(document(request, answer))
    if answer.event is not None and answer.event.refused:
        raise RunError(f"{run.id}: {answer.event.refused}")
    if answer.event is None and answer.end is not None and action != "stop":
        raise RunError(f"it was too late for {action}: {how_it_ended(run, answer.end)}")
    if answer.event is None and answer.end is None:
        say(f"{run.id} has not answered within {options.timeout:g} s; the command stays in line")
    elif not options.json:
        print(_text(run, answer))
    return request


def document(request: Request, answer: Answer) -> dict[str, Any]:
    """What ``--json`` prints. A run that ended when it was told to stop has obeyed."""
    event, end = answer
    what = {"key": request.key, "value": request.value} if request.key else {}
    step = event.step if event is not None else end.steps if isinstance(end, Finished) else None
    obeyed = not event.refused if event is not None else request.action == "stop" and isinstance(end, Finished)
    return {
        "run": request.run.id,
        "action": request.action,
        **what,
        "id": request.ids[-1],
        "obeyed": obeyed,
        "step": step,
        "refused": event.refused if event is not None else "",
    }


def how_it_ended(run: RunFolder, end: Finished | Gone) -> str:
    if isinstance(end, Gone):
        return unrecorded_end(run, end.state)
    return f"{run.id}: {end.status} at step {end.steps}{f' ({end.reason})' if end.reason else ''}"


def _text(run: RunFolder, answer: Answer) -> str:
    if answer.event is None:
        assert answer.end is not None
        return how_it_ended(run, answer.end)
    hint = f" ({to_type(run, f'unpause {run.id}')} goes on)" if answer.event.action == "pause" else ""
    return f"{run.id}: {describe_answer(answer.event)}{hint}"


def _refuse(run: RunFolder, state: str) -> NoReturn:
    """RunError: the run's state, and what can be done."""
    goes_on = f"{to_type(run, f'resume {run.id}')} goes on with it"
    if state == "queued":
        raise RunError(f"{run.id} is queued, not running: {to_type(run, f'queue cancel {run.id}')} takes it out")
    if state == "completed":
        raise RunError(f"{run.id} is completed: {to_type(run, f'resume {run.id} --epochs N')} trains it longer")
    if state == "interrupted":
        raise RunError(unrecorded_end(run, state))
    raise RunError(f"{run.id} is {state}, not running{f': {goes_on}' if state in ENDED else ''}")


def _alive(process: Any) -> bool:
    """Whether the process that trains, as it wrote itself into run.json when it began, is there."""
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (OSError, TypeError, ValueError, OverflowError):
        return False
    return True

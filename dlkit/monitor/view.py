"""One run, followed: everything its screen shows."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlkit.events import Checkpointed, Event, Finished, Forked, Machine, Sampled, Spent, Started
from dlkit.jobs.follow import OutputLog, Tail, state_now
from dlkit.json_types import Json
from dlkit.monitor.history import Series as Series
from dlkit.monitor.log_state import LogState
from dlkit.monitor.milestones import Milestone
from dlkit.monitor.moments import Moment, moments
from dlkit.monitor.past import Past
from dlkit.runs.contents import EvaluationRecord, evaluations, stored_sections
from dlkit.runs.files import file_size
from dlkit.runs.folder import RunFolder
from dlkit.runs.run_record import RunRecord

LOG_LINES = 10_000
LOG_BYTES = 1 << 21
"""Of a longer output.log only the end is read."""
BLOCK = 1 << 18
"""Bytes of a log that are parsed in one go: about 4 ms, in which no other thread runs."""
BUDGET_SECONDS = 0.5
"""A poll ends after so long, though there is more to read: it can be shown what there is by then."""
CACHED = 8
"""How many views are kept for runs that are opened again."""


class RunView:
    """``poll()`` is called by one thread; the rest may be read by another at any time, and is replaced, never cut.

    What a later ``resumed`` made void is left out, as ``runs.log.effective`` has it. Whatever is damaged, or gone, is
    left out too, or stays as it was when it was last read.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.version = 0
        """Grows with every poll that found something new: for those who share a view."""
        self.behind = False
        """Whether a long log has been read in part only; the next polls go on."""
        self.record: RunRecord = {}
        """run.json; empty while it is unreadable."""
        self.state = ""
        """As ``jobs.follow.state_now`` says."""
        self.step = self.total_steps = self.epoch = 0
        self.rate = 0.0
        """Steps a second, as last told."""
        self.pace = 0.0
        """Steps a second over the last half minute, evaluations and all."""
        self.time_left: float | None = None
        """Seconds until ``engine.max_time`` ends the run, as last told; None: it does not."""
        self.started = 0.0
        self.updated = 0.0
        """UTC seconds of the first and of the last event."""
        self.metrics: dict[str, float] = {}
        """The last value of every metric."""
        self.summary: Mapping[str, Json] = {}
        """What ``started`` says of model, data, device, precision."""
        self.sampled: Sequence[Sampled] = ()
        self.checkpoints: Sequence[Checkpointed] = ()
        self.machine: Sequence[Machine] = ()
        """The last ten minutes."""
        self.spent: Spent | None = None  # where the time of all attempts has gone
        self.events: Sequence[Event] = ()
        """All but metrics, machine and spent, oldest first."""
        self.damaged = 0
        """Lines of the log that are damaged, and left out."""
        self.milestones: Sequence[Milestone] = ()
        """Evaluations, and ends of epochs without one, oldest first."""
        self.moments: Sequence[Moment] = ()  # what curves may show of the events
        self.finished: Finished | None = None
        self.evaluations: Sequence[EvaluationRecord] = ()
        """The lines of evaluations.jsonl, oldest first."""
        self.log: Sequence[str] = ()
        """The last lines of output.log, at most 10 000, fit for a terminal."""
        self.log_count = 0
        """How many lines there have been in all; of a long log, since the place where reading began."""
        self.log_ends: Sequence[int] = ()
        """Behind which byte of output.log each line of ``log`` ends."""
        self.printed: Sequence[tuple[int, float]] = ()
        """Up to which byte output.log had come at which UTC seconds, both ascending; of logs of before, nothing."""
        self._lock = threading.Lock()
        self._restart()

    def poll(self) -> bool:
        """Look at the folder; True if anything is new."""
        with self._lock:
            state = self._state()  # before the logs: who is dead by then has written all there will be to read
            changed = [self._read_record(), self._read_events(), self._read_evaluations(), self._read_output(state)]
            changed.append(state != self.state)
            self.state = state
            self.version += any(changed)
            return any(changed)

    @property
    def names(self) -> Sequence[str]:
        """Every metric recorded, in the order of their first appearance."""
        return self._log_state.history.names

    def series(self, name: str) -> Series:
        """KeyError if there is no such metric."""
        return self._log_state.history.series(name)

    def joined(self, name: str) -> Series:
        """The same, a fork's with what its parent had measured up to ``branch``."""
        return self._past.joined(name, self.series(name))

    @property
    def branch(self) -> int | None:
        """The step at which a fork began; None of a run that is none."""
        return self._past.step

    @property
    def epoch_steps(self) -> int:
        """Steps of an epoch as the run said when it began; 0 if it did not."""
        return next((event.epoch_steps for event in self.events if isinstance(event, Started)), 0)

    @property
    def clock(self) -> Series:
        """Steps, and the seconds of training in which they were reached."""
        return self._log_state.clock.course

    def _restart(self) -> None:
        """Read from the beginning."""
        self._origin: str | None = None
        self._log_state = LogState()
        self._past = Past()
        self._events_seen = -1
        self._tail = Tail(self.run.events)
        self._inode = 0
        self._record_signature: tuple[int, ...] = ()
        self._evaluations_signature: tuple[int, ...] = ()
        self._restart_output()

    def _restart_output(self) -> None:
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._ends: deque[int] = deque(maxlen=LOG_LINES)
        self._cut = max(0, file_size(self.run.output) - LOG_BYTES)
        self._output = OutputLog(self.run, self._cut)

    def _state(self) -> str:
        try:
            return state_now(self.run)
        except (OSError, AttributeError, TypeError):  # a run.json that is JSON, and nonsense
            return "damaged"

    def _read_record(self) -> bool:
        signature = _signature(self.run.record)
        if signature == self._record_signature:
            return False
        self._record_signature = signature
        try:
            self.record = self.run.read()
        except (OSError, ValueError):
            self.record = {}
        return True

    # The log

    def _read_events(self) -> bool:
        signature = _signature(self.run.events)
        if not signature:
            return False
        another = self._inode not in (0, signature[0]) or signature[1] < self._tail.offset
        if another:
            self._restart()
        self._inode = signature[0]
        start = self._tail.offset
        ends = time.monotonic() + BUDGET_SECONDS
        self.behind = False
        while lines := self._tail.lines(limit=BLOCK):
            self._log_state.feed(lines)
            if time.monotonic() >= ends:
                self.behind = True
                break
            time.sleep(0)  # others may run
        new = another or self._tail.offset > start
        if new:
            self._publish()
        return new

    def _publish(self) -> None:
        log = self._log_state
        self.step, self.total_steps, self.epoch = log.step, log.total_steps, log.epoch
        self.rate, self.pace, self.time_left = log.rate, log.pace, log.time_left
        self.started, self.updated = log.started, log.updated
        self.metrics, self.summary = log.history.last(), log.summary
        self.machine, self.damaged = tuple(log.machine), log.damaged
        self.printed = tuple(log.printed)
        self.spent = log.spending.in_all()
        if log.milestones.found != list(self.milestones):
            self.milestones = tuple(log.milestones.found)
        if log.events_changed != self._events_seen:
            self._events_seen = log.events_changed
            events = tuple(log.events)
            self.sampled = tuple(e for e in events if isinstance(e, Sampled))
            self.checkpoints = tuple(e for e in events if isinstance(e, Checkpointed))
            self.finished = next((e for e in reversed(events) if isinstance(e, Finished)), None)
            self.events = events
            if self._past.step is None and (forked := next((e for e in events if isinstance(e, Forked)), None)):
                self._past = Past(self.run, forked.from_step)
            if self._origin is None:
                self._origin = str(stored_sections(self.run).get("engine", {}).get("init_from") or "")
            self.moments = tuple(moments(events, self._origin))

    # The other files

    def _read_evaluations(self) -> bool:
        signature = _signature(self.run.evaluations)
        if signature == self._evaluations_signature:
            return False
        self._evaluations_signature = signature
        self.evaluations = tuple(evaluations(self.run))
        return True

    def _read_output(self, state: str) -> bool:
        if file_size(self.run.output) < self._output.offset:
            self._restart_output()
            self.log_count = 0
        alive = state in ("running", "paused", "queued") or state.startswith("unknown")
        found = self._output.poll_placed(torn=not alive)
        if not found:
            return False
        if self._cut:  # the first line has lost its beginning
            self._cut, found = 0, found[1:]
        self._ends.extend(end for end, _ in found)
        self._lines.extend(line for _, line in found)
        self.log_count += len(found)
        self.log, self.log_ends = tuple(self._lines), tuple(self._ends)
        return True


_VIEWS: OrderedDict[Path, RunView] = OrderedDict()


def follow_run(run: RunFolder) -> RunView:
    """The view of a run. Those last asked for are kept: opening one again reads only what has come since."""
    view = _VIEWS.pop(run.path, None) or RunView(run)
    _VIEWS[run.path] = view
    while len(_VIEWS) > CACHED:
        _VIEWS.popitem(last=False)
    return view


def _signature(path: Path) -> tuple[int, ...]:
    """Inode, size and time of a file; empty if there is none."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns

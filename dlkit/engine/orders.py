"""What people, signals and clocks ask of a run while it goes, and what its processes agree to do about it.

People append to commands.jsonl. Rank 0 looks at that file, at signals and at clocks; what it sees, all ranks do at the
same step, and they agree on the step at which they look again. But for ``set``, nothing here changes a weight.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

from dlkit.engine.distributed import World
from dlkit.engine.progress import Progress
from dlkit.engine.settings import Settings
from dlkit.engine.signals import StopSignals
from dlkit.events import Commanded
from dlkit.json_types import Json
from dlkit.runs import commands, giving_way
from dlkit.runs.commands import Command
from dlkit.runs.files import file_size
from dlkit.runs.giving_way import Release

LOOK_SECONDS = 0.1
"""Shortest time between two looks at commands.jsonl within an evaluation: a look costs a system call."""

WriterState = Literal["free", "busy", "full"]
"""Of rank 0's checkpoint writer. ``full``: a snapshot of the best weights waits behind the one being written."""


@dataclass(frozen=True)
class Agreed:
    """What to do at one attention, the same on every rank; JSON on its way between them.

    ``commands`` are new lines of commands.jsonl; ``stop`` is the reason, where a signal asks for an end; ``time_up``
    says that max_time is over, ``overdue`` that the next checkpoint's time has come. ``steps`` is after how many steps
    all look again.
    """

    commands: tuple[Command, ...] = ()
    stop: str = ""
    time_up: bool = False
    overdue: bool = False
    writer: WriterState = "free"
    steps: int = 1

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.commands or self.stop or self.time_up or self.overdue)

    def to_wire(self) -> dict[str, Json]:
        return {**vars(self), "commands": [command.to_json() for command in self.commands]}

    @classmethod
    def from_wire(cls, message: Mapping[str, Json]) -> Agreed:
        lines = cast("list[dict[str, Json]]", message["commands"])
        fields = {**message, "commands": tuple(Command.from_json(line) for line in lines)}
        return cls(**fields)  # type: ignore[arg-type]


class Inbox:
    """New lines of commands.jsonl, from ``offset`` on."""

    def __init__(self, path: Path, offset: int | None = None) -> None:
        """Without ``offset``, what stands there already is passed over: it was asked of an earlier attempt."""
        self.path = path
        self.offset = file_size(path) if offset is None else offset
        self._looked = 0.0

    def due(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() - self._looked >= LOOK_SECONDS

    def look(self) -> list[Command]:
        """What has been asked since the last look."""
        self._looked = time.monotonic()
        # One stat where nothing is new, which is nearly always.
        if file_size(self.path) <= self.offset:
            return []
        found, self.offset = commands.read(self.path, self.offset)
        return found


class Orders:
    """Looks, agrees, and keeps what has been asked for until it is done.

    ``ending`` is why the run ends before its planned end, if it does; ``completes`` says that it then counts as
    completed (its time was up, or it got no better), and ends as at its planned end: evaluated and sampled.
    ``interval`` is about how many seconds may pass until several processes look again.
    """

    def __init__(
        self, inbox: Inbox, signals: StopSignals, settings: Settings, progress: Progress, world: World, interval: float
    ) -> None:
        self.ending, self.completes = "", False
        self.release: Release | None = None
        """To whom the run gives way, if that is why it ends."""
        self.paused = False
        self.never_pauses = ""
        """Why the run cannot be paused, if it cannot."""
        self._wanted: set[str] = set()
        self._inbox, self._signals, self._settings, self._progress = inbox, signals, settings, progress
        self._world, self._interval = world, interval
        self._steps = 1

    def next_attention(self, step: int) -> float:
        """The step at which several processes agreed to look again; one process looks by the clock."""
        return step + self._steps if self._world.size > 1 else float("inf")

    def time_left(self, now: float) -> float | None:
        """Seconds until ``max_time``, which counts all of the run's resumes, at ``time.monotonic() == now``."""
        limit = self._settings.engine.max_time
        return None if limit is None else max(0.0, limit - self._progress.seconds_at(now))

    def should_look(self) -> bool:
        """Between the batches of an evaluation: whether one process should look now. Several always agree."""
        return self._world.size > 1 or bool(self._signals.asked) or self._inbox.due()

    def agree(self, *, overdue: bool, writer: WriterState, rate: float) -> Agreed:
        """What is asked for now, the same on all ranks; ``rate`` is in steps a second."""
        world = self._world
        if world.size == 1:
            return self._look(overdue, writer)
        # A signal may reach any rank: a terminal's Ctrl-C all of them, a scheduler's SIGTERM perhaps one.
        signalled = world.any(bool(self._signals.asked))
        found: dict[str, Json] | None = None
        if world.rank_zero:
            # Nothing but gradients is exchanged between two attentions, so their distance is agreed beforehand: as
            # many steps as fit into the interval, and at most twice those of last time, since a rate may be a fluke.
            steps = min(max(1, int(rate * self._interval)), 2 * self._steps)
            found = replace(self._look(overdue, writer), steps=steps).to_wire()
        agreed = Agreed.from_wire(world.share(found))
        self._steps = agreed.steps
        return replace(agreed, stop=agreed.stop or ("terminated (SIGTERM)" if signalled else ""))

    def _look(self, overdue: bool, writer: WriterState) -> Agreed:
        return Agreed(
            commands=tuple(self._inbox.look()),
            stop=self._signals.asked,
            time_up=self.time_left(time.monotonic()) == 0,
            overdue=overdue,
            writer=writer,
        )

    def carry_out(self, agreed: Agreed) -> Iterator[Commanded]:
        """Obey; yields what is to be recorded of each command, as soon as it is obeyed or refused."""
        # One by one: a command is recorded before the next is obeyed, so that the log is never behind by more than one.
        for command in agreed.commands:
            yield self._commanded(command, self._obey(command))
        if agreed.stop:
            self.end(agreed.stop, completes=False)
        # Whoever stopped it wants to go on with it later: time that is up meanwhile does not complete the run.
        if agreed.time_up and not self.ending:
            self.end(f"max_time of {self._settings.engine.max_time:g} s reached", completes=True)

    def replay_settings(self) -> Iterator[Commanded]:
        """Make the changes of settings again that an earlier attempt made at this step."""
        for event in self._settings.due(self._progress.step):
            refused = self._settings.change(event.key, event.value, event.id)
            yield replace(event, step=self._progress.step, refused=refused)

    def end(self, reason: str, *, completes: bool, release: Release | None = None) -> None:
        """End the run here: completed, with this reason, or stopped, to be resumed; ``release``: by itself."""
        self.ending, self.completes, self.release = reason, completes, release

    def take(self, what: Literal["sample", "checkpoint"]) -> bool:
        """Whether somebody has asked for it since the last call."""
        asked = what in self._wanted
        self._wanted.discard(what)
        return asked

    def _obey(self, command: Command) -> str:
        """Do what a command says; returns why not, or an empty text."""
        match command.action:
            case "stop":
                self.end(f"stopped by {command.whose}", completes=False)
            case "pause" | "unpause" if self.never_pauses:
                return self.never_pauses
            case "pause" | "unpause" as action:
                # Not passed over in silence: whoever asks waits for what has come of it.
                if self.paused == (action == "pause"):
                    return "it is paused already" if self.paused else "it is not paused"
                self.paused = not self.paused
            case "sample" | "checkpoint" as what:
                # Made at its place in the loop's order, not here.
                self._wanted.add(what)
            case "set":
                return self._settings.change(command.key, command.value, command.id)
            case giving_way.ACTION:
                return self._give_way(giving_way.understood(command, paused=self.paused))
            case other:
                return f"unknown command {other!r}"
        return ""

    def _give_way(self, release: Release) -> str:
        if self.never_pauses:
            return self.never_pauses
        if not self.ending:  # whoever has stopped it means it
            self.end(release.words, completes=False, release=release)
        return ""

    def _commanded(self, command: Command, refused: str) -> Commanded:
        return Commanded(
            step=self._progress.step,
            action=command.action,
            key=command.key,
            value=command.value,
            id=command.id,
            by=command.by,
            end=command.end,
            refused=refused,
            reason=command.reason,
        )

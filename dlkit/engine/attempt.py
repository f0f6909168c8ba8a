"""A run about to go: what was built for it, its folder, and the stream of events that comes of both."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from torch import Tensor

from dlkit.engine.build import Job
from dlkit.engine.loop import Loop
from dlkit.engine.orders import Inbox
from dlkit.engine.overheard import overheard
from dlkit.engine.resuming import Resuming
from dlkit.engine.room import bounded_memory
from dlkit.engine.signals import StopSignals
from dlkit.engine.tensor_files import write_tensors
from dlkit.errors import RunError
from dlkit.events import Event
from dlkit.runs import index, own
from dlkit.runs.checkpoints import Checkpoint
from dlkit.runs.files import write_text
from dlkit.runs.folder import RunFolder
from dlkit.runs.lock import BOTH, Part, RunLock, holder
from dlkit.runs.run_record import RunRecord


class NewLoop(Protocol):
    """What makes a run's events: ``Loop``, or one that takes its steps together with others."""

    def __call__(
        self,
        job: Job,
        run: RunFolder,
        *,
        resuming: Resuming | None,
        signals: StopSignals | None,
        inbox: Inbox,
        report: Path | None,
    ) -> Iterable[Event]: ...


@dataclass(frozen=True)
class Attempt:
    """A run about to go: iterate ``events`` to make it happen.

    ``config`` is its new config.toml and ``record`` are new fields of run.json, if there are any; ``weights`` are what
    a submitted run starts from, to be copied into its folder.
    """

    run: RunFolder
    job: Job
    resume: Checkpoint | None = None
    resumed: bool = False
    differences: tuple[str, ...] = ()
    config: str = ""
    record: RunRecord = field(default_factory=RunRecord)
    weights: Mapping[str, Tensor] | None = None

    def events(
        self,
        signals: StopSignals | None = None,
        *,
        part: Part = BOTH,
        report: Path | None = None,
        commands_from: int | None = None,
        loop: NewLoop = Loop,
    ) -> Generator[Event, None, None]:
        """Run it, holding run.lock; RunError if somebody else does, or if its folder cannot be written.

        Under a supervisor ``part`` is the writer's, ``report`` where a failure is left for it, and ``commands_from``
        the offset of the first command that is for this attempt. ``loop``: another one than that of a run alone.
        """
        try:
            on_cpu = self.job.placement.device.torch_device.type == "cpu"
            lock = RunLock(self.run.lock, part) if self.job.world.rank_zero else nullcontext()
            # A supervisor's processes write into output.log themselves.
            heard = overheard(self.run) if report is None and self.job.world.rank_zero else nullcontext()
            with lock, heard, bounded_memory() if on_cpu else nullcontext():
                if commands_from is None and not self.resumed:
                    commands_from = 0
                inbox = Inbox(self.run.commands, commands_from)  # from when it may be seen that the run goes
                self._write_down()  # under the lock: whoever resumes meanwhile must not see half of it
                yield from loop(
                    self.job,
                    self.run,
                    resuming=Resuming(self.resume, self.differences) if self.resumed else None,
                    signals=signals,
                    inbox=inbox,
                    report=report,
                )
        except BlockingIOError as error:
            raise RunError(f"{self.run.id} is already running (process {holder(self.run.lock)})") from error
        except OSError as error:  # before the first event, or after the last: between them it ends the run as failed
            raise RunError(f"{self.run.id} cannot be written: {error.strerror or error}") from error
        finally:
            # Else it is a copy outside any workspace, or its supervisor's to do: on a full disk that has the last word.
            if part == BOTH and self.run.path.parent.name == "runs":
                index.note(self.run.path.parent.parent, self.run)

    def _write_down(self) -> None:
        if not self.job.world.rank_zero:
            return
        if self.weights is not None:
            write_tensors(self.weights, self.run.path, self.run.init.name)
        if self.config:
            write_text(self.run.config, self.config)
            # Whoever has started the run has decided on this configuration: the workspace stands by it.
            self.run.update(**own.marks_again(self.run.path, self.run.read()))
        if self.record:
            self.run.update(**self.record)

"""The keeper of a run's checkpoints: when one is due, what it holds, and how a run goes on from it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from dlkit import events
from dlkit.data.randomness import generators, restore_generators
from dlkit.engine import checkpoint as storage
from dlkit.engine import tree
from dlkit.engine.build import Job
from dlkit.engine.checkpoint_writer import Published, Writer, prune
from dlkit.engine.device import is_out_of_memory
from dlkit.engine.fitting import fitting
from dlkit.engine.frozen_parts import FrozenParts
from dlkit.engine.journal import Journal
from dlkit.engine.orders import Inbox, WriterState
from dlkit.engine.progress import Mark, Progress
from dlkit.engine.settings import Settings
from dlkit.json_types import Json
from dlkit.runs.checkpoints import Checkpoint, complete
from dlkit.runs.folder import RunFolder


class CheckpointKeeper:
    """Writes a checkpoint when the weights are the best so far, when one is asked for, and every so many seconds.

    One snapshot may wait behind the one that is being written, and a newer one takes its place; training never waits.
    The best is never skipped, and never displaced by a lesser one: while it waits, a checkpoint that is asked for is
    postponed, and one that is due by the clock is skipped.
    """

    def __init__(
        self, job: Job, run: RunFolder, progress: Progress, settings: Settings, inbox: Inbox, journal: Journal
    ) -> None:
        self._job, self._run, self._progress, self._settings = job, run, progress, settings
        self._inbox, self._journal = inbox, journal
        self._world, self._device = job.world, job.placement.device
        # The thread makes the events durable before a checkpoint gets its name: no checkpoint is ahead of its log.
        self._frozen = FrozenParts(job.trainer.model, job.trainer.setup.loss)
        self._writer = self._new_writer()
        self._last = time.monotonic()
        self._submitted: Mark | None = None
        self._best_submitted = -1
        self._best_waits = False
        self._asked = self._overdue = False
        self._agreed_state: WriterState = "free"

    def _new_writer(self) -> Writer:
        return Writer(self._run.path, self._journal.sync, self._device, self._frozen)

    @property
    def overdue(self) -> bool:
        """Whether the next checkpoint's time has come, by this process's clock."""
        return time.monotonic() - self._last >= self._settings.engine.checkpoint_every

    @property
    def writer_state(self) -> WriterState:
        if not self._writer.busy:
            return "free"
        return "full" if self._best_waits else "busy"

    def agreed(self, *, overdue: bool, writer: WriterState) -> None:
        """What all ranks have agreed on: each takes its part of a snapshot, though only rank 0 writes it."""
        self._overdue, self._agreed_state = overdue, writer

    def ask(self) -> None:
        """Somebody asks for a checkpoint."""
        self._asked = True

    def attend(self) -> Iterator[events.Event]:
        """Publish what has been written, and write what is due now."""
        yield from self._published(self._writer.poll())
        progress = self._progress
        # By what is agreed, not by the writer as it is now: only rank 0 has one, and all must come to the same.
        new_best = progress.is_best and progress.step != self._best_submitted
        asked = self._asked and self._agreed_state != "full"
        if new_best or asked or (self._overdue and self._agreed_state == "free"):
            if self._submitted != progress.mark:  # else the same is on the disk already, or on its way there
                self._write()
            self._asked = False
        elif self._overdue:
            self._last = time.monotonic()
            yield self._journal.notice("checkpoint skipped: the one before is still being written")
        self._overdue = False

    def write_last(self) -> Iterator[events.Event]:
        """The last checkpoint, complete before the run says how it ended."""
        yield from self.finish_writing()  # first, or the last would take the place of a waiting best
        if self._submitted != self._progress.mark:
            self._write()
            yield from self.finish_writing()

    def finish_writing(self) -> Iterator[events.Event]:
        """Publish what has been submitted, once it is all written; raises what went wrong."""
        yield from self._published(self._writer.wait())

    def abandon(self) -> None:
        """Never leave a thread writing into a run that has ended."""
        try:
            self._writer.wait()
        # The run has already ended and said why; what went wrong with its last checkpoint changes nothing.
        except Exception:
            return

    def restore(self, chosen: Checkpoint) -> None:
        """Put everything back as it was when ``chosen`` was taken."""
        job = self._job
        storage.load_model(chosen, job.trainer.model, averaged=False)
        state = storage.load_state(chosen)
        before = chosen.manifest.taken_with or {}
        with fitting(chosen, passing=is_out_of_memory):
            if "loss.name" not in before:
                storage.load_loss(chosen, job.trainer.setup.loss, state.get("loss"))
            self._put_back(state["trainer"], before)
            self._progress.restore(state["progress"], chosen.step)
            if chosen.manifest.taken_with is not None:
                self._progress.branch(judged=not any(key.startswith("dataset.") for key in before))
            self._settings.restore(chosen.manifest.settings, self._run.events, chosen.step)
            own = state["ranks"][self._world.rank] if self._world.size > 1 else state
            job.trainer.load_local(own.get("local", {}))
            restore_generators(own["generators"], self._device)
        self._frozen.settle(chosen.manifest.frozen)
        self._submitted = self._progress.mark
        self._best_submitted = self._progress.best_step if self._progress.best is not None else -1
        self._last = time.monotonic()

    def _put_back(self, state: Mapping[str, object], before: Mapping[str, Json]) -> None:
        """The trainer's state; ``before``: what other options it was taken with, where a fork begins."""
        trainer = self._job.trainer
        changed = {key.partition(".")[2]: value for key, value in before.items() if key.startswith("trainer.")}
        if not changed and "engine.ema" not in before:
            trainer.load(state)
            return
        trainer.adopt(state, type(trainer.config).model_validate({**trainer.config.model_dump(), **changed}))

    def _write(self) -> None:
        shot = self._snapshot()
        if self._world.rank_zero:
            self._best_waits = self._writer.busy and self._progress.is_best
            self._writer.submit(shot)
        self._submitted = self._progress.mark
        if self._progress.is_best:
            self._best_submitted = self._progress.step
        self._last = time.monotonic()

    def _snapshot(self) -> storage.Snapshot:
        """Everything that a resume needs: what is not here, it does not get."""
        self._frozen.check()
        trainer, world = self._job.trainer, self._world
        state: dict[str, Any] = {
            "trainer": trainer.state(),
            "generators": generators(self._device),
            "progress": self._progress.saved(),
            "local": trainer.local_state(),
        }
        if world.size > 1:
            # What a model draws itself is another draw on every rank.
            own = tree.to_bytes({key: state[key] for key in ("generators", "local")})
            state["ranks"] = [tree.from_bytes(data) for data in world.gather(own)]
        if loss := storage.loss_state(trainer.setup.loss):
            state["loss"] = loss
        averaged = trainer.averaged()
        if averaged is not None:
            state["averaged"] = averaged
        return storage.snapshot(trainer.model, state, self._job.info, self._fields())

    def _fields(self) -> Mapping[str, object]:
        """The manifest's."""
        job, progress = self._job, self._progress
        epoch = job.course.epoch_of(progress.step)
        return {
            "step": progress.step,
            "epoch": epoch,
            "batch": (progress.step - job.course.start_of(epoch)) * job.resolved.engine.accumulate,
            # It follows from the step: a checkpoint of the best step that is written again is still the best.
            "best": progress.is_best,
            "task": job.resolved.task.name,
            "model": job.resolved.specs["model"].name,
            "metrics": dict(progress.metrics),
            "seq": self._journal.next_seq,
            "commands": self._inbox.offset,
            "settings": dict(self._settings.values),
        }

    def _published(self, done: list[Published]) -> Iterator[events.Event]:
        if done:
            self._best_waits = False  # what waited is being written, or it is among these
        for written, seconds in done:
            yield self._journal.record(
                events.Checkpointed(
                    step=written.step,
                    folder=f"checkpoints/{written.folder.name}",
                    best=written.manifest.best,
                    seconds=round(seconds, 4),
                )
            )
        if done:
            prune(complete(self._run.path), self._settings.engine.keep)

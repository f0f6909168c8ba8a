"""The loop: a generator of events that knows nothing of tasks.

    step, step, step … log → obey → evaluate → sample → checkpoint → stop?

That order is fixed. The parts have modules of their own: the journal (log, run.json, observers), orders (commands,
signals, clocks), evaluation, sampling, and the keeper of checkpoints. All share one ``Progress``.
"""

from __future__ import annotations

import gc
import math
import os
import time
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from dlkit import events
from dlkit.data.randomness import derive, seed_all
from dlkit.data.splits import Batch
from dlkit.engine import checkpoint as storage
from dlkit.engine import failure
from dlkit.engine.build import Job
from dlkit.engine.checkpoint_keeper import CheckpointKeeper
from dlkit.engine.columns import NonFiniteMetric, averaged, columns, first_non_finite
from dlkit.engine.evaluation import Evaluation, first_bad
from dlkit.engine.journal import Journal
from dlkit.engine.loader import Cadence, Loader
from dlkit.engine.orders import Agreed, Inbox, Orders
from dlkit.engine.progress import Progress
from dlkit.engine.sampling import make_samples
from dlkit.engine.settings import Settings
from dlkit.engine.signals import StopSignals
from dlkit.engine.trainer import Values
from dlkit.errors import PluginError
from dlkit.runs.checkpoints import Checkpoint
from dlkit.runs.folder import RunFolder

FLUSH_SECONDS = 0.25
"""How long metrics stay on the device, and orders unread: what a person does not notice."""
PAUSE_SECONDS = 0.05
"""How often a paused run looks whether it is to go on."""


@dataclass(frozen=True)
class Resuming:
    """How a run goes on: from a checkpoint (None: from step 0), and what of it may not be reproduced exactly."""

    checkpoint: Checkpoint | None = None
    differences: tuple[str, ...] = ()


class Loop:
    """One attempt at a run, from its start or, with ``resuming``, from a checkpoint: iterate to make it happen.

    An event is recorded before it is yielded, so a consumer that is slow or gone loses nothing; closing the generator
    stops the run. ``signals`` may be shared with a caller that wants to stop it from outside; ``inbox`` is where
    commands come from. With ``report``, the run has a supervisor: a failure is left there and raised, and the
    supervisor says how the run ends.
    """

    def __init__(
        self,
        job: Job,
        run: RunFolder,
        *,
        resuming: Resuming | None = None,
        signals: StopSignals | None = None,
        inbox: Inbox | None = None,
        report: Path | None = None,
    ) -> None:
        self.job, self.run = job, run
        self.signals = signals or StopSignals()
        self.progress = progress = Progress()
        self._resuming, self._report, self._world = resuming, report, job.world
        engine, device, course, inbox = (
            job.resolved.engine,
            job.placement.device,
            job.course,
            inbox or Inbox(run.commands),
        )
        self._journal = Journal(run, job.catalog, writes=job.world.rank_zero)
        self._settings = Settings(job.trainer, engine, progress)
        self._orders = Orders(inbox, self.signals, self._settings, progress, job.world, FLUSH_SECONDS)
        self._keeper = CheckpointKeeper(job, run, progress, self._settings, inbox, self._journal)
        self._train, self._val = (split.to(device, engine.workers) for split in (job.data.train, job.data.val))
        self._loader = Loader(self._train, job.data.augment, engine, device, course, job.world)
        self._evaluations, self._sampling = course.due(engine.eval_every), course.due(engine.sample_every)
        self._rows: list[Values] = []
        self._rate = 0.0
        self._last_flush = time.monotonic()
        self._bad: NonFiniteMetric | None = None
        self._over = False

    def __iter__(self) -> Iterator[events.Event]:
        with ExitStack() as stack:
            self._open(stack)
            try:
                yield self._begin()
                yield from self._steps()
                yield self._finish("stopped" if self._cut_short else "completed")
            except GeneratorExit:
                self._leave()
                raise
            except KeyboardInterrupt:
                self._orders.end(f"{self.signals.asked or 'interrupted'}, at once", completes=False)
                yield self._finish("stopped")
            # The run's boundary: whatever a component or the disk does ends this run as failed, with its reason.
            except (Exception, SystemExit) as error:
                if self._report is not None:
                    self._tell_supervisor(error, self._report)
                    raise
                yield self._fail(error)

    def _steps(self) -> Iterator[events.Event]:
        """The training loop. Between two attentions a step costs a call, an append and two comparisons: 1.05 µs."""
        step_of, clock, rows, orders = self.job.trainer.step, time.monotonic, self._rows, self._orders
        alone, total = self._world.size == 1, self.job.course.total
        # One process attends by the clock, and at a signal. Several do so, and stop, at steps they agree on beforehand.
        signals, patience = (self.signals, FLUSH_SECONDS) if alone else (StopSignals(), math.inf)
        n = self.progress.step
        self._loader.seek(n)
        batches = self._loader.steps() if alone else self._shared_steps()

        yield from self._attend()  # what was due at this step before the run was cut short
        wake, began = self._next_wake(), clock()
        flush_at = began + patience
        while n < total and not orders.ending:
            rows.append(step_of(next(batches), n))  # scalars stay on the device: reading one would wait for it
            n += 1
            if n < wake and clock() < flush_at and not signals.asked:
                continue
            self.progress.step = n
            self.progress.train_seconds += clock() - began
            yield from self._log()
            yield from self._attend()
            wake, began = self._next_wake(), clock()
            flush_at = began + patience
        yield from self._keeper.settle()

    def _attend(self) -> Iterator[events.Event]:
        """Everything but steps and their log. First orders: they may end the run, or ask for what follows.

        The evaluation comes before the checkpoint, which says whether it is the best.
        """
        yield from self._orders_of_before()
        yield from self._obey(self._agree())
        yield from self._evaluate()
        yield from self._sample()
        yield from self._checkpoint()

    def _next_wake(self) -> float:
        """The step after which something is due, whatever the clock says."""
        step = self.progress.step
        planned = (self._evaluations.next(step), self._sampling.next(step), self._settings.next_step())
        return min(*planned, self._orders.next_attention(step), self.job.course.total)

    def _shared_steps(self) -> Iterator[list[Batch]]:
        """This process's part of each step's batches, the trainer knowing how much of the whole that is."""
        for batches in self._loader.steps():
            self.job.trainer.shares = self._loader.shares
            yield batches

    # -- log ----------------------------------------------------------------------------------------------------------

    def _log(self) -> Iterator[events.Event]:
        """The steps since the last time, as columns; and what the machine did meanwhile."""
        rows, first = list(self._rows), self.progress.step - len(self._rows) + 1
        self._rows.clear()  # whatever comes of them, they are dealt with
        now = time.monotonic()
        self._rate = len(rows) / max(now - self._last_flush, 1e-9)
        self._last_flush = now
        parts = list(columns(rows, first))
        if self._world.size > 1:
            parts = averaged(parts, self._world)
        recorded: list[events.Event] = [
            self._journal.record(
                events.MetricsLogged(
                    first=part.first,
                    count=part.count,
                    every=part.every,
                    values=part.values,
                    epoch=self._epoch,
                    rate=self._rate,
                    time_left=self._orders.time_left(now),
                )
            )
            for part in parts
        ]
        for part in parts:
            self.progress.metrics.update({name: column[-1] for name, column in part.values.items()})
        # Any metric, not the loss alone: a task leaves out what is undefined, so what is there has to be a number.
        self._bad = first_non_finite(parts)
        recorded += self._journal.machine(self.progress.step)
        yield from recorded  # all are in the log by now: a consumer that leaves here loses none
        if self._bad is not None:
            raise self._bad
        yield from self._journal.switched_off(self.progress.step)

    @property
    def _epoch(self) -> int:
        """Of the last step."""
        step = self.progress.step
        return self.job.course.epoch_of(step - 1) if step else 0

    # -- obey ---------------------------------------------------------------------------------------------------------

    def _agree(self) -> Agreed:
        keeper = self._keeper
        return self._orders.agree(overdue=keeper.overdue, writer=keeper.writer_state, rate=self._rate)

    def _orders_of_before(self) -> Iterator[events.Event]:
        for event in self._orders.change_again():
            yield self._journal.record(event)

    def _obey(self, agreed: Agreed) -> Iterator[events.Event]:
        """What people, signals and clocks ask for; a pause is waited for here."""
        yield from self._carry_out(agreed)
        if not self._orders.paused:
            return
        self._journal.update(state="paused")
        while self._orders.paused and not self._orders.ending:
            since = time.monotonic()
            time.sleep(PAUSE_SECONDS)
            yield from self._carry_out(self._agree())
            yield from self._sample()
            yield from self._checkpoint()
            paused = time.monotonic() - since
            self.progress.leave_out(paused)
            self._last_flush += paused
        self._journal.update(state="running")

    def _carry_out(self, agreed: Agreed) -> Iterator[events.Event]:
        self._keeper.hear(overdue=agreed.overdue, room=agreed.writer)
        for event in self._orders.carry_out(agreed):
            yield self._journal.record(event)

    # -- evaluate -----------------------------------------------------------------------------------------------------

    def _due(self, cadence: Cadence, done: int) -> bool:
        """By its cadence, or because the run ends here before its planned end; ``done``: the step it last was at."""
        step = self.progress.step
        at_its_time = cadence.next(step - 1) == step or (self._orders.completes and cadence.happens)
        return done < step and at_its_time and not self._cut_short

    @property
    def _cut_short(self) -> bool:
        """Whether somebody ended the run before its planned end: what is due now is left to a resume."""
        orders = self._orders
        return bool(orders.ending) and not orders.completes and self.progress.step < self.job.course.total

    def _evaluate(self) -> Iterator[events.Event]:
        if not self._due(self._evaluations, self.progress.evaluated):
            return
        values = yield from self._measured()
        if values is None:  # stopped meanwhile
            return
        step = self.progress.step
        lists = {name: [value] for name, value in values.items()}
        self._last_flush = time.monotonic()
        event = self._journal.record(events.MetricsLogged(first=step, count=1, values=lists, epoch=self._epoch))
        self.progress.evaluated = step
        if (name := first_bad(values)) is not None:
            self._bad = NonFiniteMetric(name, values[name], step)
        else:
            self.progress.metrics.update(values)
            self._judge(values)
        yield event  # all that follows from it is done: a consumer that leaves here changes nothing
        if self._bad is not None:
            raise self._bad

    def _measured(self) -> Generator[events.Event, None, dict[str, float] | None]:
        """The validation split's metrics; orders are obeyed between its batches, and a stop ends it.

        A checkpoint that is asked for here lies before the evaluation, which a resume then makes up for.
        """
        split = self._train if self.job.resolved.engine.overfit_batches else self._val
        with Evaluation(self.job, split, self.progress.step) as evaluation:
            for on_all_ranks in evaluation.batches():
                # Ranks may differ by a batch: they look at those that all of them have.
                if on_all_ranks and self._orders.worth_a_look() and (agreed := self._agree()):
                    with evaluation.suspended():
                        yield from self._obey(agreed)
                        yield from self._sample()
                        yield from self._checkpoint()
                if self._cut_short:
                    return None
        return evaluation.values()

    def _judge(self, values: dict[str, float]) -> None:
        """Is this the best so far, and is it time to give up?"""
        spec, patience = self.job.resolved.task, self.job.resolved.engine.early_stopping
        if spec.metric not in values:
            raise PluginError(f"task {spec.name!r}: metrics() gave no {spec.metric!r}; it gave: {', '.join(values)}")
        self.progress.judge(spec.metric, spec.direction, values)
        if patience and self.progress.stale >= patience:
            stale = self.progress.stale
            self._orders.end(f"early stopping: no better {spec.metric} in {stale} evaluations", completes=True)

    # -- sample -------------------------------------------------------------------------------------------------------

    def _sample(self) -> Iterator[events.Event]:
        progress = self.progress
        asked = self._orders.take("sample") and progress.sampled != progress.step
        if not asked and not self._due(self._sampling, progress.sampled):
            return
        progress.sampled = progress.step
        if not self._world.rank_zero:
            return
        refs = make_samples(self.job, self._val, self.run, progress.step)
        self._last_flush = time.monotonic()
        yield self._journal.record(events.Sampled(step=progress.step, samples=refs))

    # -- checkpoint ---------------------------------------------------------------------------------------------------

    def _checkpoint(self) -> Iterator[events.Event]:
        if self._orders.take("checkpoint"):
            self._keeper.ask()
        yield from self._keeper.attend()

    # -- begin and end ------------------------------------------------------------------------------------------------

    def _open(self, stack: ExitStack) -> None:
        """Everything that has to be closed, whatever happens; in this order, and closed in the opposite one."""
        stack.enter_context(self.signals)
        gc.freeze()  # what is there stays: the collector need not look at it again (halves the cost of a null step)
        stack.callback(gc.unfreeze)
        stack.callback(self._world.close)
        stack.enter_context(self._journal)
        stack.callback(self._keeper.abandon)
        # Loader processes end with their run: those left to the garbage collector are waited for, 5 s each.
        for split in (self._train, self._val):
            stack.callback(split.close)

    def _begin(self) -> events.Event:
        resuming, course = self._resuming, self.job.course
        if resuming is not None and resuming.checkpoint is not None:
            self._keeper.restore(resuming.checkpoint)
        else:
            # What a model draws itself (dropout) is another draw on every rank.
            ranks = [self._world.rank] if self._world.rank else []
            seed_all(derive(self.job.resolved.engine.seed, "train", *ranks), self.job.placement.device)
            if resuming is not None:
                self._settings.restore({}, self.run.events, 0)
        if self._world.rank_zero:
            storage.clear_void(self.run.path, self.progress.step)
        self._journal.update(state="running", total_steps=course.total, pid=os.getpid(), reason="", result=None)
        return self._journal.record(self._begun())

    def _begun(self) -> events.Started | events.Resumed:
        resuming, total, first = self._resuming, self.job.course.total, self.job.course.ends[0]
        if resuming is None:
            return events.Started(total_steps=total, epoch_steps=first, summary=self.job.summary)
        return events.Resumed(
            from_step=self.progress.step,
            total_steps=total,
            epoch_steps=first,
            from_seq=resuming.checkpoint.manifest.seq if resuming.checkpoint is not None else -1,
            exact=not resuming.differences,
            differences=resuming.differences,
        )

    def _finish(self, status: str) -> events.Finished:
        """By a signal or a person: stopped. By its clock or early stopping: completed, with the reason."""
        progress = self.progress
        return self._end(
            events.Finished(
                run=self.run.id,
                status=status,
                reason=self._orders.ending,
                **progress.reached(progress.best_metrics or progress.metrics),
            )
        )

    def _fail(self, error: BaseException) -> events.Finished:
        self._save_what_can_be()
        return self._end(
            events.Finished(
                run=self.run.id,
                status="failed",
                reason=failure.explain(error, self.run.path, self.job),
                traceback=failure.details(error),
                **self.progress.reached(self.progress.best_metrics),
            )
        )

    def _tell_supervisor(self, error: BaseException, path: Path) -> None:
        """Why this process gives up; the supervisor tries again, or ends the run."""
        self._save_what_can_be()
        failure.report(path, error, self.run.path, self.job, self.progress.reached(self.progress.best_metrics))

    def _save_what_can_be(self) -> None:
        """The steps before a failure, and a checkpoint of before that is still being written."""
        self.progress.step += len(self._rows)
        if self._world.size > 1:  # the others may be gone, and would be waited for
            self._rows.clear()
        for rescue in (self._log, self._keeper.finish_writing):
            with suppress(Exception):
                deque(rescue(), maxlen=0)
        self._journal.free_reserve()

    def _leave(self) -> None:
        """The consumer closed the generator: stop properly, without yielding."""
        if self._over:
            return
        try:
            if self._bad is not None:
                raise self._bad
            deque(self._log(), maxlen=0)
            if self.progress.step < self.job.course.total and not self._orders.ending:
                self._orders.end("closed by its consumer", completes=False)
            for due in (self._evaluate, self._sample, self._keeper.settle):
                deque(due(), maxlen=0)
            self._finish("stopped" if self._cut_short else "completed")
        # The run's boundary, as in __iter__.
        except Exception as error:
            self._fail(error)

    def _end(self, finished: events.Finished) -> events.Finished:
        self._over = True
        progress = self.progress
        last = progress.metrics.get(self.job.resolved.task.metric)
        return self._journal.end(finished, last=last, best=progress.best, total=self.job.course.total)

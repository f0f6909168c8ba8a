"""The loop: a generator of events that knows nothing of tasks.

    step, step, step … log → obey → evaluate → sample → checkpoint → stop?

That order is fixed. Each has a module of its own (``step_log``, ``orders``, ``evaluation``, ``sampling``,
``checkpoint_keeper``), and all that they tell goes through the ``journal``; they share one ``Progress``.
"""

from __future__ import annotations

import gc
import math
import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from dlkit.data.randomness import derive, seed_all
from dlkit.data.splits import Batch, Data
from dlkit.engine import failure
from dlkit.engine.beginning import beginning
from dlkit.engine.build import Job
from dlkit.engine.checkpoint_keeper import CheckpointKeeper
from dlkit.engine.checkpoint_writer import clear_void
from dlkit.engine.evaluation import Evaluation
from dlkit.engine.journal import Journal
from dlkit.engine.layers import LayerWatch
from dlkit.engine.loader import Cadence, Loader
from dlkit.engine.orders import Agreed, Inbox, Orders
from dlkit.engine.placing import place
from dlkit.engine.prepared_splits import Preparation
from dlkit.engine.progress import Progress
from dlkit.engine.resuming import Resuming
from dlkit.engine.sampling import conclude, make_samples
from dlkit.engine.settings import Settings
from dlkit.engine.signals import StopSignals
from dlkit.engine.step_log import StepLog
from dlkit.engine.trainer import Values
from dlkit.errors import PluginError
from dlkit.events import Event, Finished, Sampled
from dlkit.runs.folder import RunFolder

FLUSH_SECONDS = 0.25
"""How long metrics stay on the device, and orders unread: short for a person, long beside a step."""
PAUSE_SECONDS = 0.05
"""How often a paused run looks whether it is to go on."""
PREPARING_SECONDS = 1.0
"""How often it is told how far a preparation is."""


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
        engine, course = job.resolved.engine, job.course
        inbox = inbox or Inbox(run.commands)
        self._job, self._run, self._world = job, run, job.world
        self._resuming, self._report = resuming, report
        self._signals = signals or StopSignals()
        self.progress = progress = Progress()
        self._journal = self._new_journal()
        self._settings = Settings(job.trainer, engine, progress)
        self._orders = Orders(inbox, self._signals, self._settings, progress, job.world, FLUSH_SECONDS)
        self._log = self._new_log()
        self._keeper = self._new_keeper(inbox)
        self._train, self._val = job.data.train, job.data.val
        self._seen = self._val
        self._evaluations, self._samplings = course.due(engine.eval_every), course.due(engine.sample_every)
        # In the place of the trainer where it is wanted: a run without it takes the steps that it always took.
        watches = engine.layers and job.world.rank_zero
        self._watch = LayerWatch(job.trainer, self._samplings) if watches else None

    # What a run has otherwise that is trained together with others (``engine.stacked``).

    def _new_journal(self) -> Journal:
        return Journal(self._job, self._run, self.progress)

    def _new_log(self) -> StepLog:
        return StepLog(self._job, self.progress, self._journal, self._orders)

    def _new_keeper(self, inbox: Inbox) -> CheckpointKeeper:
        return CheckpointKeeper(self._job, self._run, self.progress, self._settings, inbox, self._journal)

    def __iter__(self) -> Iterator[Event]:
        with ExitStack() as stack:
            self._open(stack)
            try:
                yield self._begin()
                yield from self._prepare()
                yield from self._steps()
                yield from self._conclude()
                yield self._finish("stopped" if self._cut_short else "completed")
            except GeneratorExit:
                self._leave()
                raise
            except KeyboardInterrupt:
                self._orders.end(f"{self._signals.asked or 'interrupted'}, at once", completes=False)
                yield self._finish("stopped")
            # The run's boundary: whatever a component or the disk does ends this run as failed, with its reason.
            except (Exception, SystemExit) as error:
                if self._report is not None:
                    self._tell_supervisor(error, self._report)
                    raise
                yield self._fail(error)

    def _prepare(self) -> Iterator[Event]:
        """What the trainer makes of the splits before the first step, unless it is stopped meanwhile."""
        preparation, told, alone = Preparation(self._job, self._run), -math.inf, self._world.size == 1
        with self._world.rank_zero_first():  # the others find in the cache what it has made
            for stage in preparation:
                if isinstance(stage, str):
                    yield self._journal.notice(stage)
                elif time.monotonic() - told > PREPARING_SECONDS or stage.done == stage.total:
                    told = time.monotonic()
                    yield self._journal.preparing(stage)
                if alone and self._orders.should_look():
                    yield from self._obey(self._agree())
                if self._cut_short:
                    break
        self._place(preparation.data)

    def _steps(self) -> Iterator[Event]:
        """Train. Between two attentions the engine's own part of a step is a call, an append, two comparisons: 1 µs."""
        step_of, clock, rows, orders = self._step_of, time.monotonic, self._log.rows, self._orders
        alone, total = self._world.size == 1, self._job.course.total
        # One process attends by the clock, and at a signal. Several do so, and stop, at steps they agree on beforehand.
        signals, interval = (self._signals, FLUSH_SECONDS) if alone else (StopSignals(), math.inf)
        n = self.progress.step
        self._loader.seek(n)
        batches = self._loader.steps() if alone else self._shared_steps()

        yield from self._attend()  # what was due at this step before the run was cut short
        wake, began = self._next_wake(), clock()
        flush_at = began + interval
        while n < total and not orders.ending:
            rows.append(step_of(next(batches), n))  # scalars stay on the device: to read one is to wait for it
            n += 1
            if n < wake and clock() < flush_at and not signals.asked:
                continue
            self.progress.step = n
            parts = self._log.read()  # waits for the device: until then its steps are only queued
            self.progress.train_seconds += clock() - began
            yield from self._log.record(parts)
            yield from self._attend()
            wake, began = self._next_wake(), clock()
            flush_at = began + interval
        yield from self._keeper.write_last()

    @property
    def _step_of(self) -> Callable[[Sequence[Batch], int], Values]:
        return self._job.trainer.step if self._watch is None else self._watch.step

    def _attend(self) -> Iterator[Event]:
        """Everything but steps and their log, in its one order."""
        yield from self._replay_settings()
        yield from self._obey(self._agree())  # first: it may end the run, or ask for what follows
        yield from self._evaluate()
        yield from self._sample()
        yield from self._checkpoint()  # after the evaluation, which says whether this is the best

    def _next_wake(self) -> float:
        """The step after which something is due, whatever the clock says."""
        step = self.progress.step
        planned = (self._evaluations.next(step), self._samplings.next(step), self._settings.next_step())
        return min(*planned, self._orders.next_attention(step), self._job.course.total)

    def _shared_steps(self) -> Iterator[list[Batch]]:
        """This process's part of each step's batches, the trainer knowing how much of the whole that is."""
        for batches in self._loader.steps():
            self._job.trainer.shares = self._loader.shares
            yield batches

    def _agree(self) -> Agreed:
        keeper = self._keeper
        return self._orders.agree(overdue=keeper.overdue, writer=keeper.writer_state, rate=self._log.rate)

    def _replay_settings(self) -> Iterator[Event]:
        """What an attempt before this one changed at this step, after the checkpoint that this one goes on from."""
        for event in self._orders.replay_settings():
            yield self._journal.record(event)

    def _obey(self, agreed: Agreed) -> Iterator[Event]:
        """What people, signals and clocks ask for; a pause is waited for here, with memory and device kept."""
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
            self.progress.exclude(paused)
            self._log.exclude(paused)
        self._journal.update(state="running")

    def _carry_out(self, agreed: Agreed) -> Iterator[Event]:
        self._keeper.agreed(overdue=agreed.overdue, writer=agreed.writer)
        for event in self._orders.carry_out(agreed):
            yield self._journal.record(event)

    @property
    def _cut_short(self) -> bool:
        """Whether somebody ended the run before its planned end: what is due now is left to a resume."""
        orders = self._orders
        return bool(orders.ending) and not orders.completes and self.progress.step < self._job.course.total

    def _due(self, cadence: Cadence, done: int, *, first: bool = False) -> bool:
        """By its cadence, or because the run completes before its planned end; ``done``: the step it last was at.

        Before the first step it is only due ``first``, or where no step follows.
        """
        step = self.progress.step
        if step:
            at_its_time = cadence.next(step - 1) == step or (self._orders.completes and cadence.happens)
        else:
            at_its_time = first or (self._job.course.total == 0 and cadence.happens)
        return done < step and at_its_time and not self._cut_short

    def _evaluate(self) -> Iterator[Event]:
        if not self._due(self._evaluations, self.progress.evaluated, first=self._job.resolved.engine.eval_first):
            return
        values = yield from self._measured()
        if values is None:
            return
        event = self._log.evaluation(values)
        if self._log.non_finite is None:
            self._judge(values)
        yield event  # all that follows from it is done: a consumer that leaves here changes nothing
        self._log.raise_non_finite()

    def _measured(self) -> Generator[Event, None, dict[str, float] | None]:
        """The validation split's metrics; None if the run is stopped meanwhile.

        Orders do not wait for its end. A checkpoint taken here lies before the evaluation: a resume makes up for it.
        """
        split = self._train if self._job.resolved.engine.overfit_batches else self._val
        with Evaluation(self._job, split, self.progress.step) as evaluation:
            for on_all_ranks in evaluation.batches():
                # Ranks may differ by a batch: they look together after those that all of them have.
                if on_all_ranks and self._orders.should_look() and (agreed := self._agree()):
                    with evaluation.suspended():
                        yield from self._obey(agreed)
                        yield from self._sample()
                        yield from self._checkpoint()
                if self._cut_short:
                    return None
        return evaluation.values()

    def _judge(self, values: dict[str, float]) -> None:
        """Is this the best so far, and is it time to give up?"""
        spec, patience, progress = self._job.resolved.task, self._job.resolved.engine.early_stopping, self.progress
        if spec.metric not in values:
            raise PluginError(f"task {spec.name!r}: metrics() gave no {spec.metric!r}; it gave: {', '.join(values)}")
        progress.judge(spec.metric, spec.direction, values)
        if patience and progress.stale >= patience:
            reason = f"early stopping: no better {spec.metric} in {progress.stale} evaluations"
            self._orders.end(reason, completes=True)

    def _sample(self) -> Iterator[Event]:
        progress = self.progress
        asked = self._orders.take("sample") and progress.sampled != progress.step
        if not asked and not self._due(self._samplings, progress.sampled):
            return
        progress.sampled = progress.step
        if not self._world.rank_zero:
            return
        made = make_samples(self._job, self._seen, self._run, progress.step, self._watch)
        self._log.restart_rate()
        for problem in made.problems:
            yield self._journal.notice(problem)
        if made.refs or not made.problems:
            yield self._journal.record(Sampled(step=progress.step, samples=made.refs))

    def _conclude(self) -> Iterator[Event]:
        """What the model has come to, in the predictor's words."""
        if self._world.rank_zero and not self._cut_short:
            yield from map(self._journal.notice, conclude(self._job))

    def _checkpoint(self) -> Iterator[Event]:
        if self._orders.take("checkpoint"):
            self._keeper.ask()
        yield from self._keeper.attend()

    def _open(self, stack: ExitStack) -> None:
        """What has to be closed, whatever happens, in the opposite order."""
        stack.enter_context(self._signals)
        gc.freeze()  # what is there stays: the collector need not look at it again (halves the cost of a null step)
        stack.callback(gc.unfreeze)
        stack.push(self._part)
        stack.enter_context(self._journal)
        stack.callback(self._keeper.abandon)
        # Loader processes end with their run: those left to the garbage collector are waited for, 5 s each.
        stack.callback(self._close_splits)

    def _close_splits(self) -> None:
        for split in (self._train, self._val):
            split.close()

    def _place(self, data: Data) -> None:
        """Put the data where they are to lie: within the run's boundary, for memory may run out."""
        job, engine, device = self._job, self._job.resolved.engine, self._job.placement.device
        self._train, self._val = place(data, engine, device)
        # What people look at are samples as they were built, whatever a trainer has made of them.
        self._seen = self._val if data.val is job.data.val else job.data.val
        self._loader = Loader(self._train, data.augment, engine, device, job.course, job.world)

    def _part(self, failed: type[BaseException] | None, *_: object) -> None:
        # Peers may be waiting in an exchange, for ever: NCCL cannot be torn down beside them. Whoever fails just ends.
        if failed is None:
            self._world.close()

    def _begin(self) -> Event:
        resuming, course = self._resuming, self._job.course
        self._job.placement.device.make_current()  # of this thread, which need not be the one that built the job
        if resuming is not None and resuming.checkpoint is not None:
            self._keeper.restore(resuming.checkpoint)
        else:
            # What a model draws itself (dropout) is another draw on every rank.
            ranks = [self._world.rank] if self._world.rank else []
            seed_all(derive(self._job.resolved.engine.seed, "train", *ranks), self._job.placement.device)
            if resuming is not None:  # it was killed before its first checkpoint: the log knows what was changed
                self._settings.restore({}, self._run.events, 0)
        if self._world.rank_zero:
            clear_void(self._run.path, self.progress.step)
        self._journal.update(state="running", total_steps=course.total, pid=os.getpid(), reason="", result=None)
        return self._journal.record(beginning(self._job, self._run, resuming, self.progress, self._journal.next_seq))

    def _finish(self, status: str) -> Finished:
        """``stopped`` by a person or a signal, or ``completed``: at its planned end, by max_time or early stopping."""
        return self._journal.end(status, self._orders.ending, self.progress.best_metrics or self.progress.metrics)

    def _fail(self, error: BaseException) -> Finished:
        self._salvage()
        reason = failure.explain(error, self._run.path, self._job)
        return self._journal.end("failed", reason, self.progress.best_metrics, failure.details(error))

    def _tell_supervisor(self, error: BaseException, path: Path) -> None:
        """Why this process gives up; the supervisor tries again, or ends the run."""
        self._salvage()
        self._journal.free_reserve()  # for the report
        failure.report(path, error, self._run.path, self._job, self.progress.reached(self.progress.best_metrics))

    def _salvage(self) -> None:
        """The steps before a failure, and a checkpoint of before that is still being written."""
        self.progress.step += len(self._log.rows)
        if self._world.size > 1:  # the others may be gone, and would be waited for
            self._log.rows.clear()
        for rescue in (self._log.flush(), self._keeper.finish_writing()):
            with suppress(Exception):
                deque(rescue, maxlen=0)

    def _leave(self) -> None:
        """The consumer closed the generator: stop properly, without yielding."""
        if self._journal.ended:
            return
        try:
            self._log.raise_non_finite()
            deque(self._log.flush(), maxlen=0)
            if self.progress.step < self._job.course.total and not self._orders.ending:
                self._orders.end("closed by its consumer", completes=False)
            for due in (self._evaluate, self._sample, self._keeper.write_last, self._conclude):
                deque(due(), maxlen=0)
            self._finish("stopped" if self._cut_short else "completed")
        # The run's boundary, as in __iter__.
        except Exception as error:
            self._fail(error)

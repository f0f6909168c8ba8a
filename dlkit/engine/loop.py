"""The loop: a generator of events that knows nothing of tasks.

    step, step, step … log → obey → evaluate → sample → checkpoint → stop?

That order is fixed. Each has a module of its own (``step_log``, ``orders``, ``evaluation``, ``sampling``,
``checkpoint_keeper``), and all that they tell goes through the ``journal``; they share one ``Progress``.
"""

from __future__ import annotations

import gc
import math
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from dlkit.data.splits import Batch, Data
from dlkit.engine import failure
from dlkit.engine.baseline import Baseline
from dlkit.engine.beginning import beginning, seed
from dlkit.engine.breakdown import Breakdown, Stretch, counts_as
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
from dlkit.engine.profiling import profiling
from dlkit.engine.progress import Progress
from dlkit.engine.resuming import Resuming
from dlkit.engine.sampling import conclude, make_samples
from dlkit.engine.settings import Settings
from dlkit.engine.signals import StopSignals
from dlkit.engine.step_log import StepLog
from dlkit.engine.trainer import Values
from dlkit.events import Event, Sampled, Spent
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
        self._seen, self._baseline = self._val, Baseline(job, run)
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

    def __iter__(self) -> Generator[Event, None, None]:
        self._spent = Breakdown()
        return self._spent.handing_out(self._attempt())

    def _attempt(self) -> Generator[Event, None, None]:
        with ExitStack() as stack:
            self._open(stack)
            try:
                with self._spent.on("preparing"):
                    yield self._begin()
                yield from self._prepare()
                yield from self._steps()
                yield from self._conclude()
                yield from self._finish("stopped" if self._cut_short else "completed")
            except GeneratorExit:
                self._leave()
                raise
            except KeyboardInterrupt:
                self._orders.end(f"{self._signals.asked or 'interrupted'}, at once", completes=False)
                yield from self._finish("stopped")
            # The run's boundary: whatever a component or the disk does ends this run as failed, with its reason.
            except (Exception, SystemExit) as error:
                if self._report is not None:
                    self._tell_supervisor(error, self._report)
                    raise
                yield from self._fail(error)

    @counts_as("preparing")
    def _prepare(self) -> Generator[Event, None, None]:
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
        """Train. Between attentions the engine's part of a step is a call, an append, two looks at the clock: 1 µs."""
        step_of, clock, rows, orders = self._profiled(self._step_of), time.monotonic, self._log.rows, self._orders
        alone, total = self._world.size == 1, self._job.course.total
        # One process attends by the clock, and at a signal. Several do so, and stop, at steps they agree on beforehand.
        signals, interval = (self._signals, FLUSH_SECONDS) if alone else (StopSignals(), math.inf)
        n = self.progress.step
        self._loader.seek(n)
        batches = self._loader.steps() if alone else self._shared_steps()

        yield from self._attend()  # what was due at this step before the run was cut short
        wake, began = self._next_wake(), clock()
        now, flush_at, loading = began, began + interval, 0.0
        while n < total and not orders.ending:
            batch = next(batches)
            ready = clock()
            loading += ready - now
            rows.append(step_of(batch, n))  # scalars stay on the device: to read one is to wait for it
            n += 1
            now = clock()
            if n < wake and now < flush_at and not signals.asked:
                continue
            self.progress.step = n
            parts = self._log.read()  # waits for the device: until then its steps are only queued
            read = clock()
            self.progress.train_seconds += read - began
            self._spent.stepped(Stretch(read - began, loading, self._loader.augmented(), read - now))
            yield from self._log.record(parts)
            yield from self._attend()
            wake, began = self._next_wake(), clock()
            now, flush_at, loading = began, began + interval, 0.0
        yield from self._write_last()

    @counts_as("checkpoints")
    def _write_last(self) -> Generator[Event, None, None]:
        yield from self._keeper.write_last()

    @property
    def _step_of(self) -> Callable[[Sequence[Batch], int], Values]:
        return self._job.trainer.step if self._watch is None else self._watch.step

    def _attend(self) -> Iterator[Event]:
        """Everything but steps and their log, in its one order."""
        # What an attempt before this one changed at this step, after the checkpoint that this one goes on from.
        yield from map(self._journal.record, self._orders.replay_settings())
        yield from self._obey(self._agree())  # first: it may end the run, or ask for what follows
        yield from self._evaluate()
        yield from self._sample()
        yield from self._checkpoint()  # after the evaluation, which says whether this is the best
        if self._spent.due(self.progress.evaluated):
            yield self._journal.record(self._spending())

    def _spending(self) -> Spent:
        return self._spent.told(self.progress.step, self.progress.evaluated)

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

    def _obey(self, agreed: Agreed) -> Iterator[Event]:
        """What people, signals and clocks ask for; a pause is waited for here, with memory and device kept."""
        yield from self._carry_out(agreed)
        if not self._orders.paused:
            return
        self._journal.update(state="paused")
        while self._orders.paused and not self._orders.ending:
            since = time.monotonic()
            with self._spent.on("paused"):
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
        return done < step and cadence.is_at(step, self._orders.completes, first=first) and not self._cut_short

    def _evaluate(self) -> Iterator[Event]:
        engine = self._job.resolved.engine
        if not self._due(self._evaluations, self.progress.evaluated, first=engine.eval_first):
            return
        values = yield from self._measured()
        if values is None:
            return
        event = self._log.evaluation(values)
        if self._log.non_finite is None:  # is this the best so far, and is it time to give up?
            if reason := self.progress.take_in(values, self._job.resolved.task, engine.early_stopping):
                self._orders.end(reason, completes=True)
        yield event  # all that follows from it is done: a consumer that leaves here changes nothing
        self._log.raise_non_finite()

    @counts_as("evaluation")
    def _measured(self) -> Generator[Event, None, dict[str, float] | None]:
        """The validation split's metrics; None if the run is stopped meanwhile.

        Orders do not wait for its end. A checkpoint taken here lies before the evaluation: a resume makes up for it.
        """
        split = self._train if self._job.resolved.engine.overfit_batches else self._val
        with Evaluation(self._job, split, self.progress.step, self._baseline.begin()) as evaluation:
            for on_all_ranks in evaluation.batches():
                # Ranks may differ by a batch: they look together after those that all of them have.
                if on_all_ranks and self._orders.should_look() and (agreed := self._agree()):
                    with evaluation.suspended():
                        yield from self._obey(agreed)
                        yield from self._sample()
                        yield from self._checkpoint()
                if self._cut_short:
                    return None
        yield from self._baseline.conclude(evaluation.beside, self._journal)
        return evaluation.values()

    @counts_as("sampling")
    def _sample(self) -> Generator[Event, None, None]:
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

    @counts_as("evaluation")
    def _conclude(self) -> Generator[Event, None, None]:
        """What the model has come to, in the predictor's words."""
        if self._world.rank_zero and not self._cut_short:
            yield from map(self._journal.notice, conclude(self._job))

    @counts_as("checkpoints")
    def _checkpoint(self) -> Generator[Event, None, None]:
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
        self._profiled = stack.enter_context(profiling(self._job, self._run, self._journal))
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
        resuming = self._resuming
        self._job.placement.device.make_current()  # of this thread, which need not be the one that built the job
        if resuming is not None and resuming.checkpoint is not None:
            self._keeper.restore(resuming.checkpoint)
        else:
            seed(self._job)
            if resuming is not None:  # it was killed before its first checkpoint: the log knows what was changed
                self._settings.restore({}, self._run.events, 0)
        if self._world.rank_zero:
            clear_void(self._run.path, self.progress.step)
        self._journal.begin(self._job.course.total)
        return self._journal.record(beginning(self._job, self._run, resuming, self.progress, self._journal.next_seq))

    def _finish(self, status: str) -> Sequence[Event]:
        """``stopped`` by a person or a signal, or ``completed``: at its planned end, by max_time or early stopping."""
        orders, metrics = self._orders, self.progress.best_metrics or self.progress.metrics
        return self._journal.end(status, orders.ending, metrics, self._spending(), release=orders.release)

    def _fail(self, error: BaseException) -> Sequence[Event]:
        self._salvage()
        reason, trace, cause = failure.told(error, self._run.path, self._job)
        return self._journal.end("failed", reason, self.progress.best_metrics, self._spending(), trace, cause)

    def _tell_supervisor(self, error: BaseException, path: Path) -> None:
        """Why this process gives up; the supervisor tries again, or ends the run."""
        self._salvage()
        self._journal.free_reserve()  # for the report
        with suppress(OSError):
            self._journal.record(self._spending())
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
            for due in (self._evaluate, self._sample, self._write_last, self._conclude):
                deque(due(), maxlen=0)
            self._finish("stopped" if self._cut_short else "completed")
        # The run's boundary, as in __iter__.
        except Exception as error:
            self._fail(error)

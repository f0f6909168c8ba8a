"""The log of steps: what trainers and evaluations measure, on its way from the device to the journal."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dlkit.engine.build import Job
from dlkit.engine.columns import Columns, NonFiniteMetric, averaged, columns, first_non_finite
from dlkit.engine.journal import Journal
from dlkit.engine.orders import Orders
from dlkit.engine.progress import Progress
from dlkit.engine.trainer import Values
from dlkit.events import Event, MetricsLogged


class StepLog:
    """``rows`` are what each step since the last flush returned, ``rate`` was the steps a second until then.

    ``non_finite`` is the first value that is not finite: it fails the run, once it is in the log.
    """

    def __init__(self, job: Job, progress: Progress, journal: Journal, orders: Orders) -> None:
        self.rows: list[Values] = []
        self.rate = 0.0
        self.non_finite: NonFiniteMetric | None = None
        self._course, self._world = job.course, job.world
        self._progress, self._journal, self._orders = progress, journal, orders
        self._since = time.monotonic()

    def flush(self) -> Iterator[Event]:
        """Reads and records."""
        yield from self.record(self.read())

    def read(self) -> list[Columns]:
        """The steps since the last time, read from the device: when this returns, it has done them."""
        rows, first = list(self.rows), self._progress.step - len(self.rows) + 1
        self.rows.clear()  # whatever becomes of them, they are dealt with
        parts = list(columns(rows, first))
        # After the reading: steps that are only queued are not made yet, and would come fast beyond belief.
        now = time.monotonic()
        self.rate = len(rows) / max(now - self._since, 1e-9)
        self._since = now
        return parts

    def record(self, parts: list[Columns]) -> Iterator[Event]:
        """Records what was read, and what the machine did meanwhile; raises what is ``non_finite``."""
        time_left = self._orders.time_left(time.monotonic())
        if self._world.size > 1:
            parts = averaged(parts, self._world)
        recorded: list[Event] = [self._record(part, self.rate, time_left) for part in parts]
        for part in parts:
            self._progress.metrics.update({name: column[-1] for name, column in part.values.items()})
        self.non_finite = first_non_finite(parts)
        recorded += self._journal.machine()
        yield from recorded  # all are in the log by now: a consumer that leaves here loses none
        self.raise_non_finite()
        yield from self._journal.pending()

    def evaluation(self, values: dict[str, float]) -> MetricsLogged:
        """Records what an evaluation at this step has measured; sets ``non_finite`` where that is not finite."""
        self.restart_rate()
        part = Columns(self._progress.step, 1, 1, {name: [value] for name, value in values.items()})
        event = self._record(part)
        self._progress.evaluated = self._progress.step
        self.non_finite = first_non_finite([part])
        if self.non_finite is None:
            self._progress.metrics.update(values)
        return event

    def raise_non_finite(self) -> None:
        """Any metric fails the run, not the loss alone: a task leaves out what is undefined."""
        if self.non_finite is not None:
            raise self.non_finite

    def restart_rate(self) -> None:
        """The rate counts from here: it is that of steps, without evaluations and samples."""
        self._since = time.monotonic()

    def exclude(self, seconds: float) -> None:
        """The last seconds were a pause."""
        self._since += seconds

    def _record(self, part: Columns, rate: float = 0.0, time_left: float | None = None) -> MetricsLogged:
        step = self._progress.step
        return self._journal.record(
            MetricsLogged(
                first=part.first,
                count=part.count,
                every=part.every,
                values=part.values,
                epoch=self._course.epoch_of(step - 1) if step else 0,
                rate=rate,
                time_left=time_left,
            )
        )

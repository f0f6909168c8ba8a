"""What the rows of a stack have in common: data, signals, the checkpoints' clock and writers, the machine's figures."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields

from dlkit.catalog import Catalog
from dlkit.config import Config, Resolved
from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.engine.build import build_data
from dlkit.engine.machine import MachineMonitor, Usage
from dlkit.engine.signals import StopSignals
from dlkit.task import AnyTask, Info

WRITERS = 4
"""Checkpoints that are written at once: each waits for the disk most of the time."""


@dataclass(frozen=True)
class _Known(Data):
    """Data whose fingerprint has been taken: hashing them for each row would take longer than to train it."""

    known: str = ""

    def fingerprint(self) -> str:
        return self.known


class SharedData:
    """In the place of ``build_data``: builds a data set once for all rows that ask for the same."""

    def __init__(self) -> None:
        self._built: tuple[str, Config, Data, Info] | None = None

    def __call__(self, catalog: Catalog, resolved: Resolved, task: AnyTask, context: Context) -> tuple[Data, Info]:
        name, section = resolved.specs["dataset"].name, resolved.sections["dataset"]
        if self._built is None or self._built[:2] != (name, section):
            data, info = build_data(catalog, resolved, task, context)
            plain = {item.name: getattr(data, item.name) for item in fields(Data)}
            self._built = name, section, _Known(**plain, known=data.fingerprint()), info
        return self._built[2:]


class HeardSignals(StopSignals):
    """A row's view of the signals that the stack listens to: one handler, not one for each row."""

    def __init__(self, signals: StopSignals) -> None:
        self._signals = signals

    @property
    def asked(self) -> str:  # type: ignore[override]  # an attribute of the one that listens
        return self._signals.asked

    def __enter__(self) -> HeardSignals:
        return self

    def __exit__(self, *_: object) -> None:
        return


class Machine:
    """One monitor's figures for all rows: what is drained at a ``look`` is every row's."""

    def __init__(self, root_pid: int = 0) -> None:
        self._monitor = MachineMonitor(root_pid)
        self._found: list[Usage] = []

    def __enter__(self) -> Machine:
        self._monitor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._monitor.close()

    def look(self) -> None:
        self._found = self._monitor.drain()

    def start(self) -> None:
        """A row opens it: it goes already."""

    def close(self) -> None:
        """A row has ended: the others go on."""

    def drain(self) -> list[Usage]:
        return list(self._found)


class Clock:
    """When checkpoints are due: for all rows at one step, so that a stack that is killed goes on from one step too."""

    def __init__(self) -> None:
        self.due = False
        self._last = time.monotonic()

    def look(self, every: float) -> None:
        """``every``: seconds between two of them."""
        now = time.monotonic()
        self.due = now - self._last >= every
        if self.due:
            self._last = now


class Writing:
    """A piece of work that a pool does."""

    def __init__(self, future: Future[None]) -> None:
        self._future = future

    def is_alive(self) -> bool:
        return not self._future.done()

    def join(self) -> None:
        self._future.result()


class Shared:
    """All of it, as the rows' loops are given it."""

    def __init__(self, signals: StopSignals, rows: int, root_pid: int = 0) -> None:
        self.signals, self.rows = signals, rows
        self.machine, self.clock = Machine(root_pid), Clock()
        self._pool = ThreadPoolExecutor(WRITERS, "checkpoint")

    def launch(self, work: Callable[[], None]) -> Writing:
        """Have a checkpoint written."""
        return Writing(self._pool.submit(work))

    def close(self) -> None:
        self._pool.shutdown()

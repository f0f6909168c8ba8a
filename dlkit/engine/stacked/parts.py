"""A stack in parts, each stepped by a thread of its own: rows know nothing of each other, and neither do parts.

Cores that nobody else has when a stack is made take a part each. torch's own threads would share each operation of all
rows, and round sums otherwise; so every row has the bits that it has in the whole.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import pairwise

import torch

from dlkit.cores import ALLOTTED
from dlkit.engine.build import Job
from dlkit.engine.device import set_threads
from dlkit.engine.stacked.forward import Layered
from dlkit.engine.stacked.stack import Fed, Row, RowValues, Stack
from dlkit.engine.stacked.structure import take_as_tried
from dlkit.engine.threads import AskCores

LEAST = 4
"""Rows of a part: with fewer, Python's own work of a step is no longer shared by many."""
BUSY = 10_000_000
"""Multiplications of a part's forward pass, about half a millisecond of a step: below that Python's own work, which one
thread at a time can do, is most of it."""


class Parts:
    """What ``Stack`` is to whoever takes steps. ``jobs`` are the rows', in their order; ``count`` parts at most."""

    def __init__(self, rows: Sequence[Row], jobs: Sequence[Job], count: int) -> None:
        ends = [len(rows) * part // count for part in range(count + 1)]
        self._spans = [slice(start, end) for start, end in pairwise(ends)]
        self.stacks = [Stack(rows[span]) for span in self._spans]
        for span, stack in zip(self._spans, self.stacks, strict=True):
            take_as_tried(stack, jobs[span][0])
        # The other ways draw from torch's global generator, row by row.
        threaded = len(self.stacks) > 1 and all(isinstance(stack.forward, Layered) for stack in self.stacks)
        threads = partial(set_threads, torch.get_num_threads())
        self._pool = ThreadPoolExecutor(len(self.stacks) - 1, "stack", threads) if threaded else None

    def step(self, fed: Fed, step: int) -> RowValues:
        """As of ``Stack.step``; the first part is this thread's."""
        later: list[Future[RowValues]] = []
        if self._pool is not None:
            later = [
                self._pool.submit(stack.step, _of(fed, span), step)
                for stack, span in zip(self.stacks[1:], self._spans[1:], strict=True)
            ]
        try:
            found = [self.stacks[0].step(_of(fed, self._spans[0]), step)]
        finally:
            wait(later)  # no thread goes on when this one has failed
        found += [one.result() for one in later]
        if self._pool is None:
            rest = zip(self.stacks[1:], self._spans[1:], strict=True)
            found += [stack.step(_of(fed, span), step) for stack, span in rest]
        return found[0] if len(found) == 1 else {name: torch.cat([one[name] for one in found]) for name in found[0]}

    def settle(self, step: int) -> None:
        for stack in self.stacks:
            stack.settle(step)

    def refresh(self) -> None:
        for stack in self.stacks:
            stack.refresh()

    def close(self) -> None:
        """Let its threads go."""
        if self._pool is not None:
            self._pool.shutdown()


def parts_for(jobs: Sequence[Job], cores: AskCores) -> int:
    """How many parts such rows are stepped in: one, where a step is short, and where somebody has said how many threads
    there are to be."""
    job = jobs[0]
    engine = job.resolved.engine
    if engine.threads or ("OMP_NUM_THREADS" in os.environ and ALLOTTED not in os.environ):
        return 1
    row = sum(p.numel() for p in job.trainer.model.parameters()) * min(engine.batch_size, len(job.data.train))
    most = min(len(jobs) // LEAST, len(jobs) * row // BUSY)
    return max(1, min(cores(1).free // job.placement.threads, most)) if most > 1 else 1


def _of(fed: Fed, rows: slice) -> Fed:
    """A part's share of a step's batch."""
    if fed.shared:
        return fed
    return Fed({key: column[rows] for key, column in fed.batch.items()}, shared=False)

"""Metrics do not read the device at every batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch

from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding
from dlkit.testing.measuring import validation
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED

READING = ("item", "tolist", "numpy", "__float__", "__int__", "__bool__", "__index__")


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    batch = validation(job)
    metrics = job.task.metrics(job.info)
    with forked(SEED, "measure"), job.trainer.evaluating():
        outputs = job.trainer.evaluate(batch)
        with _counted() as calls:
            metrics.update(outputs, batch)
    if calls:
        seen = f"update reads tensors {len(calls)} times for a batch, by {', '.join(sorted(set(calls)))}"
        yield Finding(seen, "sums that stay on the device, read in compute", "update")


@contextmanager
def _counted() -> Iterator[list[str]]:
    """The names of reading methods, each as often as a tensor was asked for it."""
    calls: list[str] = []

    def spied(name: str) -> Callable[..., object]:
        own: Callable[..., object] = getattr(torch.Tensor, name)

        def spy(tensor: torch.Tensor, *arguments: object) -> object:
            calls.append(name)
            return own(tensor, *arguments)

        return spy

    patches = [patch.object(torch.Tensor, name, spied(name)) for name in READING]
    for one in patches:
        one.start()
    try:
        yield calls
    finally:
        for one in patches:
            one.stop()


RULE = Rule(
    name="metrics-do-not-wait",
    tier="gold",
    kinds=("task",),
    title="update reads nothing of a tensor: no .item(), no float(), no if",
    why="To read a number is to wait for the device: an evaluation on a GPU then goes batch by batch at the "
    "host's pace.",
    mend="Add up tensors in update; read them once, in compute.",
    buggy="self.total += (outputs - y).square().sum().item()",
    corrected="self.total = self.total + (outputs - y).square().sum()",
    check=check,
)

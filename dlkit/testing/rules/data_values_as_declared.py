"""Values are finite, and whole numbers within what the task says of them."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from dlkit.task import Column
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import rows

MOST = 512
"""Samples of a split that are looked at."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    ranges = job.task.ranges(job.info)
    for name, split in job.data.splits.items():
        batch = rows(split, min(MOST, len(split)))
        for key, column in job.task.batch.items():
            bad = _bad(batch[key], column, ranges.get(key))
            if bad.any():
                place = bad.nonzero()[0].tolist()
                value = batch[key][tuple(place)].item()
                yield Finding(
                    f"{key!r} is {value:g} in sample {place[0]}, and in {int(bad.sum()) - 1} other places",
                    _right(column, ranges.get(key)),
                    where=f"split {name!r}",
                )


def _bad(values: Tensor, column: Column, within: tuple[float, float] | None) -> Tensor:
    if values.is_floating_point():
        return ~values.isfinite()
    if within is None or values.dtype == torch.bool:
        return torch.zeros_like(values, dtype=torch.bool)
    outside = (values < within[0]) | (values >= within[1])
    return outside if column.padding is None else outside & (values != column.padding)


def _right(column: Column, within: tuple[float, float] | None) -> str:
    if "float" in column.dtype or within is None:
        return "finite numbers"
    padded = "" if column.padding is None else f", or {column.padding:g} where it is padded"
    return f"from {within[0]:g} to below {within[1]:g}, as Task.ranges says{padded}"


RULE = Rule(
    name="data-values-as-declared",
    tier="bronze",
    kinds=("dataset",),
    title="Numbers are finite, and labels within the range that the task declares",
    why="One NaN ends a run as failed; a label beyond the last class is an error of the loss's kernel, on a GPU one "
    "that takes the process with it.",
    mend="Leave such samples out and say so in Data.notes, or refuse them with a DataError that names file and line; "
    "count labels from 0, as Task.ranges says.",
    buggy="labels = table[:, -1]  # 1 … C",
    corrected="labels = table[:, -1] - 1  # 0 … C-1",
    check=check,
)

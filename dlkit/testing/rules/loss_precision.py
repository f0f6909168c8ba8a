"""A loss is computed in the precision of the outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, followed, named_tensors, outputs_of, rows


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    followed(job)
    batch = rows(job.data.train, 4)
    outputs = outputs_of(job, batch)
    with forked(SEED, "loss"), torch.no_grad():
        found: Mapping[str, Tensor] = job.trainer.setup.loss(outputs, batch)
    given = {tensor.dtype for tensor in named_tensors(outputs).values() if tensor.is_floating_point()}
    for name, value in found.items():
        if given and value.dtype not in given:
            seen = f"of outputs in {', '.join(map(_name, given))}, {name!r} is {_name(value.dtype)}"
            yield Finding(seen, "the outputs' own precision", name)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


RULE = Rule(
    name="loss-precision",
    tier="silver",
    kinds=("loss",),
    title="Its entries are in the precision of the outputs",
    why="One float64 constant, a NumPy array say, makes all that follows float64: half as fast on a CPU, 30 "
    "times slower on a GPU, and an error on MPS, which has none.",
    mend="Bring targets to the outputs' type: target.to(outputs.dtype), torch.as_tensor(array, dtype=outputs.dtype).",
    buggy="weights = torch.from_numpy(np.ones(10))  # float64",
    corrected="weights = torch.ones(10)",
    check=check,
)

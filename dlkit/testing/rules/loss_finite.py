"""A loss is a finite number with a finite gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial

import torch
from torch import Tensor

from dlkit.data.randomness import forked
from dlkit.data.splits import Batch
from dlkit.data.trees import map_tensors
from dlkit.engine.build import Job
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, followed, named_tensors, outputs_of, rows

SIZES = (1, 2, 5)
SURE = 40.0
"""Times the first outputs' spread: as far apart as those of a model that is sure, and wrong, come to be."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    followed(job)
    for size in SIZES:
        batch = rows(job.data.train, size)
        outputs = map_tensors(partial(_leaf, scale=1.0), outputs_of(job, batch))
        yield from _finite(_backward(job, outputs, batch), outputs, f"a batch of {size}")
    outputs = map_tensors(partial(_leaf, scale=SURE), outputs_of(job, batch))
    with suppress(RuntimeError, ValueError):  # outputs that are shares, say, cannot be so large: the loss refuses them
        yield from _finite(
            _backward(job, outputs, batch), outputs, f"a batch of {size}, its outputs spread to {SURE:g}"
        )


def _backward(job: Job, outputs: object, batch: Batch) -> Mapping[str, Tensor]:
    with forked(SEED, "loss"), torch.enable_grad():
        found: Mapping[str, Tensor] = job.trainer.setup.loss(outputs, batch)
        found["loss"].backward()  # type: ignore[no-untyped-call]
    return found


def _leaf(tensor: Tensor, scale: float) -> Tensor:
    """An output as a model with gradients gives it, larger."""
    if not tensor.is_floating_point():
        return tensor
    varies = tensor.isfinite().all() and tensor.dim() and not (tensor == tensor[:1]).all()  # unlike bounds, and masks
    times = scale / max(float(tensor.detach().std()), 1e-3) if scale != 1 and varies else 1.0
    return (tensor.detach() * times).clone().requires_grad_()


def _finite(found: Mapping[str, Tensor], outputs: object, where: str) -> Iterator[Finding]:
    for name, value in found.items():
        if not value.isfinite():
            yield Finding(f"{name!r} is {value.item():g}", "a finite number", where)
    for name, tensor in named_tensors(outputs).items():
        if tensor.grad is not None and not tensor.grad.isfinite().all():
            yield Finding(f"its gradient for {name} is not finite", "finite gradients", where)


RULE = Rule(
    name="loss-finite",
    tier="silver",
    kinds=("loss",),
    title="Loss and gradient are finite, for batches of any size and outputs that are far apart",
    why="A model becomes sure, and is sometimes wrong: a logarithm of 0 then ends a run after hours.",
    mend="Use the forms that take logits (cross_entropy, binary_cross_entropy_with_logits, log_softmax, logsigmoid); "
    "clamp what goes into log, sqrt and a division, before it goes there.",
    buggy="loss = -logits.softmax(1).log().gather(1, labels[:, None]).mean()",
    corrected="loss = F.cross_entropy(logits, labels)",
    check=check,
)

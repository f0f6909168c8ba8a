"""Half precision, where the trainer says that it may be asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from dlkit.data.randomness import forked
from dlkit.engine.trainer import to_float
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, apart, followed, named_tensors, outputs_of, rows, still

COUNT = 4
ALLOWED = 0.1
"""Of the largest output: bf16 has 8 bits of mantissa, and errors add up from layer to layer."""


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    if "amp" not in job.trainer.supports:
        raise Skipped(f"trainer {job.resolved.specs['trainer'].name!r} does not support it")
    followed(job)
    lowered = again(subject, {"engine": {"precision": "bf16"}})
    batch = rows(job.data.val, COUNT)
    exact, rough = named_tensors(outputs_of(job, batch)), named_tensors(to_float(outputs_of(lowered, batch)))
    for name, tensor in exact.items():
        far = apart(tensor.float(), rough[name].float()) if tensor.is_floating_point() else 0.0
        if math.isinf(far) or far > ALLOWED:
            yield Finding(f"in bf16 {name} is {far:.3g} of the largest value off", f"{ALLOWED:g} at most", "forward")
    with still(lowered), forked(SEED, "bf16"), torch.enable_grad():
        loss = lowered.trainer.losses(batch)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
    if not loss.isfinite():
        yield Finding(f"in bf16 its loss is {loss.item():g}", "a finite loss", "loss")
    bad = [n for n, p in lowered.trainer.model.named_parameters() if p.grad is not None and not p.grad.isfinite().all()]
    if bad:
        yield Finding(f"in bf16 the gradients of {', '.join(bad[:3])} are not finite", "finite gradients", "loss")


RULE = Rule(
    name="model-bf16",
    tier="gold",
    kinds=("model",),
    title="In bf16 the outputs are nearly those of float32, loss and gradients finite",
    why="engine.precision = bf16 is what GPUs are fast in; a model that overflows or compares there trains into NaN.",
    mend="Make no constants of a fixed type in forward (torch.zeros(…, dtype=torch.float32) beside autocast tensors), "
    "sum long axes and take exponentials in float32: x.float().",
    buggy="weights = scores.masked_fill(mask, -1e38).exp()",
    corrected="weights = scores.float().masked_fill(mask, -torch.inf).softmax(-1)",
    check=check,
)

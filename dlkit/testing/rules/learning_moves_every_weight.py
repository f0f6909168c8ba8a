"""A step changes whatever is to be learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from dlkit.data.randomness import forked
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, training_batches, trains

STEPS, SIZE = 4, 8


def check(subject: Subject) -> Iterator[Finding]:
    trains(subject.experiment())
    job = again(subject, {"engine": {"steps": STEPS, "epochs": None}})
    loss = job.trainer.setup.loss
    parts = {"": job.trainer.model, **({"loss.": loss} if isinstance(loss, nn.Module) else {})}
    named = {f"{of}{name}": p for of, module in parts.items() for name, p in module.named_parameters()}
    before = {name: p.detach().clone() for name, p in named.items()}
    cancelled, moved = _without_slope(named), set[str]()
    job.trainer.model.train()
    with forked(SEED, "steps"):
        for step, batch in enumerate(training_batches(job, STEPS, SIZE)):
            job.trainer.step([batch], step)
            # After every step: what moved may well come back to where it was.
            moved |= {name for name, p in named.items() if not torch.equal(before[name], p.detach())}
    learnt = [name for name, p in named.items() if p.requires_grad and p.numel()]
    same = [name for name in learnt if name not in moved | cancelled]
    if same:
        told = ", ".join(same[:5]) + (f" and {len(same) - 5} more" if len(same) > 5 else "")
        yield Finding(f"after {STEPS} steps {len(same)} of {len(named)} parameters are as they were: {told}", "changed")
    frozen = sorted(name for name in moved if not named[name].requires_grad)
    if frozen:
        yield Finding(f"{STEPS} steps changed what is frozen: {', '.join(frozen[:5])}", "left as it was")


def _without_slope(named: Mapping[str, nn.Parameter]) -> set[str]:
    """A set that grows and shrinks: parameters that a gradient has reached, and only ever one of zeros (what pulls at a
    last bias from both sides cancels)."""
    zeros: set[str] = set()
    sloped: set[str] = set()

    def saw(name: str, parameter: Tensor) -> None:
        assert parameter.grad is not None
        (sloped if parameter.grad.any() else zeros).add(name)
        zeros.difference_update(sloped)

    for name, parameter in named.items():
        if parameter.requires_grad:
            parameter.register_post_accumulate_grad_hook(partial(saw, name))  # type: ignore[no-untyped-call]
    return zeros


RULE = Rule(
    name="learning-moves-every-weight",
    tier="silver",
    kinds=("model", "trainer"),
    title="Some steps change every parameter that is to be trained, and nothing that is frozen",
    why="A parameter that no optimizer was given has a gradient, and never moves.",
    mend="Give Trainer.parameters to the optimizers, all of them; make them after the model is whole.",
    buggy="return [torch.optim.SGD(self.model.head.parameters(), lr)]",
    corrected="return [torch.optim.SGD(self.parameters, lr)]",
    check=check,
)

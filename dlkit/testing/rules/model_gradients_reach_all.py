"""What is to be learned takes part in the loss."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from dlkit.data.randomness import forked
from dlkit.engine.build import Job
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, followed, training_batches

BATCHES, SIZE = 3, 6


def check(subject: Subject) -> Iterator[Finding]:
    followed(subject.experiment())
    job = again(subject)
    without, bad = _without_gradient(job)
    if without:
        named = ", ".join(without[:5]) + (f" and {len(without) - 5} more" if len(without) > 5 else "")
        seen = f"no gradient reaches {len(without)} of {len(list(job.trainer.model.parameters()))} parameters: {named}"
        yield Finding(seen, "a gradient for each, or requires_grad=False for what is meant to be frozen")
    for name in bad[:3]:
        yield Finding(f"the gradient of {name} is not finite", "finite gradients", name)


def _without_gradient(job: Job) -> tuple[list[str], list[str]]:
    """Trained parameters that no batch gave a gradient, and those whose gradient is not finite."""
    model = job.trainer.model
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    reached, bad = dict.fromkeys(trained, False), []
    model.train()
    for number, batch in enumerate(training_batches(job, BATCHES, SIZE)):
        model.zero_grad()
        with forked(SEED, "gradients", number), torch.enable_grad():
            job.trainer.losses(batch)["loss"].backward()  # type: ignore[no-untyped-call]
        for name, parameter in trained.items():
            reached[name] |= parameter.grad is not None
            if parameter.grad is not None and not parameter.grad.isfinite().all():
                bad.append(name)
    return [name for name, there in reached.items() if not there], bad


RULE = Rule(
    name="model-gradients-reach-all",
    tier="silver",
    kinds=("model",),
    title="A finite gradient reaches every parameter that is to be trained",
    why="A layer that is built and never called, or whose output is detached, stays what chance made of it; several "
    "processes would wait for its gradient for ever.",
    mend="Call the layer in forward, leave out detach(), .data and no_grad() on the way; freeze on purpose with "
    "requires_grad_(False).",
    buggy="features = self.encoder(x).detach()",
    corrected="self.encoder.requires_grad_(False)  # if it is meant to stay\nfeatures = self.encoder(x)",
    check=check,
)

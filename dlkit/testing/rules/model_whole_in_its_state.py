"""What a model has learned is in its state_dict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from dlkit.data.randomness import forked
from dlkit.engine.build import build_model
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, again, copied, listed, rows, training_batches, trains, unlike

STEPS, SIZE = 2, 6


def check(subject: Subject) -> Iterator[Finding]:
    trains(subject.experiment())
    job = again(subject)
    job.trainer.model.train()
    with forked(SEED, "steps"):
        for step, batch in enumerate(training_batches(job, STEPS, SIZE)):
            job.trainer.step([batch], step)
    with forked(SEED, "another model"):
        model = build_model(job.catalog, job.resolved, job.info)
    model.load_state_dict(job.trainer.model.state_dict())
    batch = rows(job.data.val, 4)
    inputs = [batch[key] for key in job.task.inputs]
    # The model as it was trained, not the average that evaluation may see.
    trained, restored = (_outputs(module, inputs) for module in (job.trainer.model, model))
    if found := unlike(trained, restored, 1e-5):
        seen = f"a new model with the state_dict of a trained one gives other outputs: {listed(found)}"
        yield Finding(seen, "the same outputs")


def _outputs(module: nn.Module, inputs: Sequence[Tensor]) -> object:
    with forked(SEED, "look"), torch.no_grad():
        return copied(module.eval()(*inputs))


RULE = Rule(
    name="model-whole-in-its-state",
    tier="silver",
    kinds=("model",),
    title="All that a model learns or counts is in its state_dict",
    why="A checkpoint is its state_dict: what lies elsewhere is lost by every resume, and by every prediction.",
    mend="Keep tensors as nn.Parameter or register_buffer, not persistent=False for what changes; modules in an "
    "nn.ModuleList, not in a list.",
    buggy="self.mean = 0.9 * self.mean + 0.1 * x.mean(0)  # a plain attribute",
    corrected='self.register_buffer("mean", torch.zeros(features))',
    check=check,
)

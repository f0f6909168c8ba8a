"""A GPU computes what the CPU does."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.trees import map_tensors
from dlkit.engine.build import Job
from dlkit.engine.device import choose_device
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import again, copied, listed, outputs_of, rows, unlike, weights

ALLOWED = 1e-2
"""Of the largest output: TF32 and other kernels round otherwise."""


def check(subject: Subject) -> Iterator[Finding]:
    device = choose_device("auto")
    if device.torch_device.type == "cpu":
        raise Skipped("there is no GPU here")
    job, there = subject.experiment(), again(subject, {"engine": {"device": str(device.torch_device)}})
    there.trainer.model.load_state_dict(weights(job.trainer.model))
    batch = rows(job.data.val, 4)
    moved = {name: device.put(column) for name, column in batch.items()}
    found = unlike(outputs_of(job, batch), _on_host(outputs_of(there, moved)), ALLOWED)
    if found:
        yield Finding(f"on {device.torch_device}: {listed(found)}", f"the CPU's outputs, within {ALLOWED:g}", "forward")
    yield from _steps(there)


def _on_host(outputs: object) -> object:
    return map_tensors(lambda tensor: tensor.cpu(), copied(outputs))


def _steps(job: Job) -> Iterator[Finding]:
    batch = {name: job.placement.device.put(column) for name, column in rows(job.data.train, 4).items()}
    job.trainer.model.train()
    for name, value in job.trainer.step([batch], 0).items():
        if value != value:
            yield Finding(f"a step there gives {name} = nan", "finite values", "step")


RULE = Rule(
    name="model-on-gpu",
    tier="gold",
    kinds=("model",),
    title="On a GPU a model gives what it gives on the CPU",
    why="Tensors that forward makes stay on the CPU unless told otherwise, which shows only where there is a GPU.",
    mend="Register constants with register_buffer, make new tensors with device=x.device (torch.zeros_like, "
    "x.new_zeros).",
    buggy="positions = torch.arange(x.shape[1])",
    corrected="positions = torch.arange(x.shape[1], device=x.device)",
    check=check,
)

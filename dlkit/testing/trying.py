"""What rules look with: the experiment again without its data being built again, batches of it, and comparisons."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from dlkit.data.randomness import forked
from dlkit.data.splits import Batch, Split
from dlkit.data.trees import map_tensors
from dlkit.engine.attempt import Attempt
from dlkit.engine.build import BuildData, Job, prepare
from dlkit.engine.start import in_new_folder
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.engine.trainer import Trainer, evaluation_mode
from dlkit.testing.finding import Skipped
from dlkit.testing.offline import offline_data

if TYPE_CHECKING:
    from dlkit.testing.subject import Sections, Subject

ROUNDING = 1e-4
"""What sums in float32 may differ by, in another order or another kernel, as a share of the largest value."""
SEED = 20
"""Of everything that is drawn to look with."""


def shared_data(job: Job) -> BuildData:
    """Gives the data of an experiment that is there already: to build it may take longer than all else."""
    return lambda catalog, resolved, task, context: (job.data, job.info)


def again(subject: Subject, settings: Sections | None = None) -> Job:
    """The experiment built anew but for its data, to be changed; ``settings`` are not the data set's."""
    with offline_data(subject.catalog, subject.scratch) as context:
        resolved = subject.resolved(settings)
        return prepare(subject.catalog, resolved, context, data=shared_data(subject.experiment()))


def attempt(subject: Subject, settings: Sections | None = None) -> Attempt:
    """A run of the experiment in a workspace of its own, about to go."""
    job = again(subject, settings)
    return in_new_folder(subject.catalog, job.resolved, subject.folder("workspace"), job, None, name="")


def rows(split: Split, count: int, first: int = 0) -> Batch:
    """``count`` samples as evaluation sees them; a shorter split's come again from its beginning."""
    return split.take((torch.arange(count) + first) % len(split))


def cut(tree: object, first: int, end: int, count: int) -> object:
    """Of a batch or a model's outputs for ``count`` samples, those of some; what is not by sample stays whole."""
    return map_tensors(lambda tensor: tensor[first:end] if tensor.dim() and len(tensor) == count else tensor, tree)


def part(batch: Batch, first: int, end: int) -> Batch:
    """Some samples of a batch."""
    return {name: column[first:end] for name, column in batch.items()}


def named_tensors(tree: object, name: str = "") -> dict[str, Tensor]:
    """Tensors of a tree by where they are: ``boxes``, ``optimizers.0.state``; a bare one is called ``outputs``."""
    if isinstance(tree, Tensor):
        return {name or "outputs": tree}
    if not isinstance(tree, (Mapping, list, tuple)):
        return {}
    items = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    parts = [named_tensors(value, f"{name}.{key}" if name else str(key)) for key, value in items]
    return {key: tensor for part in parts for key, tensor in part.items()}


def outputs_of(job: Job, batch: Batch, purpose: str = "look") -> object:
    """The model's outputs as evaluation has them; no generator moves, nothing is left behind."""
    with forked(SEED, purpose), job.trainer.evaluating():
        return job.trainer.evaluate(batch)


def copied(tree: object) -> object:
    """The same, in memory of its own."""
    return map_tensors(lambda tensor: tensor.detach().clone(), tree)


def apart(one: Tensor, other: Tensor) -> float:
    """The largest difference, as a share of the largest value where that is above 1; infinite where the form, or what
    is finite, differs."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return math.inf
    if not one.numel():
        return 0.0
    a, b = one.detach().double(), other.detach().double()
    finite = a.isfinite()
    if not torch.equal(finite, b.isfinite()):
        return math.inf
    a, b = a[finite], b[finite]
    return float((a - b).abs().amax() / max(1.0, float(a.abs().amax()))) if a.numel() else 0.0


def unlike(one: object, other: object, allowed: float = 0.0) -> dict[str, float]:
    """Which tensors of two trees are further apart than is allowed, and how far."""
    first, second = named_tensors(one), named_tensors(other)
    there = {name: apart(tensor, second[name]) if name in second else math.inf for name, tensor in first.items()}
    found = {name: far for name, far in there.items() if far > allowed}
    return {**found, **dict.fromkeys(second.keys() - first.keys(), math.inf)}


def listed(found: Mapping[str, float]) -> str:
    """Which differ, and by how much, the largest first."""
    worst = sorted(found.items(), key=lambda item: -item[1])
    told = ", ".join(f"{name} by {far:.3g}" for name, far in worst[:3])
    return told + (f" and {len(worst) - 3} more" if len(worst) > 3 else "")


def weights(model: nn.Module) -> dict[str, Tensor]:
    """A copy of what is in a model's state."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def learned(job: Job) -> dict[str, Tensor]:
    """A copy of all that is learned: of the model, and of a loss that has parameters."""
    loss = job.trainer.setup.loss
    of_loss = {f"loss.{name}": t for name, t in weights(loss).items()} if isinstance(loss, nn.Module) else {}
    return {**weights(job.trainer.model), **of_loss}


def followed(job: Job) -> None:
    """Skipped, unless the trainer differentiates its loss as the supervised one does."""
    kind = type(job.trainer)
    as_supervised = isinstance(job.trainer, SupervisedTrainer) or kind.step is Trainer.step
    if not as_supervised or kind.losses is not Trainer.losses or not callable(job.trainer.setup.loss):
        name = job.resolved.specs["trainer"].name
        raise Skipped(f"trainer {name!r} makes its steps itself: what it does with its loss is between the two")
    if not any(parameter.requires_grad for parameter in job.trainer.parameters):
        raise Skipped("the model has nothing to train")


def trains(job: Job) -> None:
    """Skipped, if there is nothing to train."""
    if not any(parameter.requires_grad for parameter in job.trainer.parameters):
        raise Skipped("the model has nothing to train")


@contextmanager
def still(job: Job) -> Iterator[None]:
    """Evaluation mode with gradients: no dropout, no statistics of a batch. What a step computes is then a function of
    its samples alone."""
    with forked(SEED, "still"), evaluation_mode(job.trainer.model):
        yield


def training_batches(job: Job, count: int, size: int) -> list[Batch]:
    """Batches of the training split, as evaluation would see them."""
    return [rows(job.data.train, size, number * size) for number in range(count)]


def run_to_end(going: Attempt) -> Job:
    """Train; AssertionError, if it ends otherwise than completed."""
    for _ in going.events():
        pass
    record = going.run.read()
    if record.get("state") != "completed":
        raise RuntimeError(f"the run ended as {record.get('state')}: {record.get('reason', '')}")
    return going.job


def gradients(job: Job, parts: list[Batch], step: int = 0) -> list[Tensor]:
    """What the optimizers were given at a step, in order; where there are none, how the weights have moved."""
    seen: list[Tensor] = []
    for optimizer in job.trainer.optimizers_made:
        optimizer.register_step_pre_hook(lambda rule, *_: seen.extend(_given(rule)))
    before = learned(job)
    job.trainer.step(parts, step)
    return seen or [after - before[name] for name, after in learned(job).items() if after.is_floating_point()]


def _given(rule: torch.optim.Optimizer) -> list[Tensor]:
    return [
        torch.zeros_like(p) if p.grad is None else p.grad.detach().clone()
        for group in rule.param_groups
        for p in group["params"]
    ]


def share_apart(one: list[Tensor], other: list[Tensor]) -> float:
    """The largest difference as a share of the largest value of all, however small that is."""
    if [t.shape for t in one] != [t.shape for t in other]:
        return math.inf
    largest = max((float(t.abs().amax()) for t in one if t.numel()), default=0.0)
    far = max((float((a - b).abs().amax()) for a, b in zip(one, other, strict=True) if a.numel()), default=0.0)
    return far / largest if largest else far


def draws(job: Job, batches: list[Batch]) -> bool:
    """Whether a step draws from torch's generator though nothing is dropped: noise, say, to make images of."""
    before = torch.get_rng_state()
    job.trainer.step(batches, 0)
    return not torch.equal(before, torch.get_rng_state())

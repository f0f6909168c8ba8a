"""What the built networks show: whether they are alike, and whether one pass can stand for all. All of it in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dlkit.data.plans import Shuffled
from dlkit.data.splits import Batch
from dlkit.engine.build import Job
from dlkit.engine.contract import blaming, named
from dlkit.engine.stacked.stack import Fed, Stack
from dlkit.errors import UsageError
from dlkit.task import first_batch

CLOSE = 1e-3
"""Largest difference, relative to the largest value, that float32 may make between a row and the run alone."""
_OWN = frozenset({"training", "p"})
"""What layers may have otherwise: dropout's rate, and the mode."""
_PLAIN = (bool, int, float, str, tuple, list)


def why_not_stacked(jobs: Sequence[Job]) -> str:
    """What keeps runs from being trained as one, seen in what was built for them; empty: nothing."""
    first = jobs[0]
    if first.placement.device.torch_device.type != "cpu":
        return f"the runs are on {first.placement.device}: stacks are trained on the cpu"
    if first.placement.autocast is not None:
        return "the runs compute in bf16, which is for networks that are large"
    if isinstance(first.trainer.setup.loss, nn.Module):
        return "the loss is a module, which may learn or count"
    if why := _of_model(first.trainer.model):
        return why
    for job in jobs[1:]:
        if why := _unlike(first.trainer.model, job.trainer.model):
            return f"the networks of {first.resolved.specs['model'].name!r} are not alike: {why}"
    return _of_data(jobs)


def _of_model(model: nn.Module) -> str:
    if not any(True for _ in model.parameters()):
        return "the network has no parameters"
    for name, layer in model.named_modules():
        if isinstance(layer, _BatchNorm) and layer.track_running_stats:
            return f"layer {name or 'of the model'} is a batch norm, whose running statistics change in training"
    kinds = {p.dtype for p in model.parameters()}
    if len(kinds) > 1:
        return f"its parameters are of several types: {', '.join(sorted(map(str, kinds)))}"
    unlearned = next((name for name, p in model.named_parameters() if not p.requires_grad), "")
    return f"parameter {unlearned} is not trained" if unlearned else ""


def _unlike(one: nn.Module, other: nn.Module) -> str:
    """The first difference between two networks but for weights and dropout rates."""
    mine, theirs = dict(one.named_modules()), dict(other.named_modules())
    if mine.keys() != theirs.keys():
        return f"one has no layer {sorted(mine.keys() ^ theirs.keys())[0]!r}"
    for name, layer in mine.items():
        if type(layer) is not type(theirs[name]):
            return f"{name or 'they'}: {type(layer).__name__} and {type(theirs[name]).__name__}"
        options, others = _options(layer), _options(theirs[name])
        if options != others:
            key = next(key for key in options | others if options.get(key) != others.get(key))
            return f"{name or 'they'}: {key} is {options.get(key)} and {others.get(key)}"
    shapes, other_shapes = ({n: list(t.shape) for n, t in m.state_dict().items()} for m in (one, other))
    if shapes != other_shapes:
        name = next(n for n in shapes | other_shapes if shapes.get(n) != other_shapes.get(n))
        return f"{name} is {shapes.get(name)} and {other_shapes.get(name)}"
    unlike = (n for n, b in one.named_buffers() if not torch.equal(b, other.get_buffer(n)))
    return next((f"the values of {name} differ" for name in unlike), "")


def _options(layer: nn.Module) -> dict[str, str]:
    """What a layer remembers beside its tensors and parts. An object says only of what class it is."""
    plain = {k: v for k, v in vars(layer).items() if not k.startswith("_") and k not in _OWN}
    return {k: repr(v) if isinstance(v, _PLAIN) else type(v).__name__ for k, v in plain.items()}


def _of_data(jobs: Sequence[Job]) -> str:
    """Rows of several seeds need batches of one size, whatever the order of the samples."""
    if len({job.resolved.engine.seed for job in jobs}) == 1:
        return ""
    split, task = jobs[0].data.train, jobs[0].task
    if not isinstance(split.planner, Shuffled):
        return f"seeds differ, and {type(split.planner).__name__} may cut each one's samples into other batches"
    ragged = next((name for name, column in task.batch.items() if column.padding is not None), "")
    if ragged:
        return f"seeds differ, and column {ragged!r} is as wide as each batch needs"
    odd = next((name for name, column in task.batch.items() if column.axes[0] != "N"), "")
    return f"seeds differ, and column {odd!r} does not begin with the samples of a batch" if odd else ""


def take_as_tried(stack: Stack, job: Job) -> None:
    """Let a stack go the way that a trial shows it to bear; UsageError if none does."""
    count = min(job.resolved.engine.batch_size, len(job.data.train))
    with blaming(named(job.resolved.specs["dataset"])):
        batch = first_batch(job.data.train, count)
    if why := try_stack(stack, batch):
        raise UsageError(f"these runs cannot be trained as one: {why}")


def try_stack(stack: Stack, batch: Batch) -> str:
    """Take a batch through the first and the last row, as one and each alone; why they may not be stacked, or empty.

    Where bits are to be equal and are not, the stack goes row by row from here on. No weight changes, no generator.
    """
    if why := _why_not_followed(stack, Fed(batch, shared=True)):
        return why
    with _put_back(stack):
        losses, found = stack.gradients(Fed(batch, shared=True))
    found |= {f"loss {name}": value.detach() for name, value in losses.items()}
    apart = max(_difference(found, k, _alone(stack, k, batch), exact=stack.exact) for k in {0, len(stack.rows) - 1})
    if stack.exact and apart:
        stack.take_row_by_row()
    elif apart > CLOSE:
        return f"as one, the networks give other losses and gradients than each alone (by {apart:.2g} of the largest)"
    return ""


def _why_not_followed(stack: Stack, fed: Fed) -> str:
    """What torch cannot follow for all rows at once; a loss of that kind is asked for each row from here on."""
    trainer = stack.rows[0].trainer
    inputs = [fed.batch[key] for key in trainer.setup.task.inputs]
    if name := _changing_buffer(trainer.model, inputs):
        return f"{name} of the network changes while it trains"
    with _put_back(stack):
        try:
            outputs = stack.forward(inputs, shared=True)
        # Whatever torch says: of control flow that looks at values, of draws that are no dropout layer's.
        except Exception as error:
            said = str(error).strip().partition(chr(10))[0]
            return f"the network cannot be followed for all at once (control flow that looks at values, say): {said}"
        try:
            stack.losses(outputs, fed)
        except Exception:  # one that looks at values, or makes tensors of its own
            stack.ask_loss_in_turn()
    return ""


def _changing_buffer(model: nn.Module, inputs: Sequence[Tensor]) -> str:
    """The name of one that is another after a pass in training; all are put back."""
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    if not before:
        return ""
    state = torch.get_rng_state()
    with torch.no_grad():
        model(*inputs)
        torch.set_rng_state(state)
        changed = [name for name, buffer in model.named_buffers() if not torch.equal(buffer, before[name])]
        for name in changed:
            model.get_buffer(name).copy_(before[name])
    return changed[0] if changed else ""


@contextmanager
def _put_back(stack: Stack) -> Iterator[None]:
    """Every row's generator is as it was afterwards."""
    states = [row.generator.get_state() for row in stack.rows]
    try:
        yield
    finally:
        for row, state in zip(stack.rows, states, strict=True):
            row.generator.set_state(state)


def _alone(stack: Stack, k: int, batch: Batch) -> dict[str, Tensor]:
    """The same of one row by its own trainer, its model drawing what the row would."""
    trainer, before = stack.rows[k].trainer, torch.get_rng_state()
    torch.set_rng_state(stack.rows[k].generator.get_state())
    try:
        losses = trainer.losses(batch)
        named = dict(trainer.model.named_parameters())
        gradients = torch.autograd.grad(losses["loss"], list(named.values()), allow_unused=True)
    finally:
        torch.set_rng_state(before)
    found = {name: g for name, g in zip(named, gradients, strict=True) if g is not None}
    return {**{f"loss {name}": value.detach() for name, value in losses.items()}, **found}


def _difference(found: Mapping[str, Tensor], k: int, alone: Mapping[str, Tensor], *, exact: bool) -> float:
    """The largest one, relative to the largest value of its tensor; where bits count, 1 if any is another."""
    if found.keys() != alone.keys():
        return 1.0
    if exact:
        return float(any(not torch.equal(found[name][k], value) for name, value in alone.items()))
    return max(_relative(found[name][k], value) for name, value in alone.items())


def _relative(one: Tensor, other: Tensor) -> float:
    # One that diverges in its first step does so alone, too.
    if not other.isfinite().all():
        return 0.0
    return float((one - other).abs().max() / other.abs().max().clamp(min=1e-12))

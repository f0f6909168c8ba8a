"""What components must give, tried once on two samples while they are built: before a run's folder exists.

Each is a function of what was built already, in streams of its own: no generator moves, no weight or statistic changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.components import LossSpec, Spec
from dlkit.config import Resolved
from dlkit.data.randomness import forked, rng
from dlkit.data.splits import Augment, Batch, Data
from dlkit.data.trees import map_tensors
from dlkit.engine.device import Device, is_out_of_memory
from dlkit.engine.room import too_large
from dlkit.engine.summary import model_summary
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.engine.trainer import Trainer
from dlkit.errors import PluginError, blamed
from dlkit.json_types import JsonObject
from dlkit.task import AnyTask, Info, axes_of, check_columns, first_batch


def named(spec: Spec) -> str:
    return f"{spec.kind} {spec.name!r}"


@contextmanager
def blaming(who: str) -> Iterator[None]:
    """Run a component's code while it is built: what it raises names it; UsageError if it asks for too much memory."""
    try:
        with blamed(who, passing=is_out_of_memory):
            yield
    except (RuntimeError, MemoryError) as error:
        raise too_large(who, error) from error


def try_augmentation(task: AnyTask, augment: Augment, batch: Batch, count: int, seed: int, who: str) -> None:
    """Augment a batch of ``count`` samples of the training split; PluginError if no batch of the task comes of it."""
    who = f"{who}: its augmentation"
    with blaming(who), forked(seed, "try augmentation"):
        drawn = augment.draw(rng(seed, "try augmentation"), count)
        for name, values in drawn.items():
            if not isinstance(values, np.ndarray) or len(values) != count:
                raise PluginError(f"{who} draws {name!r} as {_form(values)}, not as an array [{count}, …]")
        made = augment.apply(dict(batch), {name: torch.from_numpy(values) for name, values in drawn.items()})
    check_columns(task.batch, made, who, {"N": len(batch[next(iter(task.batch))])})


class Tried(NamedTuple):
    """Two samples of the validation split on the device, what the model took and gave, and its summary."""

    batch: Batch
    inputs: tuple[Tensor, ...]
    outputs: object
    summary: JsonObject


def try_model(task: AnyTask, info: Info, data: Data, model: nn.Module, resolved: Resolved, device: Device) -> Tried:
    """Pass two validation samples through the model; PluginError if they, or its outputs, are not what the task says.

    Axes that batch, outputs and ``info`` share must agree.
    """
    dataset, who = named(resolved.specs["dataset"]), named(resolved.specs["model"])
    with blaming(dataset):
        on_host = first_batch(data.val, 2)
    sizes = check_columns(task.batch, on_host, f"{dataset}: its validation split", axes_of(info))
    batch = {key: device.put(column) for key, column in on_host.items()}
    given = ", ".join(f"{key} {_form(batch[key])}" for key in task.inputs)
    inputs = tuple(batch[key] for key in task.inputs)
    # What it was given, too: a data set whose splits differ looks like a fault of the model.
    asked = blaming(f"{who}, given {given} of {dataset}")
    with asked, forked(resolved.engine.seed, "summary", device=device):
        summary, outputs = model_summary(model, inputs)
    several = isinstance(task.outputs, Mapping)
    declared = task.outputs if isinstance(task.outputs, Mapping) else {"outputs": task.outputs}
    check_columns(declared, outputs if several else {"outputs": outputs}, who, sizes)
    return Tried(batch, inputs, outputs, {"name": resolved.specs["model"].name, **summary})


def try_loss(spec: Spec, trainer: Trainer, outputs: object, batch: Batch, device: Device) -> None:
    """Ask a loss about outputs of the model; PluginError if a trainer that follows gradients can do nothing with it.

    What a trainer of another interface asks of its loss is between the two, but for what parts of a whole count.
    """
    loss, who = trainer.setup.loss, named(spec)
    # Whether there is a gradient can then be seen without a pass of the model that keeps one.
    streams = forked(trainer.setup.engine.seed, "try loss", device=device)
    with blaming(who), streams, _unchanged(loss), torch.enable_grad():
        found = _tried_losses(loss, outputs, batch, who) if _follows_gradients(spec, trainer) else None
        _try_counts(loss, found, batch, trainer.model, who)
        if found is not None:
            _try_total(loss, found, who)


def _follows_gradients(spec: Spec, trainer: Trainer) -> bool:
    """Whether the trainer calls its loss as the supervised one does, in training and in evaluation."""
    supervised = isinstance(trainer, SupervisedTrainer) or getattr(spec, "interface", "") == LossSpec.interface
    return supervised and type(trainer).evaluate_losses is Trainer.evaluate_losses


def _tried_losses(loss: object, outputs: object, batch: Batch, who: str) -> Mapping[str, Tensor]:
    if not callable(loss):
        raise PluginError(f"{who} built a {type(loss).__name__}, which cannot be called")
    found: Mapping[str, Tensor] = loss(map_tensors(_followed, outputs), batch)
    check_losses(found, who)
    return found


def check_losses(found: object, who: str) -> None:
    """What a loss returned, before it is differentiated."""
    if not isinstance(found, Mapping) or "loss" not in found:
        what = f"a dict of {', '.join(map(repr, found)) or 'nothing'}" if isinstance(found, Mapping) else _form(found)
        raise PluginError(f"{who} returned {what}, not a dict with 'loss'")
    for name, value in found.items():
        _check_number(value, f"{who}: {name!r}")
    if not found["loss"].requires_grad:
        raise PluginError(f"{who}: 'loss' has no gradient: it does not depend on the outputs, or is detached from them")


def _try_counts(loss: object, found: Mapping[str, Tensor] | None, batch: Batch, model: nn.Module, who: str) -> None:
    """What the loss says its entries are means over; ``found`` are those entries, where they are known."""
    counts = getattr(loss, "counts", None)
    if counts is None:
        return
    _check_callable(counts, f"{who}: its counts")
    with torch.no_grad():
        counted = counts(batch, model)
    for name, count in (counted if isinstance(counted, Mapping) else {"": counted}).items():
        what = f"{who}: its count" + (f" of {name!r}" if isinstance(counted, Mapping) else "")
        if isinstance(counted, Mapping) and found is not None and name not in found:
            raise PluginError(f"{what}: it returns no such entry; it returns: {', '.join(map(repr, found))}")
        _check_number(count, what)
        if not 0 <= count.item() < math.inf:  # of NaN neither holds
            raise PluginError(f"{what} is {count.item():g}, not a finite number ≥ 0")


def _try_total(loss: object, found: Mapping[str, Tensor], who: str) -> None:
    """What the loss makes of its parts, where parts of a whole were put together entry by entry."""
    total = getattr(loss, "total", None)
    if total is None:
        return
    who = f"{who}: its total"
    _check_callable(total, who)
    whole, twice = total(found), total({name: 2 * value for name, value in found.items()})
    for value in (whole, twice):
        _check_number(value, who)
    if not whole.requires_grad:
        raise PluginError(f"{who} has no gradient: it does not depend on the entries, or is detached from them")
    if not _alike(whole, found["loss"]):
        raise PluginError(f"{who} of the entries is {whole.item():g}, their 'loss' is {found['loss'].item():g}")
    if not _alike(twice, 2 * whole):
        raise PluginError(
            f"{who} is not linear: of the entries it is {whole.item():g}, of twice the entries {twice.item():g}"
        )


def _alike(one: Tensor, other: Tensor) -> bool:
    """Equal up to the rounding of sums in float32; what is not finite is the run's affair."""
    a, b = one.item(), other.item()
    return not (math.isfinite(a) and math.isfinite(b)) or math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-6)


def _check_callable(value: object, what: str) -> None:
    if not callable(value):
        raise PluginError(f"{what} is {_form(value)}, which cannot be called")


def _check_number(value: object, what: str) -> None:
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise PluginError(f"{what} is {_form(value)}, not a tensor with one number")


def _form(value: object) -> str:
    if isinstance(value, (Tensor, np.ndarray)):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    return f"a {type(value).__name__}"


def _followed(tensor: Tensor) -> Tensor:
    """The tensor as if a model with gradients had given it. A copy, since no leaf may be changed in place."""
    differentiable = tensor.is_floating_point() or tensor.is_complex()
    return tensor.detach().requires_grad_().clone() if differentiable else tensor


@contextmanager
def _unchanged(loss: object) -> Iterator[None]:
    """With a loss's buffers (statistics that it keeps, say) put back afterwards."""
    buffers = [(b, b.clone()) for b in loss.buffers()] if isinstance(loss, nn.Module) else []
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)

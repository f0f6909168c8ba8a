"""From a resolved configuration to a job: components built, checked against their contract, and on their device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from dlkit.catalog import Catalog, load_target
from dlkit.components import Spec
from dlkit.config import Resolved
from dlkit.data.context import Context
from dlkit.data.randomness import derive, forked, seed_all
from dlkit.data.splits import Data
from dlkit.data.weights import Origins, coming_from
from dlkit.engine.checkpoint import evaluated_weights, model_state
from dlkit.engine.contract import blaming, named, try_augmentation, try_loss, try_model
from dlkit.engine.device import Device, Placement, choose_autocast, choose_device, set_threads
from dlkit.engine.distributed import World, join, refuse_unshared
from dlkit.engine.loader import Course
from dlkit.engine.room import bounded_memory, check_room, too_large
from dlkit.engine.summary import data_summary, device_summary
from dlkit.engine.threads import AskCores, Threads, before_the_model, step_work
from dlkit.engine.trainer import ALL_OPTIONS, Setup, Trainer
from dlkit.errors import PluginError, UsageError
from dlkit.json_types import JsonObject
from dlkit.predictor import AnyPredictor, Predictor, Recipe
from dlkit.runs.init_from import named_checkpoint
from dlkit.task import AnyTask, Info, Task, axes_of, check_columns, first_batch


@dataclass(frozen=True)
class Job:
    """A run, ready to go."""

    catalog: Catalog
    resolved: Resolved
    task: AnyTask
    info: Info
    data: Data
    trainer: Trainer
    predictor: AnyPredictor
    placement: Placement
    threads: Threads
    course: Course
    summary: JsonObject
    world: World


def build_task(catalog: Catalog, spec: Spec) -> AnyTask:
    """The task's contract."""
    target = load_target(spec, catalog)
    if not (isinstance(target, type) and issubclass(target, Task)):
        raise PluginError(f"task {spec.name!r}: {spec.target} is not a subclass of dlkit.task.Task")
    with blaming(named(spec)):
        task = target()
    task.name = spec.name
    return task


BuildData = Callable[[Catalog, Resolved, AnyTask, Context], tuple[Data, Info]]
"""Gives a run its data set and ``info``: ``build_data``, or who has built them already."""


def build_data(catalog: Catalog, resolved: Resolved, task: AnyTask, context: Context) -> tuple[Data, Info]:
    """The data set and its validated ``info``; PluginError names the data set and what is missing or misshapen."""
    spec = resolved.specs["dataset"]
    who, build = named(spec), load_target(spec, catalog)
    with blaming(who):
        data = build(resolved.sections["dataset"], context)
    if not isinstance(data, Data):
        raise PluginError(f"{who} built a {type(data).__name__}, not a dlkit.data.splits.Data")
    # Now, and not when the loop asks for its first batch: then a run would have been made for it.
    empty = [name for name, split in data.splits.items() if len(split) == 0]
    if empty:  # a test too: what was asked for and is not there would come to light at its first look
        raise UsageError(f"{who} has an empty {_EMPTY[empty[0]]}")
    info = validate_info(task, data.info, who)
    count = min(2, len(data.train))
    with blaming(who):
        batch = first_batch(data.train, count)
    check_columns(task.batch, batch, who, axes_of(info))
    if data.augment is not None:
        try_augmentation(task, data.augment, batch, count, resolved.engine.seed, who)
    return data, info


_EMPTY = {
    "train": "training split",
    "val": "validation split: ask for a larger share of it",
    "test": "test split: ask for a larger share of it, or for none",
}


def validate_info(task: AnyTask, info: object, who: str) -> Info:
    """The ``info`` as the task declares it; PluginError says where it does not fit."""
    try:
        found: Info = info if isinstance(info, task.Info) else task.Info.model_validate(info)
        return found
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        raise PluginError(f"{who}: info does not fit the task's {task.Info.__name__}: {problems}") from error


def build_model(catalog: Catalog, resolved: Resolved, info: Info) -> nn.Module:
    """The model on the CPU, its weights drawn from torch's generator."""
    spec = resolved.specs["model"]
    build = load_target(spec, catalog)
    with blaming(named(spec)):
        model = build(resolved.sections["model"], info)
    if not isinstance(model, nn.Module):
        raise PluginError(f"model {spec.name!r} built a {type(model).__name__}, not a torch.nn.Module")
    return model


def build_loss(catalog: Catalog, resolved: Resolved, info: Info, device: Device) -> object:
    """The loss, with what it has of tensors on the device; what it must be able to do is the trainer's affair."""
    spec = resolved.specs["loss"]
    build = load_target(spec, catalog)
    # A stream of its own, as for a model: what a loss draws changes no weight, and every rank draws the same.
    with blaming(named(spec)), forked(resolved.engine.seed, "loss"):
        loss: object = build(resolved.sections["loss"], info)
    return loss.to(device.torch_device) if isinstance(loss, nn.Module) else loss


def build_predictor(catalog: Catalog, resolved: Resolved, task: AnyTask, model: nn.Module, info: Info) -> AnyPredictor:
    """What asks the model; UsageError says what it needs that this model lacks."""
    spec = resolved.specs["inference"]
    target = predictor_class(catalog, spec)
    with blaming(named(spec)):
        if lacking := target.lacks(task, model, info):
            asked = f"{named(spec)} cannot ask model {resolved.specs['model'].name!r} of task {task.name!r}"
            others = [other.name for other in catalog.specs("inference", task.name) if other.name != spec.name]
            raise UsageError(f"{asked}: {lacking}. There are: {', '.join(others) or 'no others'}")
        predictor = target(model, info, resolved.sections["inference"])
    predictor.task = task
    predictor.recipe = Recipe(resolved.engine, partial(build_trainer_alone, catalog, resolved, task))
    return predictor


def predictor_class(catalog: Catalog, spec: Spec) -> type[AnyPredictor]:
    """The class of an inference component."""
    target = load_target(spec, catalog)
    if not (isinstance(target, type) and issubclass(target, Predictor)):
        raise PluginError(f"inference {spec.name!r}: {spec.target} is not a subclass of dlkit.use.Predictor")
    return target


def build_trainer_alone(
    catalog: Catalog, resolved: Resolved, task: AnyTask, model: nn.Module, info: Info, steps: int
) -> Trainer:
    """A run's trainer for another model of it, in this process alone, where the model lies."""
    target, where = trainer_class(catalog, resolved), choose_device(str(next(model.parameters()).device))
    model = where.place(model)  # in the run's memory layout: another one rounds differently
    autocast = choose_autocast(resolved.engine, where, model, "amp" in target.supports)
    setup = Setup(
        model=model, loss=build_loss(catalog, resolved, info, where), task=task, info=info,
        config=resolved.sections["trainer"], engine=resolved.engine, device=where, autocast=autocast, total_steps=steps,
    )  # fmt: skip
    with blaming(named(resolved.specs["trainer"])):
        return target(setup)


def trainer_class(catalog: Catalog, resolved: Resolved) -> type[Trainer]:
    """The trainer; UsageError if the configuration asks for an engine option that it does not honour."""
    spec = resolved.specs["trainer"]
    target = load_target(spec, catalog)
    if not (isinstance(target, type) and issubclass(target, Trainer)):
        raise PluginError(f"trainer {spec.name!r}: {spec.target} is not a subclass of dlkit.engine.trainer.Trainer")
    asked = _asked_options(resolved)
    for option in sorted(ALL_OPTIONS - target.supports):
        if option in asked:
            section, _, name = asked[option].partition(".")
            raise UsageError(
                f"{asked[option]} = {getattr(resolved.sections[section], name)!r}: "
                f"trainer {spec.name!r} does not support it; "
                f"it supports: {', '.join(sorted(target.supports)) or 'none of these options'}"
            )
    return target


def _asked_options(resolved: Resolved) -> dict[str, str]:
    """The engine's options that not every trainer honours and that are asked for, each with the key that does so."""
    engine, job = resolved.engine, resolved.job
    asked = {
        # Half a batch makes the same step only for who can accumulate two of them.
        "job.on_oom": ("accumulate", job.on_oom == "halve"),
        "engine.accumulate": ("accumulate", engine.accumulate > 1),
        "engine.clip": ("clip", engine.clip > 0),
        "engine.ema": ("ema", engine.ema > 0),
        "engine.precision": ("amp", engine.precision == "bf16"),
        "engine.compile": ("compile", engine.compile),
        "job.nproc": ("ddp", job.nproc > 1),
    }
    return {option: key for key, (option, wanted) in asked.items() if wanted}


def prepare(
    catalog: Catalog,
    resolved: Resolved,
    context: Context,
    *,
    init: Mapping[str, Tensor] | None = None,
    device: str | None = None,
    threads: Threads | None = None,
    cores: AskCores | None = None,
    data: BuildData = build_data,
) -> Job:
    """Build everything a run needs. ``init``: weights to start from; ``device``: in place of the configured one.

    ``threads``: of the CPU, as the run was started with; ``cores``: who tells a run that begins what is free. Without
    either, torch's choice. ``data``: who gives the data set.
    """
    counted = threads or before_the_model(resolved.engine)
    with bounded_memory(max(counted.building, counted.number)):
        return _prepare(catalog, resolved, context, data, init, device, counted, None if threads is not None else cores)


def _prepare(
    catalog: Catalog,
    resolved: Resolved,
    context: Context,
    build: BuildData,
    init: Mapping[str, Tensor] | None,
    device: str | None,
    counted: Threads,
    cores: AskCores | None,
) -> Job:
    engine = resolved.engine
    _be_deterministic(engine.deterministic)
    target = trainer_class(catalog, resolved)
    world, where = join(device or engine.device)
    where.make_current()  # what torch starts without being told where must not go to another run's device
    set_threads(counted.building)
    task = build_task(catalog, resolved.task)
    with world.rank_zero_first():  # which downloads and fills caches: the others then find them
        data, info = build(catalog, resolved, task, context)
    resolved = _with_resolved_options(resolved, data)
    refuse_unshared(task, info, world)
    with coming_from(Origins(context, partial(weights_of_run, context.workspace))):
        model = _initial_model(catalog, resolved, info, init, where)
    tried = try_model(task, info, data, model, resolved, where)
    if cores is not None:
        work = partial(step_work, model, tried.inputs, engine, where, world)
        counted = counted.chosen(engine, where, world, work, cores)
    lower = choose_autocast(engine, where, model, "amp" in target.supports)
    placement = Placement(where, lower, set_threads(counted.number), counted.why)
    summary = {"model": tried.summary, "data": data_summary(data), **device_summary(placement), "processes": world.size}
    loss = build_loss(catalog, resolved, info, where)
    course = Course(data.train, engine)
    setup = Setup(
        model=model, loss=loss, task=task, info=info, config=resolved.sections["trainer"], engine=engine,
        device=where, autocast=placement.autocast, total_steps=course.total, world=world,
    )  # fmt: skip
    with blaming(named(resolved.specs["trainer"])):
        trainer = target(setup)
    if where.torch_device.type == "cpu":  # other devices say themselves, in an error, when they are full
        check_room(named(resolved.specs["model"]), trainer)
    try_loss(resolved.specs["loss"], trainer, tried.outputs, tried.batch, where)
    predictor = build_predictor(catalog, resolved, task, model, info)
    return Job(catalog, resolved, task, info, data, trainer, predictor, placement, counted, course, summary, world)


def _be_deterministic(wanted: bool) -> None:
    if wanted != torch.are_deterministic_algorithms_enabled():  # the call imports inductor: 0.1–1 s
        torch.use_deterministic_algorithms(wanted)


def _with_resolved_options(resolved: Resolved, data: Data) -> Resolved:
    """The configuration with what the data set's open options turned out to mean; PluginError if they do not fit.

    A resume finds the same data though MNIST, say, has been downloaded since ``auto`` meant something smaller.
    """
    if not data.resolved_options:
        return resolved
    name, section = resolved.specs["dataset"].name, resolved.sections["dataset"]
    try:
        changed = type(section).model_validate({**section.model_dump(), **data.resolved_options})
    except ValidationError as error:
        raise PluginError(f"dataset {name!r} resolved its options to {dict(data.resolved_options)}: {error}") from error
    return replace(resolved, sections={**resolved.sections, "dataset": changed})


def _initial_model(
    catalog: Catalog, resolved: Resolved, info: Info, init: Mapping[str, Tensor] | None, device: Device
) -> nn.Module:
    """The model on its device, with its first weights."""
    # A stream of its own: what was drawn while the data set was built changes no weight.
    seed_all(derive(resolved.engine.seed, "init"), device)
    model = build_model(catalog, resolved, info)
    if init is not None:
        start_from(model, init)
    try:
        return device.place(model)
    # Which error says that there is no room, the device knows.
    except Exception as error:
        if device.is_out_of_memory(error):
            raise too_large(named(resolved.specs["model"]), error) from error
        raise


def weights_of_run(workspace: Path | None, reference: str) -> dict[str, Tensor]:
    """What another run was evaluated with, for a model whose options name it; UsageError: there is no such run."""
    if workspace is None:
        raise UsageError(f"weights of the run {reference!r}: there is no workspace here to look for it")
    return evaluated_weights(named_checkpoint(reference, workspace, "weights"))


def start_from(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy weights by name; UsageError says which do not fit. Of tied ones, the one that is stored suffices."""
    own, _ = model_state(model)  # without the other names of tied weights, which are not stored either
    unfit = [n for n, t in own.items() if n not in weights or weights[n].shape != t.shape]
    if unfit:
        raise UsageError(f"engine.init_from: its weights do not fit this model: {', '.join(unfit[:5])}")
    model.load_state_dict(weights, strict=False)

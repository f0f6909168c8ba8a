"""A plugin that trains in milliseconds, for tests: a straight line in three dimensions.

This module is its entry point, light as a plugin's should be; ``toy_options`` holds its contract and options,
``toy_parts`` what needs torch. ``toy_catalog`` and ``toy_run`` are what tests call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, Suggest, TaskSpec, hookimpl

if TYPE_CHECKING:
    from dlkit.catalog import Catalog
    from dlkit.engine.attempt import Attempt
    from dlkit.runs.folder import RunFolder


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name="toy",
            title="Toy",
            summary="A straight line in three dimensions",
            target="toy_options:ToyTask",
            defaults={
                "dataset": "plane",
                "model": "linear",
                "loss": "mse",
                "trainer": "supervised",
                "inference": "values",
            },
            metric="val/mse",
            direction="min",
            suggest=(
                Suggest(
                    settings={
                        "engine.epochs": 3,
                        "engine.batch_size": 16,
                        "engine.sample_every": "end",
                        "trainer.optimizer": "sgd",
                        "trainer.lr": 0.05,
                    }
                ),
            ),
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="plane",
            task="toy",
            summary="Points of a plane, with noise",
            target="toy_parts:build_plane",
            config="toy_options:PlaneConfig",
        )
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="linear",
            task="toy",
            summary="Dropout and one linear layer",
            target="toy_parts:build_linear",
            config="toy_options:LinearConfig",
        ),
        ModelSpec(
            name="faulty",
            task="toy",
            summary="Raises ZeroDivisionError while it trains",
            target="toy_parts:build_faulty",
            config="toy_options:FaultyConfig",
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [LossSpec(name="mse", task="toy", summary="Mean squared error", target="toy_parts:build_mse")]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="values",
            task="toy",
            summary="Three numbers in, one out",
            target="toy_parts:ValuesPredictor",
            answers="toy_answering:ValuesAnswering",
        )
    ]


def toy_catalog(*plugins: str) -> Catalog:
    """The built-in components, this module's, and those of further ``plugins`` (modules of tests), loaded."""
    from dlkit.catalog import BUILTIN, GROUP, Catalog

    own = [EntryPoint(name, name, GROUP) for name in ("toy", *plugins)]
    catalog = Catalog([EntryPoint(BUILTIN, "dlkit.builtin", GROUP), *own])
    for name in ("toy", *plugins):
        catalog.load(name)
    catalog.load_all()
    return catalog


def toy_attempt(
    workspace: Path,
    name: str = "",
    layer: dict[str, Any] | None = None,
    plugins: Sequence[str] = (),
    **engine: Any,
) -> Attempt:
    """A run about to go: ``layer`` as in run.toml, ``engine`` its engine section."""
    from dlkit.config import Layer, resolve
    from dlkit.data.context import Context
    from dlkit.engine.start import start

    catalog = toy_catalog(*plugins)
    layers = [Layer("test", layer or {}), Layer("test", {"engine": {"device": "cpu", **engine}})]
    return start(catalog, resolve(catalog, "toy", layers), workspace, Context(workspace / "data"), name=name)


def toy_resume(
    run: RunFolder,
    plugins: Sequence[str] = (),
    allow_inexact: bool = False,
    say: Callable[[str], None] = lambda text: None,
    **engine: Any,
) -> Attempt:
    """A run about to go on, ``engine`` overriding its settings."""
    from dlkit.config import Layer
    from dlkit.data.context import Context
    from dlkit.engine.start import resume

    context = Context(run.path.parent.parent / "data", say=say)
    overrides = Layer("test", {"engine": engine}) if engine else None
    return resume(toy_catalog(*plugins), run, context, overrides=overrides, allow_inexact=allow_inexact)


def toy_fork(
    run: RunFolder,
    which: str = "last",
    layer: dict[str, Any] | None = None,
    allow_inexact: bool = False,
    plugins: Sequence[str] = (),
) -> Attempt:
    """A run about to begin with a checkpoint of another, ``layer`` changing its settings."""
    from dlkit.config import Layer
    from dlkit.data.context import Context
    from dlkit.engine.start import fork
    from dlkit.jobs.forking import plan
    from dlkit.runs.checkpoints import choose

    catalog, workspace = toy_catalog(*plugins), run.path.parent.parent
    changed = Layer("test", layer) if layer else None
    planned = plan(catalog, choose(run.path, which), lambda task, names: changed, allow_inexact=allow_inexact)
    return fork(catalog, planned, workspace, Context(workspace / "data"))


def finish(attempt: Attempt) -> RunFolder:
    """Train to the end; returns the run's folder."""
    for _ in attempt.events():
        pass
    return attempt.run


def toy_run(workspace: Path, name: str = "", layer: dict[str, Any] | None = None, **engine: Any) -> RunFolder:
    """A new run, trained to the end."""
    return finish(toy_attempt(workspace, name, layer, **engine))

"""A plugin that trains in milliseconds, for tests: a straight line in three dimensions.

This module is its entry point, light as a plugin's should be; ``toy_options`` holds its contract and options,
``toy_parts`` what needs torch. ``toy_catalog`` and ``toy_run`` are what tests call.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, Suggest, TaskSpec, hookimpl

if TYPE_CHECKING:
    from dlkit.catalog import Catalog
    from dlkit.engine.start import Attempt
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
        )
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [LossSpec(name="mse", task="toy", summary="Mean squared error", target="toy_parts:build_mse")]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="values", task="toy", summary="Three numbers in, one out", target="toy_parts:ValuesPredictor"
        )
    ]


def toy_catalog() -> Catalog:
    """The built-in components and this module's, loaded."""
    from dlkit.catalog import BUILTIN, GROUP, Catalog

    catalog = Catalog([EntryPoint(BUILTIN, "dlkit.builtin", GROUP), EntryPoint("toy", "toy", GROUP)])
    catalog.load_all()
    return catalog


def toy_attempt(workspace: Path, name: str = "", layer: dict[str, Any] | None = None, **engine: Any) -> Attempt:
    """A run about to go: ``layer`` as in run.toml, ``engine`` its engine section."""
    from dlkit.config import Layer, resolve
    from dlkit.data.context import Context
    from dlkit.engine.start import start

    catalog = toy_catalog()
    layers = [Layer("test", layer or {}), Layer("test", {"engine": {"device": "cpu", **engine}})]
    return start(catalog, resolve(catalog, "toy", layers), workspace, Context(workspace / "data"), name=name)


def toy_run(workspace: Path, name: str = "", layer: dict[str, Any] | None = None, **engine: Any) -> RunFolder:
    """Train to the end; returns the run's folder."""
    attempt = toy_attempt(workspace, name, layer, **engine)
    for _ in attempt.events():
        pass
    return attempt.run

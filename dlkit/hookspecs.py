"""The hooks a plugin may implement, one per kind of component.

Each is called once, when the plugin is loaded, and returns light declarations (``dlkit.components``); none may
import torch. Mark an implementation with ``@hookimpl``; a function named ``dlkit_…`` that is not a hook, or lacks the
mark, makes the plugin broken: a misspelt hook must not pass unnoticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from dlkit.components import (
        DatasetSpec,
        InferenceSpec,
        LauncherSpec,
        LossSpec,
        ModelSpec,
        SourceSpec,
        TaskSpec,
        TrainerSpec,
    )
    from dlkit.json_types import Json

PROJECT = "dlkit"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

HOOKS: Mapping[str, str] = MappingProxyType(
    {
        "task": "dlkit_tasks",
        "source": "dlkit_sources",
        "dataset": "dlkit_datasets",
        "model": "dlkit_models",
        "loss": "dlkit_losses",
        "trainer": "dlkit_trainers",
        "inference": "dlkit_inference",
        "launcher": "dlkit_launchers",
    }
)
"""Kind of component → the hook that returns it."""


@hookspec
def dlkit_tasks() -> Iterable[TaskSpec]:  # type: ignore[empty-body]
    """Problems: title, summary, default components, primary metric and direction, and the task's contract."""


@hookspec
def dlkit_sources() -> Iterable[SourceSpec]:  # type: ignore[empty-body]
    """What can be downloaded: files with address, size and SHA-256; layout, licence, citation."""


@hookspec
def dlkit_datasets() -> Iterable[DatasetSpec]:  # type: ignore[empty-body]
    """How sources, generators or the user's files become a task's batches."""


@hookspec
def dlkit_models() -> Iterable[ModelSpec]:  # type: ignore[empty-body]
    """Networks: ``build(config, info) -> torch.nn.Module``."""


@hookspec
def dlkit_losses() -> Iterable[LossSpec]:  # type: ignore[empty-body]
    """What is minimised: ``build(config, info) -> callable``."""


@hookspec
def dlkit_trainers() -> Iterable[TrainerSpec]:  # type: ignore[empty-body]
    """How one step is made: supervised, adversarial, NumPy by hand, optimising pixels."""


@hookspec
def dlkit_inference() -> Iterable[InferenceSpec]:  # type: ignore[empty-body]
    """How a trained model is queried, and what its samples look like."""


@hookspec
def dlkit_launchers() -> Iterable[LauncherSpec]:  # type: ignore[empty-body]
    """Where and how a job's processes are started: local, torchrun, a cluster."""


@hookspec
def dlkit_event(run: Mapping[str, Json], event: Mapping[str, Json]) -> None:
    """Observe an event after it was logged.

    Called in the process that trains, on one background thread, in order, never per step. ``run`` is the content of
    run.json, and where its folder is, as ``path``; ``event`` is one line of events.jsonl. An exception, or 5 s of
    silence, switches this observer off for the rest of the run; nothing here can stop, slow or change training.
    """

"""The network of an earlier run, to look at pictures through: what of that run is kept, and the network again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from torch import nn

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import Context
from dlkit.data.weights import fill, named_weights, restoring
from dlkit.engine.build import build_model, build_task, validate_info
from dlkit.engine.checkpoint import load_info
from dlkit.errors import UsageError
from dlkit.json_types import Settings
from dlkit.runs.folder import RunFolder
from dlkit.runs.init_from import PINNED, named_checkpoint
from dlkit.runs.stored import readable, stored_config

OPTION = "dataset.network"


def kept(reference: str, context: Context) -> Settings | None:
    """All that the network of ``RUN`` or ``RUN@CHECKPOINT`` is built again by, its weights excepted, for ``info``.

    A run that is built again has it in its own. UsageError: no such run, or not one that is given photographs.
    """
    if not reference:
        return None
    if (earlier := context.earlier()) is not None:
        found: Settings | None = earlier.network
        return found
    if context.workspace is None:
        raise UsageError(f"{OPTION} = {reference!r}: there is no workspace with runs here")
    checkpoint = named_checkpoint(reference, context.workspace, OPTION)
    run, catalog = RunFolder(checkpoint.folder.parent.parent), Catalog.load_everything()
    resolved = stored_config(catalog, run, readable(run))
    task = build_task(catalog, resolved.task)
    info = load_info(checkpoint, task.Info)
    if task.inputs != ("image",) or not {"shape", "mean", "std"} <= type(info).model_fields.keys():
        raise UsageError(
            f"{OPTION}: {run.id} is of task {task.name!r}, whose network is not given images by mean and deviation; "
            "those of classification, localization and detection are"
        )
    own = run.path.resolve().parent == (context.workspace / "runs").resolve()
    return {
        "run": f"{run.id if own else run.path.absolute()}@{checkpoint.sha256[:PINNED]}",
        "task": task.name,
        "model": {"name": resolved.specs["model"].name, **resolved.sections["model"].model_dump(mode="json")},
        "info": info.model_dump(),
    }


class Again(NamedTuple):
    """A network, and how pixels in [0, 1] become its input; ``std`` and ``mean`` have as many numbers as channels."""

    network: nn.Module
    mean: np.ndarray
    std: np.ndarray


def again(stored: Settings) -> Again:
    """The network that ``kept`` describes; UsageError if the plugin that it is of is gone."""
    catalog = Catalog.load_everything()
    task = str(stored["task"])
    resolved = resolve(catalog, task, [Layer("the run of dataset.network", {"model": stored["model"]})])
    info: Any = validate_info(build_task(catalog, resolved.task), stored["info"], OPTION)
    with restoring():  # its weights come from its own run, or from this one's: files that it began from may be gone
        network = build_model(catalog, resolved, info)
    if (weights := named_weights(str(stored["run"]))) is not None:
        fill(network, weights, str(stored["run"]))
    return Again(network, info.mean, info.std)

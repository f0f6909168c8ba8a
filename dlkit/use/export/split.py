"""The split that an exported model's metric is proved on."""

from __future__ import annotations

from dataclasses import replace

from dlkit.catalog import Catalog
from dlkit.data.context import Context
from dlkit.data.splits import Split
from dlkit.engine.build import build_data, build_task
from dlkit.errors import DataError, UsageError, nearest
from dlkit.runs.folder import RunFolder
from dlkit.runs.stored import readable
from dlkit.use.load import Loaded


def proving_split(catalog: Catalog, run: RunFolder, loaded: Loaded, context: Context, name: str) -> Split:
    """``val`` or ``test`` of the run's data set; DataError: it cannot be had, or is not what the run was trained on;
    UsageError: it has no such split."""
    resolved = loaded.resolved
    task = build_task(catalog, resolved.task)
    context = replace(context, earlier=lambda: loaded.predictor.info)
    data, _ = build_data(catalog, resolved, task, context)
    if name not in data.splits:
        raise UsageError(
            f"no split {name!r} in dataset {resolved.specs['dataset'].name!r}: {nearest(name, data.splits)}"
        )
    if data.fingerprint() != readable(run).get("fingerprint"):
        raise DataError("the data differs from what the run was trained on: its fingerprint is another")
    return data.splits[name]

"""What a run's folder says of its configuration, its components found again. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from dlkit.catalog import Catalog
from dlkit.components import PARTS, Spec, load_object
from dlkit.config import Layer, Resolved, resolve
from dlkit.errors import PluginError, RunError
from dlkit.json_types import Json
from dlkit.openmp import MOST_THREADS
from dlkit.runs import opening
from dlkit.runs.folder import FORMAT, RunFolder
from dlkit.runs.run_record import RunRecord

EARLIER: Mapping[str, Mapping[str, Json]] = {"engine": {"ema_ramp": False}}
"""What options mean in a configuration that was written before they existed: not their defaults, but what was done."""


def readable(run: RunFolder) -> RunRecord:
    """run.json of a run that this version can use; RunError otherwise."""
    try:
        record = run.read()
    except (OSError, ValueError) as error:
        raise RunError(f"{run.id}: {error}") from error
    if record.get("format", 0) > FORMAT:
        raise RunError(f"{run.id} was written by a newer dlkit (format {record['format']}); this one knows {FORMAT}")
    return record


def stored_config(
    catalog: Catalog,
    run: RunFolder,
    record: RunRecord,
    overrides: Layer | None = None,
    orders: Sequence[Layer] = (),
) -> Resolved:
    """A run's configuration, its components found again; PluginError names a plugin that is gone.

    ``orders`` (``runs.orders``) stand above what is stored, and below ``overrides``.
    """
    task = record.get("task")
    if task is None:
        raise RunError(f"{run.record}: it names no task")
    values: dict[str, Any] = {key: dict(v) if isinstance(v, Mapping) else v for key, v in _read(run).items()}
    for section, meant in EARLIER.items():
        values[section] = {**meant, **values.get(section, {})}
    for part in PARTS:
        made = record.get("components", {}).get(part, {})
        found = [s for s in catalog.specs(part, task) if s.name == made.get("name")]
        if not found:
            offered = f"{part} {made.get('name')!r} of plugin {made.get('plugin')!r}"
            raise PluginError(f"{run.id} needs {offered}, which {_fate(catalog, made.get('plugin'))}")
        values[part] = _migrated(values.get(part, {}), found[0], int(made.get("version", 1)))
    layers = [Layer(run.config.name, values), *orders, *([overrides] if overrides else [])]
    # Without suggestions: what a task suggests today is not what this run was started with.
    return resolve(catalog, task, layers, suggest=False)


def _fate(catalog: Catalog, name: str | None) -> str:
    """What has become of a plugin whose component is not to be found."""
    plugin = next((plugin for plugin in catalog.plugins if plugin.name == name), None)
    if plugin is None:
        return "is not installed"
    if plugin.state == "disabled":
        return "DLKIT_DISABLE switches off" if "DLKIT_DISABLE" in plugin.reason else f"is not used: {plugin.reason}"
    return "offers it no more" if plugin.usable else f"is {plugin.state}: {plugin.reason}"


def stored_threads(run: RunFolder, record: RunRecord, key: Literal["threads", "building_threads"] = "threads") -> int:
    """The threads that a run was computed with, or built with; 0 where it does not say. RunError for a number that no
    option could have given it.
    """
    threads = record.get(key, 0)
    if not isinstance(threads, int) or not 0 <= threads <= MOST_THREADS:
        raise RunError(f"{run.id}: run.json says {key} = {threads!r}: allowed are 0 to {MOST_THREADS}")
    return threads


def _read(run: RunFolder) -> Mapping[str, object]:
    try:
        return opening.read_toml(run.path, run.config.name)
    except RunError:  # it names the file
        raise
    except OSError as error:
        raise RunError(f"{run.config}: {error.strerror or error}") from error


def _migrated(fields: dict[str, object], spec: Spec, version: int) -> dict[str, object]:
    if spec.version == version or not spec.migrate:
        return fields
    name = fields.pop("name", spec.name)  # it was found by that: what changes between versions are options
    return {"name": name, **load_object(spec.migrate)(fields, version)}

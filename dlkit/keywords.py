"""The keywords of the Python interface, and the configuration that they make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict, cast

from dlkit.catalog import Catalog
from dlkit.components import PARTS
from dlkit.config import SHORT_FLAGS, Layer, Resolved, resolve
from dlkit.config_file import preset_layer, read_toml
from dlkit.errors import UsageError, nearest
from dlkit.json_types import Settings

Component = str | Settings


class Short(TypedDict, total=False):
    """The short flags of the command line as keywords: ``--batch-size`` is ``batch_size``."""

    epochs: int | None
    steps: int | None
    batch_size: int
    seed: int
    device: str
    precision: str
    max_time: float | str | None
    limit_batches: int | None
    overfit_batches: int | None
    profile: int
    accumulate: int
    clip: float
    ema: float
    early_stopping: int
    init_from: str | None
    nproc: int
    max_restarts: int
    on_oom: str
    gpu_memory: str | int | None
    notify: str | None
    nice: int
    lr: float


class Options(Short, total=False):
    """What a run may be told, beside its task.

    A component is its name, or a mapping with ``name`` and options; ``preset``, ``config`` (a run.toml, or a mapping of
    sections) and ``engine`` (its options) are layers below the other keywords.
    """

    dataset: Component | None
    model: Component | None
    loss: Component | None
    trainer: Component | None
    inference: Component | None
    preset: str | None
    config: str | Path | Settings | None
    engine: Settings | None


def resolved_of(catalog: Catalog, task: str, options: Options) -> Resolved:
    """All layers, merged and validated."""
    own = _argument_layer(options)
    layers = [*_file_layer(options.get("config")), own]
    if (preset := options.get("preset")) is not None:
        chosen = {part: str(own.table(part)["name"]) for part in PARTS if "name" in own.table(part)}
        layers.insert(0, preset_layer(catalog, task, preset, chosen))
    return resolve(catalog, task, layers)


def _argument_layer(options: Options) -> Layer:
    values: dict[str, dict[str, object]] = {}
    for key in (*PARTS, "engine"):
        if (chosen := cast(Component | None, options.get(key))) is not None:
            values[key] = {"name": chosen} if isinstance(chosen, str) else dict(chosen)
    for key, value in options.items():
        if key in SHORT_FLAGS:
            section, _, field = SHORT_FLAGS[key].partition(".")
            values.setdefault(section, {})[field] = value
        elif key not in Options.__annotations__:
            raise UsageError(f"unknown argument {key!r}: {nearest(key, Options.__annotations__)}")
    return Layer("argument", values)


def fork_layer(changes: Options) -> Layer | None:
    """What a fork changes; UsageError for a preset or a file, which say more than what changes."""
    for word in ("preset", "config"):
        if word in changes:
            raise UsageError(f"a fork goes on with its parent's configuration: give the options that change, no {word}")
    return _argument_layer(changes) if changes else None


def _file_layer(config: str | Path | Settings | None) -> list[Layer]:
    if config is None:
        return []
    return [Layer("config", config)] if isinstance(config, Mapping) else [read_toml(Path(config))]

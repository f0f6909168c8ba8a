"""Configurations as TOML: run.toml in and out, and the presets that plugins bring."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from dlkit.catalog import Catalog
from dlkit.components import PARTS, SPECS
from dlkit.config import SECTIONS, Layer, Resolved
from dlkit.errors import PluginError, UsageError, nearest


def to_toml(resolved: Resolved, *, origins: bool = False) -> str:
    """A resolved configuration as run.toml; with ``origins``, each line says which layer set it."""
    import tomlkit

    document = tomlkit.document()
    values = resolved.values()
    document["task"] = values["task"]
    for section in SECTIONS:
        table = tomlkit.table()
        for key, value in values[section].items():
            item = tomlkit.item(value)
            if origins:
                item.comment(resolved.origins.get(f"{section}.{key}", "default"))
            table[key] = item
        document[section] = table
    return tomlkit.dumps(document)


def read_toml(path: Path) -> Layer:
    """A configuration file as a layer; UsageError names file, line and column of a syntax error."""
    try:
        with path.open("rb") as file:
            return Layer(path.name, tomllib.load(file))
    except FileNotFoundError as error:
        raise UsageError(f"no configuration file {path}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UsageError(f"{path}: {error}") from error


@dataclass(frozen=True)
class Preset:
    """Settings under a name, for a task and, maybe, certain components: ``preset = "fast"`` on top of a run.toml."""

    name: str
    summary: str
    values: Mapping[str, Any]
    file: str

    def components(self) -> dict[str, str]:
        """The components that it is for."""
        return {part: self.values[part]["name"] for part in PARTS if "name" in self.values.get(part, {})}


def presets(catalog: Catalog, task: str) -> list[Preset]:
    """Every preset that the plugins offer for a task."""
    folders = {s.presets: s for kind in SPECS if kind != "task" for s in catalog.specs(kind, task) if s.presets}
    own = {s.presets: s for s in catalog.specs("task") if s.presets and s.name == task}
    return [p for reference in {**own, **folders} for p in _read_folder(reference, task)]


def _read_folder(reference: str, task: str) -> Iterator[Preset]:
    package, _, folder = reference.partition(":")
    try:
        entries = sorted((files(package) / folder).iterdir(), key=lambda entry: entry.name)
        for entry in entries:
            if entry.name.endswith(".toml"):
                values = tomllib.loads(entry.read_text(encoding="utf-8"))
                name, summary = values.pop("preset"), values.pop("summary", "")
                if values.pop("task", task) == task:
                    yield Preset(name, summary, values, entry.name)
    except (OSError, ImportError, KeyError, tomllib.TOMLDecodeError) as error:
        raise PluginError(f"presets {reference}: {type(error).__name__}: {error}") from error


def preset_layer(catalog: Catalog, task: str, name: str, chosen: Mapping[str, str]) -> Layer:
    """The preset of that name that fits the ``chosen`` components (part → name); UsageError lists what there is."""
    offered = presets(catalog, task)
    fitting = [
        p
        for p in offered
        if p.name == name and all(chosen.get(part, wanted) == wanted for part, wanted in p.components().items())
    ]
    if len(fitting) == 1:
        return Layer(f"preset {name}", fitting[0].values)
    there = "; ".join(f"{p.name} ({_for(p)})" for p in offered) or "none"
    if fitting:
        raise UsageError(f"preset {name!r} fits several choices: {there}; name --dataset and --model too")
    if all(p.name != name for p in offered):
        raise UsageError(f"no preset {name!r} for task {task!r}: {nearest(name, {p.name for p in offered})}")
    parts = ", ".join(f"{part} {component}" for part, component in chosen.items())
    raise UsageError(f"preset {name!r} is not made for {parts}; there are: {there}")


def _for(preset: Preset) -> str:
    return ", ".join(f"{part} {name}" for part, name in preset.components().items()) or "any"

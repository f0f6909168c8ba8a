"""Configurations as they are written: run.toml in and out, the presets that plugins bring, settings typed as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlkit import bounded
from dlkit.bounded import BadFile
from dlkit.catalog import Catalog
from dlkit.components import PARTS, SPECS
from dlkit.config import CHOICES, SECTIONS, Layer, Resolved, Schema, choose_components, parse_option, schema_of
from dlkit.config.layers import check_shape
from dlkit.errors import PluginError, UsageError, in_words, nearest

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


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
        return Layer(path.name, bounded.read_toml(path))
    except FileNotFoundError as error:
        raise UsageError(f"no configuration file {path}") from error
    except BadFile as error:
        raise UsageError(str(error)) from error
    except (OSError, ValueError) as error:  # a name with a zero byte in it is a ValueError
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


@dataclass(frozen=True)
class BrokenPreset:
    """A preset's file that cannot be used, or a folder of them, of a component's ``reference``, and why."""

    reference: str
    file: str
    reason: str

    @property
    def name(self) -> str:
        """By which it is asked for: what it calls itself cannot be read."""
        return self.file.rpartition("/")[2].removesuffix(".toml")

    def __str__(self) -> str:
        return f"preset file {self.file} is broken: {self.reason}"


def presets(catalog: Catalog, task: str) -> list[Preset]:
    """Every preset that the plugins offer for a task; broken ones are left out."""
    return [found for found in _read(catalog, task) if isinstance(found, Preset)]


def broken_presets(catalog: Catalog, task: str) -> list[BrokenPreset]:
    """The files of a task's components that should be presets and are not."""
    return [found for found in _read(catalog, task) if isinstance(found, BrokenPreset)]


def _read(catalog: Catalog, task: str) -> Iterator[Preset | BrokenPreset]:
    folders = {s.presets: s for kind in SPECS if kind != "task" for s in catalog.specs(kind, task) if s.presets}
    own = {s.presets: s for s in catalog.specs("task") if s.presets and s.name == task}
    return (found for reference in {**own, **folders} for found in _read_folder(reference, task))


def toml_files(reference: str) -> list[Traversable]:
    """The files of a plugin's folder (``"package:folder"``), by name. Its package is imported for it, which may raise
    anything."""
    package, _, folder = reference.partition(":")
    entries = sorted((files(package) / folder).iterdir(), key=lambda entry: entry.name)
    return [entry for entry in entries if entry.name.endswith(".toml")]


def _read_folder(reference: str, task: str) -> Iterator[Preset | BrokenPreset]:
    try:
        entries = toml_files(reference)
    # The plugin boundary.
    except Exception as error:
        yield BrokenPreset(reference, reference, in_words(error))
        return
    for entry in entries:
        try:
            found = _preset(entry, task)
        # One file's fault is its own: other presets, and the task, have nothing to do with it.
        except (OSError, ValueError, UsageError) as error:
            yield BrokenPreset(reference, f"{reference}/{entry.name}", in_words(error))
        else:
            if found is not None:
                yield found


def _preset(entry: Traversable, task: str) -> Preset | None:
    """A file's preset; None, if it is for another task. OSError, UsageError: it is broken."""
    try:
        values: dict[str, Any] = bounded.parse_toml(entry.read_bytes(), entry.name)
    except BadFile as error:  # whoever lists it names the file
        raise UsageError(str(error).removeprefix(f"{entry.name}: ")) from error
    name, summary = values.pop("preset", None), values.pop("summary", "")
    if not (isinstance(name, str) and name and isinstance(summary, str)):
        raise UsageError('it needs a name, as preset = "fast", and summary is text')
    for_task = values.pop("task", task)
    check_shape(Layer("the preset", values))
    return Preset(name, summary, values, entry.name) if for_task == task else None


def preset_layer(catalog: Catalog, task: str, name: str, chosen: Mapping[str, str]) -> Layer:
    """The preset of that name that fits the ``chosen`` components (part → name), of several the one made for those that
    the model wants, or that are the task's own; UsageError lists what there is."""
    offered = presets(catalog, task)
    fitting = [p for p in offered if p.name == name and _fits(p, chosen)]
    if len(fitting) > 1:
        usual = {**catalog.task(task).defaults, **_wanted_by(catalog, task, chosen.get("model")), **chosen}
        fitting = [p for p in fitting if p.components().items() <= usual.items()] or fitting
    if len(fitting) == 1:
        return Layer(f"preset {name}", fitting[0].values)
    there = "; ".join(f"{p.name} ({_for(p)})" for p in offered) or "none"
    if fitting:
        raise UsageError(f"preset {name!r} fits several choices: {there}; name --dataset and --model too")
    if all(p.name != name for p in offered):
        broken = broken_presets(catalog, task)
        if meant := next((p for p in broken if p.name == name), None):
            raise PluginError(str(meant))
        hint = "".join(f"; {found}" for found in broken)
        raise UsageError(f"no preset {name!r} for task {task!r}: {nearest(name, {p.name for p in offered})}{hint}")
    parts = ", ".join(f"{part} {component}" for part, component in chosen.items())
    raise UsageError(f"preset {name!r} is not made for {parts}; there are: {there}")


def _wanted_by(catalog: Catalog, task: str, model: str | None) -> Mapping[str, str]:
    """The components that a model wants instead of the task's own."""
    return next((spec.defaults for spec in catalog.specs("model", task) if spec.name == model), {})


def _fits(preset: Preset, chosen: Mapping[str, str]) -> bool:
    return all(chosen.get(part, wanted) == wanted for part, wanted in preset.components().items())


def _for(preset: Preset) -> str:
    return ", ".join(f"{part} {name}" for part, name in preset.components().items()) or "any"


@dataclass(frozen=True)
class Typed:
    """What somebody asks of a run, as text: components by part, settings by dotted key, later ones winning.

    A setting without a text is a switch turned on.
    """

    preset: str | None = None
    file: Path | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    settings: Sequence[tuple[str, str | None]] = ()


def typed_layers(catalog: Catalog, task: str, typed: Typed) -> list[Layer]:
    """Preset, file and settings as layers, lowest first; UsageError names an option that the components lack."""
    layers, names, _ = chosen(catalog, task, typed)
    settings: dict[str, dict[str, Any]] = {part: {"name": name} for part, name in typed.names.items()}
    schema = schema_of(catalog, task, names)
    for key, text in typed.settings:
        section, value = _setting(schema, names, key, text)
        settings.setdefault(section, {})[key.partition(".")[2]] = value
    return [*layers, Layer("flag", settings)]


def chosen(catalog: Catalog, task: str, typed: Typed) -> tuple[list[Layer], dict[str, str], dict[str, str]]:
    """The layers below the settings (preset and file), the components that all of it leads to, and who chose each."""
    named = Layer("flag", {part: {"name": name} for part, name in typed.names.items()})
    layers = [read_toml(typed.file)] if typed.file is not None else []
    if typed.preset is not None:
        tables = [(part, layer.table(part)) for layer in (*layers, named) for part in PARTS]
        wanted = {part: str(table["name"]) for part, table in tables if "name" in table}
        layers.insert(0, preset_layer(catalog, task, typed.preset, wanted))
    nproc = [int(text) for key, text in typed.settings if key == "job.nproc" and text and text.isdigit()]
    started = [Layer("flag", {"job": {"nproc": nproc[-1]}})] if nproc else []
    return layers, *choose_components(catalog, catalog.task(task), [*layers, named, *started])


def _setting(schema: Schema, names: Mapping[str, str], key: str, text: str | None) -> tuple[str, object]:
    section, _, name = key.partition(".")
    if section not in schema:
        raise UsageError(f"unknown option --{key}: {nearest(section, schema)}")
    if name not in schema[section]:
        owner = f"{section} {names[section]!r}" if section in CHOICES else f"the {section}"
        raise UsageError(
            f"unknown option --{dashed(key)}: {owner} has no such option; {nearest(name, schema[section])}"
        )
    found = schema[section][name]
    if text is None:
        if found.schema.get("type") != "boolean":
            raise UsageError(f"--{dashed(key)} needs a value: {found.allowed}")
        return section, True
    return section, parse_option(found.schema, text)


def dashed(key: str) -> str:
    """A key as flags spell it."""
    return key.replace("_", "-")

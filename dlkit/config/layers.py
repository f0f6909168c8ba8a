"""Settings from several sources, merged: what a component suggests, a preset, a file, flags.

A run's configuration is a plain nested dict, part → field → value, with ``name`` in every component's part::

    {"task": "regression", "model": {"name": "mlp", "hidden": [64, 64]}, "engine": {"epochs": 20}, …}

Layers are merged as such dicts; nothing is validated here (``resolved``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dlkit.catalog import Catalog
from dlkit.component_choice import applies, completed
from dlkit.components import Spec, TaskSpec
from dlkit.config.options import CHOICES, EXCLUSIVE, SECTIONS, EngineConfig, config_class
from dlkit.errors import UsageError, nearest
from dlkit.json_types import Settings


@dataclass(frozen=True)
class Layer:
    """One source of settings: ``origin`` as shown to people (``"flag"``, ``"run.toml"``), ``values`` as in run.toml."""

    origin: str
    values: Settings

    def table(self, section: str) -> Settings:
        """What it says of a section; empty where it says nothing."""
        found = self.values.get(section)
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True)
class Merged:
    """Layers after merging, before anything is validated: plain values and their origins, as in ``Resolved``."""

    task: TaskSpec
    specs: Mapping[str, Spec]
    values: Mapping[str, Settings]
    origins: Mapping[str, str]


def merge(catalog: Catalog, task_name: str, layers: list[Layer], *, suggest: bool = True) -> Merged:
    """The chosen components and what the layers say, over the components' suggestions; fields' defaults are not in it.

    UsageError for what has no place in a configuration at all; bounds, and whether components combine, are not judged.
    """
    task = catalog.task(task_name)
    for layer in layers:
        check_shape(layer)
        if layer.values.get("task", task.name) != task.name:
            raise UsageError(
                f"{layer.origin}: task = {layer.values['task']!r}, but the task asked for is {task.name!r}"
            )
    names, name_origins = choose_components(catalog, task, layers)
    specs = {part: catalog.find(part, names[part], task.name) for part in CHOICES}
    merged = _Merge(specs)
    merged.exclusive("defaults", {"epochs": EngineConfig.model_fields["epochs"].default})
    for layer in (*(_suggestions(catalog, task, specs, names) if suggest else ()), *layers):
        merged.add(layer)
    return Merged(task, specs, merged.values, {**name_origins, **merged.origins})


def check_shape(layer: Layer) -> None:
    """UsageError, if it has what no configuration has: an unknown section, or a value where a section should be."""
    for key, value in layer.values.items():
        if key in SECTIONS and not isinstance(value, Mapping):
            raise UsageError(f"{layer.origin}: {key} = {value!r} must be a table with a name and its options")
        if key not in ("task", *SECTIONS):
            raise UsageError(f"{layer.origin}: unknown key {key!r}; {nearest(key, ('task', *SECTIONS))}")


def choose_components(catalog: Catalog, task: TaskSpec, layers: list[Layer]) -> tuple[dict[str, str], dict[str, str]]:
    """The component of each part, and who chose it: the user, else the chosen model or data set, else the task."""
    chosen: dict[str, tuple[str, str]] = {}
    for layer in layers:
        for part in CHOICES:
            if "name" in layer.table(part):
                chosen[part] = (str(layer.table(part)["name"]), layer.origin)
    names = {part: name for part, (name, _) in chosen.items()}
    origins = {f"{part}.name": origin for part, (_, origin) in chosen.items()}
    if "launcher" not in names:
        # The one choice that follows from an option: whoever asks for several processes need not know what starts them.
        nproc = [layer.table("job")["nproc"] for layer in layers if "nproc" in layer.table("job")]
        names["launcher"] = "torchrun" if nproc and nproc[-1] != 1 else "local"
        origins["launcher.name"] = "job.nproc"
    for part, (name, origin) in completed(catalog, task, names).items():
        names[part], origins[f"{part}.name"] = name, origin
    return names, origins


def _suggestions(
    catalog: Catalog, task: TaskSpec, specs: Mapping[str, Spec], names: Mapping[str, str]
) -> Iterator[Layer]:
    """What the chosen components propose; a field that the chosen component of a part lacks is not for it."""
    known = {part: config_class(catalog, spec).model_fields for part, spec in specs.items()}
    for spec in (task, *(specs[part] for part in ("dataset", "model", "loss", "inference", "trainer"))):
        for suggest in spec.suggest:
            if applies(suggest.when, names):
                values: dict[str, dict[str, object]] = {}
                for key, value in suggest.settings.items():
                    section, dot, name = key.partition(".")
                    # A task may suggest trainer.lr and be trained by a trainer without one: passed over. What users
                    # set themselves never is.
                    if dot and name in known.get(section, (name,)):
                        values.setdefault(section, {})[name] = value
                yield Layer(f"{spec.kind} {spec.name}", values)


class _Merge:
    """Settings so far: a part's fields are dropped when a later layer names another component for it."""

    def __init__(self, specs: Mapping[str, Spec]) -> None:
        self.final = {part: spec.name for part, spec in specs.items()}
        self.values: dict[str, dict[str, object]] = {section: {} for section in SECTIONS}
        self.origins: dict[str, str] = {}
        self._named: dict[str, str] = {}

    def add(self, layer: Layer) -> None:
        self.exclusive(layer.origin, layer.table("engine"))
        for section in SECTIONS:
            fields = dict(layer.table(section))
            name = str(fields.pop("name", self.final.get(section))) if section in CHOICES else None
            if name is not None and self._named.get(section, name) != name:
                self._drop(section, self.values[section])
            if name is not None and (fields or "name" in layer.table(section)):
                self._named[section] = name
            for key, value in fields.items():
                self.values[section][key] = value
                self.origins[f"{section}.{key}"] = layer.origin

    def exclusive(self, origin: str, engine: Settings) -> None:
        for group in EXCLUSIVE:
            given = [key for key in group if engine.get(key) is not None]
            if len(given) > 1:
                raise UsageError(f"{origin}: give either {' or '.join('engine.' + key for key in given)}, not both")
            for other in group if given else ():
                if other != given[0]:
                    self.values["engine"][other] = None
                    self.origins.pop(f"engine.{other}", None)

    def _drop(self, section: str, fields: dict[str, object]) -> None:
        for key in list(fields):
            del fields[key]
            self.origins.pop(f"{section}.{key}", None)

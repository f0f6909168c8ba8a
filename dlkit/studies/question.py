"""What a study asks: the task, what all trials have, what is varied, and how the space is searched. Is study.toml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dlkit.errors import RunError
from dlkit.json_types import Settings
from dlkit.studies.folder import FORMAT, StudyFolder, question_of

if TYPE_CHECKING:  # who only reads needs neither pydantic nor a plugin
    from dlkit.catalog import Catalog
    from dlkit.config import Layer
    from dlkit.studies.space import Space

STACKS = ("auto", "on", "off")
SEARCHES = ("grid", "ablation", "random", "optuna")


@dataclass(frozen=True)
class Question:
    """``layers``: origin and values of what every trial has, lowest first. ``vary`` is as typed, ``KEY=VALUES`` each.

    search       ``grid``, ``random``, ``optuna``; ``sampler``: of the last, by name
    prune        how trials that are not worth their time are told; empty: all are trained to their end
    search_seed  what is drawn at random is a function of it
    stack        ``auto``: trials that differ in numbers alone are trained as one where they wait together; ``off``;
                 ``on``: it is an error if one cannot be
    parallel     trials in the queue or running at once; 0: as many as keep the devices busy
    max_time     seconds after which no more trials are started; 0: no end
    test         whether the chosen setting is evaluated on test at the end
    needed       whether finished runs of the workspace with an equal configuration are taken as trials
    offline, priority
                 of each trial, as ``dlkit train --queue`` has them
    """

    task: str
    metric: str
    direction: str
    layers: Sequence[tuple[str, Settings]] = ()
    vary: Sequence[str] = ()
    search: str = "grid"
    sampler: str = ""
    prune: str = ""
    stack: str = "off"
    search_seed: int = 0
    parallel: int = 0
    max_time: float = 0.0
    test: bool = True
    needed: bool = False
    offline: bool = False
    priority: int = 0
    name: str = ""
    created: float = 0.0
    command: Sequence[str] = field(default_factory=tuple)

    def to_toml(self) -> str:
        import tomlkit

        document = tomlkit.document()
        document["format"] = FORMAT
        for key in _PLAIN:
            document[key] = getattr(self, key)
        document["vary"] = list(self.vary)
        document["command"] = list(self.command)
        layers = tomlkit.aot()
        for origin, values in self.layers:
            table = tomlkit.table()
            table["origin"], table["values"] = origin, _without_none(values)
            layers.append(table)
        if self.layers:
            document["layers"] = layers
        return tomlkit.dumps(document)

    def space(self, catalog: Catalog) -> Space:
        """All that may be tried; errors as of ``space_of``."""
        from dlkit.studies.space import space_of
        from dlkit.studies.vary import axis

        return space_of(catalog, self.task, self.base(), [axis(word) for word in self.vary])

    def base(self) -> list[Layer]:
        """What every trial has, as layers."""
        from dlkit.config import Layer

        return [Layer(origin, values) for origin, values in self.layers]


_PLAIN = (
    "task", "metric", "direction", "search", "sampler", "prune", "stack", "search_seed", "parallel", "max_time",
    "test", "needed", "offline", "priority", "name", "created",
)  # fmt: skip


def read_question(study: StudyFolder) -> Question:
    """study.toml as it is; RunError names the field that is not what it may be."""
    found = question_of(study)
    defaults = Question("", "", "")
    plain: dict[str, object] = {}
    for key in _PLAIN:
        value = found.get(key, getattr(defaults, key))
        wanted = type(getattr(defaults, key))
        if not isinstance(value, (int, float) if wanted is float else wanted):
            raise RunError(f"{study.question}: {key} = {value!r} is not what it may be")
        plain[key] = value
    if plain["direction"] not in ("min", "max"):
        raise RunError(f"{study.question}: direction = {plain['direction']!r}: min or max")
    vary, command, layers = found.get("vary", []), found.get("command", []), found.get("layers", [])
    if not _texts(vary) or not _texts(command) or not isinstance(layers, list):
        raise RunError(f"{study.question}: vary, command or layers are not what they may be")
    return Question(
        **plain,  # type: ignore[arg-type]  # looked at above
        vary=vary,  # type: ignore[arg-type]
        command=command,  # type: ignore[arg-type]
        layers=[_layer(study, layer) for layer in layers],
    )


def _layer(study: StudyFolder, layer: object) -> tuple[str, Settings]:
    if not isinstance(layer, Mapping) or not isinstance(layer.get("values"), Mapping):
        raise RunError(f"{study.question}: a layer has an origin and values")
    return str(layer.get("origin", "study.toml")), layer["values"]


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _without_none(values: Settings) -> dict[str, object]:
    """TOML has no word for nothing: what is not there is not said."""
    return {
        key: _without_none(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value
        for key, value in values.items()
        if value is not None
    }

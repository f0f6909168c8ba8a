"""What a plugin's author tells the kit, in a file ``check.toml`` of the package: how small its components can be, what
can be stated of them, and which rules do not hold, and why not.

    [[small]]                       # how everything takes seconds; later entries win
    task = "classification"         # for which task; without: for all
    when = {model = "cnn"}          # and with which components
    model = {channels = [2, 4]}     # sections as in run.toml
    engine = {batch_size = 4}
    stated = {overfit_loss = 0.05}  # what rules want to know

Where a text has ``{here}``, the folder of the file stands: a data set of files finds small ones there.

    [[exempt]]
    rule = "model-exports"
    component = "model cnn"         # without: all of the plugin's
    why = "Its convolution is written by hand, and torch.export has no words for it."
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dlkit.bounded import BadFile, read_toml
from dlkit.errors import UsageError, nearest
from dlkit.json_types import Json, JsonObject, Settings

FILE = "check.toml"
SECTIONS = ("dataset", "model", "loss", "trainer", "inference", "engine")
_SMALL = ("task", "when", "stated", *SECTIONS)
_EXEMPT = ("rule", "component", "task", "why")


@dataclass(frozen=True)
class Small:
    """Settings for runs of ``task`` (empty: any) with the components in ``when``."""

    task: str
    when: Mapping[str, str]
    sections: Mapping[str, Settings]
    stated: Settings

    def fits(self, task: str, names: Mapping[str, str]) -> bool:
        return self.task in ("", task) and all(names.get(part) == name for part, name in self.when.items())


@dataclass(frozen=True)
class Exemption:
    """That a rule does not hold of a component (``"model cnn"``; empty: of any), and why."""

    rule: str
    component: str
    task: str
    why: str

    def covers(self, rule: str, component: str, task: str) -> bool:
        return rule == self.rule and self.component in ("", component) and self.task in ("", task)


@dataclass(frozen=True)
class Notes:
    small: tuple[Small, ...] = ()
    exemptions: tuple[Exemption, ...] = ()

    def exempts(self, rule: str, component: str, task: str) -> Exemption | None:
        return next((found for found in self.exemptions if found.covers(rule, component, task)), None)


def read_notes(file: Path | None, rules: Iterable[str]) -> Notes:
    """A package's notes, none where it has no such file; UsageError says where the file is wrong."""
    if file is None or not file.is_file():
        return Notes()
    try:
        values = read_toml(file)
    except (OSError, BadFile) as error:
        raise UsageError(str(error)) from error
    _known(values, ("small", "exempt"), str(file))
    small = tuple(_small(_placed(table, file.parent), where) for table, where in _tables(values, "small", file))
    names = tuple(rules)
    return Notes(small, tuple(_exemption(table, where, names) for table, where in _tables(values, "exempt", file)))


def merged(found: Iterable[Small]) -> tuple[dict[str, Settings], dict[str, object]]:
    """Sections and statements of several, later ones winning option by option; whoever names another component of a
    part leaves nothing of what was said for the one before."""
    sections: dict[str, Settings] = {}
    stated: dict[str, object] = {}
    for small in found:
        for section, values in small.sections.items():
            before = sections.get(section, {})
            other = "name" in values and values["name"] != before.get("name")
            sections[section] = dict(values) if other else {**before, **values}
        stated.update(small.stated)
    return sections, stated


def _tables(values: JsonObject, key: str, file: Path) -> list[tuple[JsonObject, str]]:
    found = values.get(key, [])
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise UsageError(f"{file}: {key} is written [[{key}]]")
    return [(table, f"{file}: [[{key}]] {number}") for number, table in enumerate(found, 1) if isinstance(table, dict)]


def _placed(value: JsonObject, folder: Path) -> JsonObject:
    """With the folder's path where ``{here}`` stands, in tables within it too."""

    def place(one: Json) -> Json:
        if isinstance(one, str):
            return one.replace("{here}", str(folder))
        return _placed(one, folder) if isinstance(one, dict) else one

    return {key: place(one) for key, one in value.items()}


def _small(table: JsonObject, where: str) -> Small:
    _known(table, _SMALL, where)
    sections = {section: _table(table[section], section, where) for section in SECTIONS if section in table}
    when = {key: str(value) for key, value in _table(table.get("when", {}), "when", where).items()}
    return Small(str(table.get("task", "")), when, sections, _table(table.get("stated", {}), "stated", where))


def _exemption(table: JsonObject, where: str, rules: tuple[str, ...]) -> Exemption:
    _known(table, _EXEMPT, where)
    rule, why = str(table.get("rule", "")), str(table.get("why", "")).strip()
    if rule not in rules:
        raise UsageError(f"{where}: no rule {rule!r}: {nearest(rule, rules)}")
    if len(why) < _SHORTEST_REASON:
        raise UsageError(f'{where}: why = "…" must say, in a sentence, why {rule} does not hold; it is {why!r}')
    return Exemption(rule, str(table.get("component", "")), str(table.get("task", "")), why)


_SHORTEST_REASON = 20
"""Letters: no sentence that explains something is shorter."""


def _table(value: Json, key: str, where: str) -> JsonObject:
    if not isinstance(value, dict):
        raise UsageError(f"{where}: {key} = {value!r} must be a table")
    return value


def _known(table: JsonObject, allowed: Iterable[str], where: str) -> None:
    for key in table:
        if key not in allowed:
            raise UsageError(f"{where}: unknown key {key!r}: {nearest(key, allowed)}")

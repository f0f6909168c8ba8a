"""Comparisons that ship with plugins: the words of ``dlkit study TASK …`` under a name, with a quick form.

A recipe is a TOML file in a folder that a component names (``Spec.recipes``)::

    recipe = "lenets"
    summary = "The three networks of the course"
    study = "--vary model=lenet,lenet-relu,lenet-wide --seeds 3"
    quick = "--epochs 2 --seeds 2"        # comes after it, and wins

A file of a folder that serves several tasks has ``task = "…"`` too.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlkit import bounded
from dlkit.bounded import BadFile
from dlkit.catalog import Catalog
from dlkit.components import SPECS
from dlkit.config_file import toml_files
from dlkit.errors import PluginError, UsageError, in_words, nearest

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_KEYS = {"recipe", "summary", "study", "quick", "task"}


@dataclass(frozen=True)
class Recipe:
    """``words`` as somebody would type them after the task; ``quick`` are those that make it a matter of minutes."""

    name: str
    summary: str
    words: list[str]
    quick: list[str]


def recipes(catalog: Catalog, task: str) -> list[Recipe]:
    """Every recipe that the plugins offer for a task, by name; PluginError: one is broken."""
    found = [recipe for reference in _folders(catalog, task) for recipe in _read(reference, task)]
    return sorted(found, key=lambda recipe: recipe.name)


def recipe_of(catalog: Catalog, task: str, name: str) -> Recipe:
    """UsageError says what there is."""
    there = {recipe.name: recipe for recipe in recipes(catalog, task)}
    if name not in there:
        raise UsageError(f"no recipe {name!r} for task {task!r}: {nearest(name, there)}")
    return there[name]


def _folders(catalog: Catalog, task: str) -> list[str]:
    specs = [spec for kind in SPECS for spec in catalog.specs(kind, task if kind != "task" else None)]
    return list(dict.fromkeys(s.recipes for s in specs if s.recipes and (s.kind != "task" or s.name == task)))


def _read(reference: str, task: str) -> Iterator[Recipe]:
    try:
        entries = toml_files(reference)
    # The plugin boundary: its package is imported.
    except Exception as error:
        raise PluginError(f"the recipes in {reference} cannot be read: {in_words(error)}") from error
    for entry in entries:
        try:
            found = _recipe(entry, task)
        except (OSError, ValueError, UsageError) as error:
            raise PluginError(f"recipe file {reference}/{entry.name} is broken: {in_words(error)}") from error
        if found is not None:
            yield found


def _recipe(entry: Traversable, task: str) -> Recipe | None:
    """A file's recipe; None, if it is for another task. OSError, ValueError, UsageError: it is broken."""
    try:
        values = bounded.parse_toml(entry.read_bytes(), entry.name)
    except BadFile as error:  # whoever lists it names the file
        raise UsageError(str(error).removeprefix(f"{entry.name}: ")) from error
    unknown = values.keys() - _KEYS
    texts = {key: value for key, value in values.items() if isinstance(value, str)}
    if unknown or texts.keys() != values.keys() or not texts.get("recipe") or "study" not in texts:
        raise UsageError('it has recipe = "a name", study = "--vary …", and maybe summary, quick and task, all texts')
    if texts.get("task", task) != task:
        return None
    words, quick = (shlex.split(texts.get(key, "")) for key in ("study", "quick"))
    return Recipe(texts["recipe"], texts.get("summary", ""), words, quick)

"""The settings that a study may try: components first, then the options that the chosen components have.

An option is varied only where it exists: ``model.hidden`` of a perceptron is not part of a setting with a convolutional
network, and two settings that differ in nothing else are one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from random import Random

from dlkit.catalog import Catalog
from dlkit.config import CHOICES, Layer, Resolved, choose_components, resolve, schema_of
from dlkit.errors import UsageError, listed, nearest
from dlkit.json_types import Settings
from dlkit.studies.vary import Axis, Domain, Range, domain, every_value, names_of
from dlkit.studies.wording import words

MOST_SETTINGS = 100_000
REDRAWN = 200
"""Draws in a row that were there already, after which a space is said to be used up."""


@dataclass(frozen=True)
class Branch:
    """One choice of components: the varied names, and what is varied besides where these are chosen."""

    names: Settings
    domains: Mapping[str, Domain]
    axes: Mapping[str, Axis]


@dataclass(frozen=True)
class Space:
    """All that may be tried. ``layers`` are what every trial has; ``branches`` is never empty."""

    catalog: Catalog
    task: str
    layers: Sequence[Layer]
    branches: Sequence[Branch]

    def resolve(self, values: Settings, seed: int | None = None) -> Resolved:
        """The whole configuration of a setting; UsageError names what does not fit."""
        return resolve(self.catalog, self.task, [*self.layers, layer_of(values, seed)])


def layer_of(values: Settings, seed: int | None = None) -> Layer:
    """A setting as a layer: ``{"trainer.lr": 0.1}`` → ``{"trainer": {"lr": 0.1}}``."""
    tables: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        tables.setdefault(section, {})[name] = value
    if seed is not None:
        tables.setdefault("engine", {})["seed"] = seed
    return Layer("study", tables)


def space_of(catalog: Catalog, task: str, layers: Sequence[Layer], axes: Sequence[Axis]) -> Space:
    """UsageError: a key that no choice of components has, a component that there is not, a key that is varied twice."""
    doubled = [one.key for i, one in enumerate(axes) if one.key in {other.key for other in axes[:i]}]
    if doubled:
        raise UsageError(f"--vary {doubled[0]}: given twice; its values stand in one --vary, separated by commas")
    choosing = [one for one in axes if one.chooses]
    others = [one for one in axes if not one.chooses]
    branches, known = [], dict[str, None]()
    for chosen in product(*(names_of(one) for one in choosing)):
        names = {one.key: name for one, name in zip(choosing, chosen, strict=True)}
        branch, there = _branch(catalog, task, layers, names, others)
        branches.append(branch)
        known.update(dict.fromkeys(there))
    for one in others:
        if not any(one.key in branch.domains for branch in branches):
            raise UsageError(f"--vary {one.key}: none of the chosen components has it; {_near(one, known)}")
    return Space(catalog, task, layers, branches)


def _branch(
    catalog: Catalog, task: str, layers: Sequence[Layer], names: Settings, axes: Sequence[Axis]
) -> tuple[Branch, list[str]]:
    chosen, _ = choose_components(catalog, catalog.task(task), [*layers, layer_of(names)])
    schema = schema_of(catalog, task, {part: chosen[part] for part in CHOICES})
    fields = {f"{section}.{name}": info for section, infos in schema.items() for name, info in infos.items()}
    there = {one.key: one for one in axes if one.key in fields}
    return Branch(names, {key: domain(one, fields[key]) for key, one in there.items()}, there), list(fields)


def _near(one: Axis, known: Iterable[str]) -> str:
    return nearest(one.key, [key for key in known if key.startswith(f"{one.section}.")] or list(known))


def grid(space: Space) -> list[Settings]:
    """Every combination, once. UsageError: a range, or more than MOST_SETTINGS."""
    found: dict[str, Settings] = {}
    for branch in space.branches:
        values = [every_value(branch.axes[key], what) for key, what in branch.domains.items()]
        if math.prod(map(len, values)) + len(found) > MOST_SETTINGS:
            raise UsageError(f"more than {MOST_SETTINGS} combinations: vary less, or give --search random --trials N")
        for combination in product(*values):
            setting = {**branch.names, **dict(zip(branch.domains, combination, strict=True))}
            found.setdefault(same_word(setting), setting)
    return list(found.values())


def ablation(space: Space) -> list[Settings]:
    """The first value of everything, and every other value of each key with the others at their first: so many settings
    as there are values, where a grid has their product. UsageError: a range."""
    found: dict[str, Settings] = {}
    for branch in space.branches:
        values = {key: every_value(branch.axes[key], what) for key, what in branch.domains.items()}
        first = {**branch.names, **{key: there[0] for key, there in values.items()}}
        for setting in (first, *({**first, key: value} for key, there in values.items() for value in there[1:])):
            found.setdefault(same_word(setting), setting)
    return list(found.values())


def drawn(space: Space, seed: int, known: Iterable[Settings] = ()) -> Iterator[Settings]:
    """Settings at random, none twice, until none is left that is easily found.

    The i-th draw is a function of ``seed`` and i alone: who goes on later, or again, draws the same ones.
    """
    before, there = {same_word(setting) for setting in known}, set[str]()
    number, missed = 0, 0
    while missed < REDRAWN:
        setting = _draw(space, Random(f"{seed}/{number}"))
        number, word = number + 1, same_word(setting)
        if word in there:
            missed += 1
            continue
        missed = 0
        there.add(word)
        if word not in before:
            yield setting


def same_word(setting: Settings) -> str:
    """The same for equal settings."""
    return repr(sorted(setting.items()))


def _draw(space: Space, rng: Random) -> Settings:
    branch = rng.choice(space.branches)
    return {**branch.names, **{key: pick(what, rng) for key, what in branch.domains.items()}}


def pick(what: Domain, rng: Random) -> object:
    """One value of a domain."""
    if not isinstance(what, Range):
        return rng.choice(what)
    if what.log:
        value = math.exp(rng.uniform(math.log(what.low), math.log(what.high)))
    else:
        value = rng.uniform(what.low, what.high)
    if what.whole:
        return rng.randint(int(what.low), int(what.high)) if not what.log else round(value)
    return min(max(float(f"{value:.4g}"), what.low), what.high)  # four digits: it is read, typed and compared


def corners(space: Space) -> list[Settings]:
    """Few settings that have every end of every range and every alternative once: what is wrong with a value is wrong
    in one of them."""
    found: list[Settings] = []
    for branch in space.branches:
        lists = {key: _ends(what) for key, what in branch.domains.items()}
        for place in range(max((len(ends) for ends in lists.values()), default=1)):
            found.append({**branch.names, **{key: ends[min(place, len(ends) - 1)] for key, ends in lists.items()}})
    return found


def _ends(what: Domain) -> Sequence[object]:
    if not isinstance(what, Range):
        return what
    return (int(what.low), int(what.high)) if what.whole else (what.low, what.high)


def fitting(space: Space, settings: Iterable[Settings], *, skip: bool) -> tuple[list[Settings], list[str]]:
    """The settings that make a configuration, each value as the option has it (a path absolute, 9m as seconds), and
    what is wrong with the others, a line each; with ``skip`` they are left out, else UsageError names them."""
    good: dict[str, Settings] = {}
    bad: dict[str, str] = {}
    for setting in settings:
        try:
            found = as_resolved(setting, space.resolve(setting))
        except UsageError as error:
            bad.setdefault(str(error), words(setting))
        else:
            good.setdefault(same_word(found), found)
    lines = [f"  {setting}: {error}" for error, setting in bad.items()]
    if bad and not (skip and good):
        hint = "\n--skip-unfit leaves such settings out" if good else ""
        raise UsageError(listed("nothing was started: these settings do not fit", lines) + hint)
    return list(good.values()), lines


def as_resolved(setting: Settings, resolved: Resolved) -> Settings:
    """A setting's values as its whole configuration has them."""
    whole = resolved.values()
    return {key: whole.get(key.partition(".")[0], {}).get(key.partition(".")[2]) for key in setting}

"""What may be typed, read from where it is declared: the commands' own parsers, and the options of components."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from importlib import import_module

from dlkit.catalog import Catalog
from dlkit.cli import module_of
from dlkit.cli.complete.words import Command, Commands, Input, Option, Task
from dlkit.cli.parser import Parser, declared_parser


def commands(catalog: Catalog) -> Commands:
    """Every command, and the names that their words may be, by what they are names of."""
    from dlkit.cli.main import COMMANDS
    from dlkit.components import SPECS

    found: dict[str, Command] = {}
    for name, about in COMMANDS.items():
        actions: list[str] = list(getattr(import_module(module_of(name)), "ACTIONS", ()))
        found[name] = Command(about=about, actions=actions, options=[], inputs=[])
        if name == "train":
            found[name]["options"] = list(_train_options())
        elif name == "fork":
            found[name]["options"] = list(_fork_options())
        elif name == "study":  # a task may stand in the place of an action
            found[name]["options"] = [*_study_options(), *_train_options()]
        elif not actions:
            found[name] = _command(about, declared_parser(name))
        for action in actions:
            parser = declared_parser(name, action)
            found[f"{name} {action}"] = _command(parser.description or "", parser)
    kinds = {
        kind: {spec.name: spec.summary for spec in catalog.specs(kind)} for kind in ("task", "source", "inference")
    }
    listed = {"column": dict.fromkeys(_columns(), ""), "filter": _filters(kinds["task"]), "rule": _rules()}
    listed["plugin"] = {plugin.name: plugin.distribution for plugin in catalog.plugins if plugin.distribution}
    return Commands(commands=found, names={**kinds, "kind": dict.fromkeys(SPECS, ""), **listed})


def _columns() -> list[str]:
    """What may be a column of runs, their order, or what they are grouped by, whatever runs there are."""
    from dlkit.config import SHORT_FLAGS
    from dlkit.monitor.run_columns import known_keys

    return [*known_keys((), {}), *SHORT_FLAGS]


def _rules() -> dict[str, str]:
    """The rules of the conformance kit."""
    from dlkit.testing.rules import find_rule, rule_names

    return {name: find_rule(name).title for name in rule_names()}


def _filters(tasks: Mapping[str, str]) -> dict[str, str]:
    """The words of a filter, with their values where these are known."""
    from dlkit.monitor.run_columns import STATES
    from dlkit.monitor.run_query import TEXTS

    open_ones = dict.fromkeys(
        (f"{field}:" for field in TEXTS if field not in ("task", "state")), "a regular expression"
    )
    closed = {f"task:{task}": about for task, about in tasks.items()} | {f"state:{state}": "" for state in STATES}
    return closed | open_ones | {"since:": "2d, 3h, 2026-11-30", "before:": "2d, 3h, 2026-11-30"}


def task(catalog: Catalog, name: str) -> Task:
    """What ``train`` takes of a task."""
    from dlkit.component_choice import completed, usual
    from dlkit.config import CHOICES, OWN
    from dlkit.config_file import presets
    from dlkit.studies.recipes import recipes

    spec = catalog.task(name)
    parts = {part: {s.name: s.summary for s in catalog.specs(part, name)} for part in CHOICES}
    wants = {}
    for part in ("dataset", "model"):
        for component in parts[part]:
            following = completed(catalog, spec, {part: component})
            wants[f"{part} {component}"] = {other: chosen for other, (chosen, _) in following.items()}
    return Task(
        parts=parts,
        usual=usual(catalog, spec),
        wants=wants,
        presets={preset.name: preset.summary for preset in presets(catalog, name)},
        recipes={recipe.name: recipe.summary for recipe in recipes(catalog, name)},
        sections={section: list(_fields(section, model)) for section, model in OWN.items()},
        components={
            f"{part} {one}": list(_component(catalog, part, one, name)) for part in CHOICES for one in parts[part]
        },
    )


def _command(about: str, parser: Parser) -> Command:
    options = [_option(parser, action) for action in parser._actions if action.option_strings]
    inputs = [_input(action) for action in parser._actions if not action.option_strings]
    return Command(about=about, actions=[], options=options, inputs=inputs)


def _option(parser: Parser, action: argparse.Action) -> Option:
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    choices = [str(choice) for choice in action.choices or ()]
    # The long spelling first: it says what it is.
    words = sorted(action.option_strings, key=lambda word: not word.startswith("--"))
    return Option(words=words, about=parser.explained(action), value=value, choices=choices, changeable=False)


def _input(action: argparse.Action) -> Input:
    choices = [str(choice) for choice in action.choices or ()]
    return Input(value=str(action.metavar or action.dest), choices=choices, repeats=action.nargs in ("*", "+"))


def _train_options() -> Iterator[Option]:
    from dlkit.cli.flags import SWITCHES, VALUES

    for flag, about in SWITCHES.items():
        yield Option(words=[f"--{flag}"], about=about, value="", choices=[], changeable=False)
    for flag, (value, about) in VALUES.items():
        what = "PRESET" if flag == "preset" else value
        yield Option(words=[f"--{flag}"], about=about, value=what, choices=[], changeable=False)


def _fork_options() -> Iterator[Option]:
    from dlkit.cli.fork import SWITCHES, TAKEN

    for flag, about in SWITCHES.items():
        yield Option(words=[f"--{flag}"], about=about, value="", choices=[], changeable=False)
    for flag, (value, about) in TAKEN.items():
        yield Option(words=[f"--{flag}"], about=about, value=value, choices=[], changeable=False)


def _study_options() -> Iterator[Option]:
    from dlkit.cli.study_words import SWITCHES, VALUES
    from dlkit.studies.question import SEARCHES

    choices = {"search": list(SEARCHES)}
    for flag, about in SWITCHES.items():
        yield Option(words=[f"--{flag}"], about=about, value="", choices=[], changeable=False)
    for flag, (value, about) in VALUES.items():
        what = "RECIPE" if flag == "recipe" else value
        yield Option(words=[f"--{flag}"], about=about, value=what, choices=choices.get(flag, []), changeable=False)


def _component(catalog: Catalog, part: str, name: str, task: str) -> Iterator[Option]:
    from dlkit.config import config_class
    from dlkit.errors import DlkitError

    try:
        model = config_class(catalog, catalog.find(part, name, task))
    except DlkitError:  # a component that does not load has no options; ``plugins`` says why
        return
    yield from _fields(part, model)


def _fields(section: str, model: type) -> Iterator[Option]:
    from dlkit.config import SHORT_FLAGS, fields_of
    from dlkit.config_file import dashed

    shorts = {full: short for short, full in SHORT_FLAGS.items()}
    for field in fields_of(model):
        short = shorts.get(f"{section}.{field.name}")
        words = [f"--{dashed(section)}.{dashed(field.name)}", *([f"--{dashed(short)}"] if short else [])]
        yield Option(
            words=words,
            about=field.description,
            value=_value(section, field.name, field.schema),
            choices=_choices(field.schema),
            changeable=bool(field.schema.get("changeable")),
        )


def _value(section: str, name: str, schema: Mapping[str, object]) -> str:
    if (section, name) == ("engine", "init_from"):
        return "RUN"
    formats = {found.get("format") for found in _alternatives(schema)}
    return "FILE" if "path" in formats else "VALUE"


def _choices(schema: Mapping[str, object]) -> list[str]:
    found: list[str] = []
    for one in _alternatives(schema):
        enum = one.get("enum")
        found += [str(choice) for choice in enum] if isinstance(enum, list) else []
        found += [str(one["const"])] if "const" in one else []
        found += ["true", "false"] if one.get("type") == "boolean" else []
    return found


def _alternatives(schema: Mapping[str, object]) -> list[Mapping[str, object]]:
    several = schema.get("anyOf")
    return [schema, *several] if isinstance(several, list) else [schema]

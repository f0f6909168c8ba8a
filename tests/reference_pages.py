"""The reference in docs/reference, written by what the code declares: commands, options, hooks, declarations, events.

``DLKIT_UPDATE_DOCS=1 uv run pytest tests/test_reference.py`` writes the pages anew.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dlkit import errors, events, hookspecs
from dlkit.catalog import Catalog
from dlkit.cli.complete import declared
from dlkit.cli.complete.words import Command
from dlkit.components import PARTS, SPECS, DatasetSpec, Spec
from dlkit.config import OWN, SHORT_FLAGS, Config, FieldInfo, config_class, fields_of
from dlkit.config_file import dashed, presets
from dlkit.studies.recipes import recipes
from rules_page import rules_page

HEAD = "<!-- Written by the code: DLKIT_UPDATE_DOCS=1 uv run pytest tests/test_reference.py -->\n"
TITLES = {
    "dataset": "Data sets",
    "model": "Models",
    "loss": "Losses",
    "trainer": "Trainers",
    "inference": "Inference",
    "launcher": "Launchers",
}
SECTIONS = {"engine": "The engine", "job": "The job"}


def pages(catalog: Catalog) -> Mapping[str, str]:
    """Every page's path below docs/reference, with its text."""
    tasks = sorted(catalog.specs("task"), key=lambda task: task.name)
    found = {
        "commands.md": _commands(catalog),
        "options.md": _options(catalog, [task.name for task in tasks]),
        "hooks.md": _hooks(),
        "events.md": _events(),
        "rules.md": rules_page(),
        **{f"tasks/{task.name}.md": _task(catalog, task.name) for task in tasks},
    }
    return {path: f"{HEAD}\n{text.strip()}\n" for path, text in found.items()}


# Commands


def _commands(catalog: Catalog) -> str:
    known = declared.commands(catalog)["commands"]
    lines = [
        "# Commands",
        "",
        "The same as `dlkit COMMAND --help`. What `RUN` may be: [Runs](../guide/first-hour.md#look).",
    ]
    for name, command in known.items():
        lines += ["", f"{'###' if ' ' in name else '##'} dlkit {name}", "", f"{_sentence(command['about'])}", ""]
        lines += _usage(name, command)
    codes = {cls.exit_code: cls for cls in (errors.RunError, errors.UsageError, errors.DataError, errors.PluginError)}
    lines += ["", "## Exit codes", "", "| code | error | |", "|---|---|---|", "| 0 | | done |"]
    lines += [f"| {code} | `{cls.__name__}` | {_cell(_first(cls))} |" for code, cls in sorted(codes.items())]
    lines.append(f"| {errors.STOPPED} | | stopped before its end, with a checkpoint |")
    return "\n".join(lines)


def _usage(name: str, command: Command) -> Iterator[str]:
    if command["actions"]:
        yield f"`dlkit {name} {'|'.join(command['actions'])} …`"
        yield ""
    if command["inputs"] and not command["actions"]:
        words = [f"{one['value']}{' …' if one['repeats'] else ''}" for one in command["inputs"]]
        yield f"`dlkit {name} {' '.join(words)}`"
        yield ""
    if options := [option for option in command["options"] if "--help" not in option["words"]]:
        yield from ("| option | |", "|---|---|")
        for option in options:
            value = "|".join(option["choices"]) or option["value"]
            words = ", ".join(f"`{word}{f' {_code(value)}' if value else ''}`" for word in option["words"])
            yield f"| {words} | {_cell(option['about'])} |"


# Options


def _options(catalog: Catalog, tasks: Sequence[str]) -> str:
    lines = [
        "# Options",
        "",
        "Of the engine, of jobs, and of components that fit every task. Those of a task's own components are on its "
        "page: " + ", ".join(f"[{task}](tasks/{task}.md)" for task in tasks) + ".",
        "",
        "An option is given as `--SECTION.FIELD VALUE`, in run.toml as `FIELD = VALUE` below `[SECTION]`.",
        "*Changeable*: by `dlkit set` while it runs.",
    ]
    for section, model in OWN.items():
        lines += ["", f"## {SECTIONS.get(section, section.capitalize())} (`{section}`)", "", *_fields(section, model)]
    for kind, title in TITLES.items():
        if general := [spec for spec in catalog.specs(kind) if spec.fits("any")]:
            lines += ["", f"## {title} for every task"]
            lines += [line for spec in general for line in _component(catalog, spec)]
    return "\n".join(lines)


def _task(catalog: Catalog, name: str) -> str:
    task = catalog.task(name)
    better = {"max": "higher", "min": "lower"}[task.direction]
    lines = [f"# {name}", "", f"{_sentence(task.summary)} Judged by `{task.metric}` ({better} is better).", ""]
    lines += [
        f"Plugin: `{_owner(catalog, task)}`. An option is given as `--SECTION.FIELD VALUE` (`--dataset.FIELD`, "
        "`--model.FIELD`, …);",
        "those of the engine and of jobs are [here](../options.md).",
    ]
    if found := [(preset.name, preset.summary) for preset in presets(catalog, name)]:
        lines += ["", "## Presets", "", *_pairs("--preset", found)]
    if found := [(recipe.name, recipe.summary) for recipe in recipes(catalog, name)]:
        lines += ["", "## Recipes", "", *_pairs("--recipe", found)]
    for part in PARTS:
        own = [spec for spec in catalog.specs(part, name) if not spec.fits("any")]
        if own:
            lines += ["", f"## {TITLES[part]} (`--{part}`)"]
        for spec in own:
            lines += _component(catalog, spec, default=task.defaults.get(part) == spec.name)
    return "\n".join(lines)


def _owner(catalog: Catalog, spec: Spec) -> str:
    return next(plugin.distribution for plugin in catalog.plugins if spec in plugin.specs)


def _component(catalog: Catalog, spec: Spec, default: bool = False) -> Iterator[str]:
    yield from ("", f"### {spec.name}{' (default)' if default else ''}", "", _sentence(spec.summary), "")
    if isinstance(spec, DatasetSpec) and spec.example:
        yield from (
            f"`dlkit data example {spec.tasks[0]} DIR --dataset {spec.name}` writes an example of what it reads.",
            "",
        )
    yield from _fields(spec.kind, config_class(catalog, spec))


def _fields(section: str, model: type[Config]) -> Iterator[str]:
    fields = fields_of(model)
    if not fields:
        yield "No options."
        return
    shorts = {full: short for short, full in SHORT_FLAGS.items()}
    yield from ("| option | value | default | |", "|---|---|---|---|")
    for field in fields:
        short = shorts.get(f"{section}.{field.name}")
        flag = f"`{field.name}`" + (f", `--{dashed(short)}`" if short else "")
        more = " *Changeable.*" if field.schema.get("changeable") else ""
        yield f"| {flag} | {_cell(_allowed(field))} | {_default(field)} | {_cell(_sentence(field.description))}{more} |"


def _allowed(field: FieldInfo) -> str:
    return field.allowed or field.type


def _default(field: FieldInfo) -> str:
    if field.required:
        return "needed"
    value = field.default
    if value is None or value == "" or value == []:
        return ""
    text = (
        str(value).lower()
        if isinstance(value, bool)
        else ",".join(map(str, value))
        if isinstance(value, list)
        else value
    )
    return f"`{_code(str(text))}`"


def _pairs(flag: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from ("| | |", "|---|---|")
    yield from (f"| `{flag} {name}` | {_cell(about)} |" for name, about in rows)


# Hooks and declarations


def _hooks() -> str:
    lines = ["# Hooks and declarations", "", _prose(hookspecs), ""]
    lines += ["```py", "from dlkit import hookimpl", "```"]
    for name in (*hookspecs.HOOKS.values(), "dlkit_event"):
        hook = getattr(hookspecs, name)
        lines += ["", f"## {name}", "", "```py", f"def {name}{_signature(hook)}", "```", "", _prose(hook)]
    lines += ["", "## Declarations", "", "Frozen records, every field by its name: `from dlkit import ModelSpec`."]
    for spec in (Spec, *SPECS.values()):
        lines += ["", f"### {spec.__name__}", "", "```py", *_record(spec, Spec), "```", "", _prose(spec)]
    return "\n".join(lines)


def _signature(function: Any) -> str:
    return str(inspect.signature(function)).replace("'", "")


def _events() -> str:
    lines = ["# Events", "", _prose(events), "", "```py", *_record(events.Event, events.Event), "```"]
    for name, kind in events.KINDS.items():
        lines += ["", f"## {name}", "", "```py", *_record(kind, events.Event), "```", "", _prose(kind)]
    lines += ["", "### A reference to a sample", "", "```py", *_record(events.SampleRef, object), "```", ""]
    return "\n".join([*lines, _prose(events.SampleRef)])


def _record(cls: type[Any], base: type[Any]) -> Iterator[str]:
    """A dataclass as one would write it, less the fields of its base."""
    inherited = {field.name for field in dataclasses.fields(base)} if dataclasses.is_dataclass(base) else set[str]()
    own = [field for field in dataclasses.fields(cls) if cls is base or field.name not in inherited]
    head = f"class {cls.__name__}{f'({base.__name__})' if base not in (cls, object) else ''}:"
    yield head if own else f"{head} ..."
    yield from (f"    {field.name}: {field.type}{_given(field)}" for field in own)


def _given(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        return f" = {json.dumps(value) if isinstance(value := field.default, str) else repr(value)}"
    return " = {}" if field.default_factory is not dataclasses.MISSING else ""


# Text


def _first(thing: Any) -> str:
    return inspect.getdoc(thing).split("\n\n")[0].replace("\n", " ")  # type: ignore[union-attr]


def _prose(thing: Any) -> str:
    """A docstring as Markdown; what is laid out in columns stays so."""
    found = []
    for part in re.split(r"\n\s*\n", inspect.getdoc(thing) or ""):
        if re.search(r"^\S.*\S {2,}\S|^ {4,}\S", part, re.MULTILINE):
            quoted = part.rstrip().replace("``", "")
            found.append(f"```text\n{quoted}\n```")
        else:
            found.append(part.replace("``", "`"))
    return "\n\n".join(found)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text[-1] in ".?!" else f"{text[0].upper()}{text[1:]}."


def _code(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("``", "`")

"""``dlkit train TASK … --help``: every option of the components that the line names, whatever else is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from dlkit.catalog import Catalog
from dlkit.cli.flags import SWITCHES, VALUES, Words, layers_of, split_words
from dlkit.cli.parser import HELP
from dlkit.config import CHOICES, SECTIONS, SHORT_FLAGS, FieldInfo, Layer, Merged, merge, resolve, schema_of
from dlkit.config_file import broken_presets, dashed, presets
from dlkit.errors import DlkitError, nearest

USAGE = """usage: dlkit train TASK [OPTION VALUE …]

TASK is one of: {tasks}
dlkit train TASK --help shows the options of a task's components."""
_OWN_WORDS = {
    "engine": "engine: what every run has",
    "job": "job: how its processes are started and looked after",
}


def help_for(catalog: Catalog, argv: Sequence[str]) -> tuple[str, list[str]]:
    """The help that a line asks for, and what is wrong with the line: that is left out, and the rest is shown."""
    problems: list[str] = []
    words = split_words((word for word in argv if word not in HELP), problems)
    tasks = [spec.name for spec in catalog.specs("task")]
    task = next((word for word in words.positional if word in tasks), None)
    if task is None:
        problems += [f"no task {word!r}: {nearest(word, tasks)}" for word in words.positional[:1]]
        return USAGE.format(tasks=", ".join(tasks)), problems
    layers = _layers(catalog, task, words, problems)
    try:
        resolve(catalog, task, layers)
    except DlkitError as error:  # what is missing, or out of bounds
        problems.append(str(error))
    return help_text(catalog, merge(catalog, task, layers)), problems


def _layers(catalog: Catalog, task: str, words: Words, problems: list[str]) -> list[Layer]:
    """Those of all words that can be understood, one after the other."""
    kept = Words()
    parts = [
        *(Words(names={part: name}) for part, name in words.names.items()),
        *(Words(values={key: words.values[key]}) for key in ("config", "preset") if key in words.values),
        *(Words(settings=[setting]) for setting in words.settings),
    ]
    for part in parts:
        tried = Words(
            names={**kept.names, **part.names},
            values={**kept.values, **part.values},
            settings=[*kept.settings, *part.settings],
        )
        try:
            merge(catalog, task, layers_of(catalog, task, tried))
        except DlkitError as error:
            problems.append(str(error))
        else:
            kept = tried
    return layers_of(catalog, task, kept)


def help_text(catalog: Catalog, found: Merged) -> str:
    """Every option of the chosen components: type, bounds, the value it has now and who set it, description."""
    task = found.task.name
    lines = [f"usage: dlkit train {task} [OPTION VALUE …]", "", f"{found.task.title}: {found.task.summary}", ""]
    lines += [f"  --{flag:20} {text}" for flag, text in SWITCHES.items()]
    lines += [f"  --{flag + ' ' + what:20} {text}" for flag, (what, text) in VALUES.items()]
    offered = sorted({f"{p.name} ({', '.join(p.components().values())})" for p in presets(catalog, task)})
    lines += [f"  {'presets:':22} {', '.join(offered) or 'none'}"]
    lines += [f"  {'':22} {broken}" for broken in broken_presets(catalog, task)]
    lines += ["", "components (choose with --PART NAME)"]
    for part in CHOICES:
        there = ", ".join(s.name for s in catalog.specs(part, task))
        lines.append(f"  --{part + ' ' + found.specs[part].name:20} of: {there}")
    shorts = {full: short for short, full in SHORT_FLAGS.items()}
    schema = schema_of(catalog, task, {part: spec.name for part, spec in found.specs.items()})
    for section in SECTIONS:
        if schema[section]:
            spec = found.specs.get(section)
            lines += ["", f"{section} {spec.name}: {spec.summary}" if spec else _OWN_WORDS[section]]
        for info in schema[section].values():
            lines += _help_lines(section, info, found, shorts.get(f"{section}.{info.name}"))
    return "\n".join(lines)


def _help_lines(section: str, info: FieldInfo, found: Merged, short: str | None) -> list[str]:
    value = found.values[section].get(info.name, info.default)
    origin = found.origins.get(f"{section}.{info.name}")
    shown = "none" if value is None else str(list(value) if isinstance(value, (list, tuple)) else value)
    flag = f"--{dashed(section)}.{dashed(info.name)}" + (f", --{dashed(short)}" if short else "")
    source = f", from {origin}" if origin else ""
    default = "required" if info.required and value is None else f"default {shown or '(empty)'}{source}"
    return [f"  {flag}", f"      {info.description} [{info.allowed}; {default}]"]

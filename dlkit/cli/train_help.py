"""``dlkit train TASK … --help``: what is needed first; ``--help all``: every option; whatever else is on the line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from dlkit.catalog import Catalog
from dlkit.cli.flags import SWITCHES, VALUES, Words, layers_of, split_words
from dlkit.cli.parser import HELP
from dlkit.config import CHOICES, SECTIONS, SHORT_FLAGS, FieldInfo, Layer, Merged, merge, resolve, schema_of
from dlkit.config_file import broken_presets, dashed, presets
from dlkit.errors import DlkitError, nearest

USAGE = """usage: dlkit train TASK [OPTION VALUE …]

TASK is one of: {tasks}
dlkit train TASK --help shows what a task has; dlkit train TASK --help all: every option."""
_ALL = "all"
"""The word after the task with which help leaves nothing out."""
RARE = ("priority", "after", "urgent", "at", "cpu-slots", "print-config", "offline", "quiet")
"""Words of the line that nobody needs in the first hour."""
_FIRST = ("engine.epochs", "engine.batch_size", "engine.seed", "engine.device", "engine.max_time", "trainer.lr")
"""Options that everybody asks for first."""
_OWN_WORDS = {
    "engine": "engine: what every run has",
    "job": "job: how its processes are started and looked after",
}


def help_for(catalog: Catalog, argv: Sequence[str]) -> tuple[str, list[str]]:
    """The help that a line asks for, and what is wrong with the line: that is left out, and the rest is shown."""
    problems: list[str] = []
    words = split_words((word for word in argv if word not in HELP), problems)
    tasks = [spec.name for spec in catalog.specs("task")]
    everything = _ALL in words.positional
    words.positional = [word for word in words.positional if word != _ALL]
    task = next((word for word in words.positional if word in tasks), None)
    if task is None:
        problems += [f"no task {word!r}: {nearest(word, tasks)}" for word in words.positional[:1]]
        return USAGE.format(tasks=", ".join(tasks)), problems
    layers = _layers(catalog, task, words, problems)
    try:
        resolve(catalog, task, layers)
    except DlkitError as error:  # what is missing, or out of bounds
        problems.append(str(error))
    found = merge(catalog, task, layers)
    return help_text(catalog, found, None if everything else _asked_for(words)), problems


def _asked_for(words: Words) -> set[str]:
    """The sections of the components that the line names, and of the options that it gives."""
    return {*words.names, *(key.partition(".")[0] for key, _ in words.settings)} - {"engine", "job"}


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


def help_text(catalog: Catalog, found: Merged, asked: Collection[str] | None = None) -> str:
    """Options of the chosen components: type, bounds, the value each has now and who set it, description.

    With ``asked``, sections by name: all of theirs, and of the others those that have a short name.
    """
    task = found.task.name
    rare = () if asked is None else RARE
    lines = [f"usage: dlkit train {task} [OPTION VALUE …]", "", f"{found.task.title}: {found.task.summary}", ""]
    lines += [f"  --{flag:20} {text}" for flag, text in SWITCHES.items() if flag not in rare]
    lines += [f"  --{flag + ' ' + what:20} {text}" for flag, (what, text) in VALUES.items() if flag not in rare]
    offered = sorted({f"{p.name} ({', '.join(p.components().values())})" for p in presets(catalog, task)})
    lines += [f"  {'presets:':22} {', '.join(offered) or 'none'}"]
    lines += [f"  {'':22} {broken}" for broken in broken_presets(catalog, task)]
    lines += ["", "components (choose with --PART NAME)"]
    for part in CHOICES:
        there = ", ".join(s.name for s in catalog.specs(part, task))
        lines.append(f"  --{part + ' ' + found.specs[part].name:20} of: {there}")
    schema = schema_of(catalog, task, {part: spec.name for part, spec in found.specs.items()})
    hidden: dict[str, int] = {}
    for section in SECTIONS:
        shown = _shown(section, schema[section].values(), asked)
        if shown:
            lines += ["", _title(section, found)]
        for info in shown:
            lines += _help_lines(section, info, found, _SHORTS.get(f"{section}.{info.name}"))
        hidden |= {_title(section, found): left} if (left := len(schema[section]) - len(shown)) else {}
    return "\n".join([*lines, *_what_is_hidden(task, hidden)])


_SHORTS = {full: short for short, full in SHORT_FLAGS.items()}


def _title(section: str, found: Merged) -> str:
    spec = found.specs.get(section)
    return f"{section} {spec.name}: {spec.summary}" if spec else _OWN_WORDS[section]


def _shown(section: str, options: Iterable[FieldInfo], asked: Collection[str] | None) -> list[FieldInfo]:
    """What help has room for; what must be given is always shown."""
    if asked is None or section in asked:
        return list(options)
    return [info for info in options if info.required or f"{section}.{info.name}" in _FIRST]


def _what_is_hidden(task: str, hidden: Mapping[str, int]) -> list[str]:
    if not hidden:
        return []
    count = sum(hidden.values())
    lines = [f"  {title.partition(':')[0]} ({number})" for title, number in hidden.items()]
    where = f"dlkit train {task} --help all: every one; --model NAME --help: those of that component"
    return ["", f"{count} options more, by what they are of:", *lines, where]


def _help_lines(section: str, info: FieldInfo, found: Merged, short: str | None) -> list[str]:
    value = found.values[section].get(info.name, info.default)
    origin = found.origins.get(f"{section}.{info.name}")
    shown = "none" if value is None else str(list(value) if isinstance(value, (list, tuple)) else value)
    flag = f"--{dashed(section)}.{dashed(info.name)}" + (f", --{dashed(short)}" if short else "")
    source = f", from {origin}" if origin else ""
    default = "required" if info.required and value is None else f"default {shown or '(empty)'}{source}"
    return [f"  {flag}", f"      {info.description} [{info.allowed}; {default}]"]

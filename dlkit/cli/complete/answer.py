"""What fits at the end of a command line: values, and what each is."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from dlkit.cli.complete.words import Command, Commands, Input, Option, Task

PATHS = {"FILE", "DIR", "INPUT", "DIR_OR_URL", "PATH"}
"""Values that are files or folders, which shells know best."""
FIXED = {"C": ["best", "last"], "D": ["cpu", "cuda", "mps"], "SPLIT": ["train", "val", "test"]}
NAMES = {"TASK": "task", "T": "task", "KIND": "kind", "RULE": "rule", "NAME|PATH": "plugin"}
NEWEST = 50
"""Runs that are offered before anything of RUN is typed."""


class Fitting(NamedTuple):
    value: str
    about: str = ""


FILES = Fitting("\0files")
"""In the place of names of files, which the shell has."""


class Run(NamedTuple):
    id: str
    name: str
    task: str
    about: str
    tags: tuple[str, ...] = ()


class Known(NamedTuple):
    """What there is: commands, a task's options, and the runs of a workspace, newest first."""

    commands: Commands
    task: Callable[[str], Task]
    runs: Callable[[str | None], Sequence[Run]]
    studies: Callable[[str | None], Sequence[Fitting]]


def fitting(known: Known, line: str) -> list[Fitting]:
    """``line`` from ``dlkit`` to the cursor → what its last word may be, beginning as it does.

    Of runs also those whose id ends as the word does: such a word is one of the ways to name them.
    """
    words = split(line)[1:]
    before, current = words[:-1], words[-1] if words else ""
    if before[:1] == ["--workspace"] and len(before) > 1:  # it may stand before the command
        before = [*before[2:3], *before[:2], *before[3:]] if len(before) > 2 else []
    elif before == ["--workspace"]:
        return [FILES]
    answers = list(_after(known, before, current))
    # A run may be named by the end of its id too.
    starting = [one for one in answers if one is FILES or one.value.startswith(current)]
    return starting or [one for one in answers if current and one.value.endswith(current)]


def split(line: str) -> list[str]:
    """Words as a shell has them, quotes taken off; the last one is what stands before the cursor, maybe empty."""
    words: list[str] = []
    word = quote = ""
    letters = iter(line)
    for letter in letters:
        if quote:
            quote, word = ("", word) if letter == quote else (quote, word + letter)
        elif letter in "'\"":
            quote = letter
        elif letter == "\\":
            word += next(letters, "")
        elif letter.isspace():
            words, word = ([*words, word] if word else words), ""
        else:
            word += letter
    return [*words, word]


def _after(known: Known, before: list[str], current: str) -> Iterator[Fitting]:
    there = known.commands["commands"]
    if not before:
        yield from (Fitting(name, command["about"]) for name, command in there.items() if " " not in name)
        if current.startswith("-"):
            yield from (
                Fitting("--help", "the commands"),
                Fitting("--version"),
                Fitting("--workspace", "DIR: before a command"),
            )
        return
    name, *rest = before
    if name == "train":
        yield from _training(known, "train", rest, current)
    elif name == "fork":
        yield from _training(known, "fork", rest, current, _task_of(known, rest))
    elif name == "study" and rest and rest[0] in known.commands["names"]["task"]:
        yield from _training(known, "study", rest, current)
    elif name in there and there[name]["actions"]:
        actions = there[name]["actions"]
        if not rest:
            yield from (Fitting(action, there[f"{name} {action}"]["about"]) for action in actions)
            yield from _named(known.commands["names"]["task"]) if name == "study" else ()
        elif rest[0] in actions:
            yield from _of_command(known, f"{name} {rest[0]}", rest[1:], current)
    elif name in there:
        yield from _of_command(known, name, rest, current)


def _of_command(known: Known, name: str, before: list[str], current: str) -> Iterator[Fitting]:
    command = known.commands["commands"][name]
    workspace = _given(before, "--workspace")

    def values(what: str, choices: Iterable[str]) -> Iterator[Fitting]:
        if what == "NAME":
            kind = "source" if name.startswith("data ") else "inference" if name in ("predict", "sample") else ""
            yield from _named(known.commands["names"].get(kind, {}))
        elif what in ("KEY", "KEYS") and name in ("runs", "compare"):
            yield from _keys(known.commands["names"].get("column", {}), _typed_keys(current) if what == "KEYS" else "")
        elif what == "FILTER":
            yield from _named(known.commands["names"].get("filter", {}))
        elif what != "S" or name.startswith("study"):  # of other commands it is a seed
            yield from _values(known, what, choices, workspace)

    typed = yield from _options(command["options"], before, current, values)
    if typed is None:
        return
    if name == "set" and len(typed) in (1, 2):
        yield from _setting(known, typed, workspace)
        return
    at = _input_at(command, len(typed))
    if at is not None:
        yield from values(at["value"], at["choices"])


def _typed_keys(current: str) -> str:
    """What of a list with commas has been typed, up to its last comma."""
    word = current.partition("=")[2] if current.startswith("-") else current
    return word[: word.rfind(",") + 1]


def _keys(names: Mapping[str, str], typed: str) -> Iterator[Fitting]:
    there = typed.split(",")
    return (Fitting(f"{typed}{name}", about) for name, about in names.items() if name not in there)


def _options(
    options: Sequence[Option],
    before: Sequence[str],
    current: str,
    values: Callable[[str, Iterable[str]], Iterator[Fitting]],
) -> Generator[Fitting, None, list[str] | None]:
    """Options and their values; returns the words before that are neither, or None where an option was meant."""
    by_word = {word: option for option in options for word in option["words"]}
    typed: list[str] = []
    waiting: Option | None = None
    for word in before:
        if waiting is not None:
            waiting = None
        elif word.startswith("-") and word != "-":
            option = by_word.get(word)
            waiting = option if option is not None and option["value"] else None
        else:
            typed.append(word)
    flag, equals, _ = current.partition("=")
    if waiting is not None:
        yield from values(waiting["value"], waiting["choices"])
    elif equals and flag in by_word:
        found = values(by_word[flag]["value"], by_word[flag]["choices"])
        yield from (one if one is FILES else Fitting(f"{flag}={one.value}", one.about) for one in found)
    elif current.startswith("-"):
        yield from (Fitting(word, option["about"]) for word, option in by_word.items() if _is_offered(word, current))
    else:
        return typed
    return None


def _is_offered(word: str, current: str) -> bool:
    """A task has a hundred options of the form --section.field: they come when their section has been begun."""
    return word not in ("-h",) and ("." not in word or current not in ("-", "--"))


def _training(
    known: Known, which: str, before: list[str], current: str, of_run: str | None = None
) -> Iterator[Fitting]:
    """Of ``train``, and of ``study`` and ``fork``, which take its options too; a fork those of the task ``of_run``."""
    tasks = known.commands["names"]["task"]
    name = of_run if which == "fork" else next((word for word in before if word in tasks), None)
    command = known.commands["commands"][which]
    found = known.task(name) if name is not None else None
    options = [*command["options"], *(_of_task(found, before) if found else ())]
    workspace = _given(before, "--workspace")

    def values(what: str, choices: Iterable[str]) -> Iterator[Fitting]:
        if what in ("PRESET", "RECIPE"):
            yield from _named((found["presets"] if what == "PRESET" else found["recipes"]) if found else {})
        elif what == "KEY=VALUES":
            yield from _varied(options)
        elif what.startswith("part "):
            yield from _named(found["parts"][what.removeprefix("part ")] if found else {})
        else:
            yield from _values(known, what, choices, workspace)

    typed = yield from _options(options, before, current, values)
    if typed == [] and which == "fork":
        yield from _runs(known.runs(workspace))
    elif typed is not None and name is None and which != "fork":
        yield from _named(tasks)


def _varied(options: Iterable[Option]) -> Iterator[Fitting]:
    """What a study can vary: the components by their part, and every option by its key."""
    for option in options:
        key = option["words"][0].removeprefix("--")
        if option["value"].startswith("part ") or "." in key:
            yield Fitting(f"{key.replace('-', '_')}=", option["about"])


def _of_task(task: Task, before: Sequence[str]) -> Iterator[Option]:
    """The options of a task's parts, of the engine, and of the components that the line means."""
    named = {part: given for part in task["parts"] if (given := _given(before, f"--{part}")) in task["parts"][part]}
    follow = [task["wants"].get(f"{part} {named[part]}", {}) for part in ("dataset", "model") if part in named]
    chosen = {**task["usual"], **{key: value for wants in follow for key, value in wants.items()}, **named}
    for part in task["parts"]:
        about = f"the {part}: {chosen.get(part, '')} unless named"
        yield Option(words=[f"--{part}"], about=about, value=f"part {part}", choices=[], changeable=False)
    for options in task["sections"].values():
        yield from options
    for part, name in chosen.items():
        yield from task["components"].get(f"{part} {name}", ())


def _task_of(known: Known, before: Sequence[str]) -> str | None:
    """The task of the run that a fork's line names; None while there is none."""
    run = next((word for word in before if not word.startswith("-")), None)
    return None if run is None else _named_task(known, run.partition("@")[0], _given(before, "--workspace"))


def _named_task(known: Known, word: str, workspace: str | None) -> str | None:
    """The task of a run; of one that cannot be told here, of the newest."""
    runs = known.runs(workspace)
    task = next((run.task for run in runs if word in (run.id, run.name, *run.tags) or run.id.endswith(word)), None)
    task = task or (runs[0].task if runs else None)
    return task if task in known.commands["names"]["task"] else None


def _setting(known: Known, typed: list[str], workspace: str | None) -> Iterator[Fitting]:
    """``set RUN KEY VALUE``: what may be changed of that run's task."""
    task = _named_task(known, typed[0], workspace)
    if task is None:
        return
    found = known.task(task)
    several = [
        *found["sections"].values(),
        *(found["components"][key] for key in found["components"] if key.startswith("trainer ")),
    ]
    changeable = {
        option["words"][0].removeprefix("--"): option
        for options in several
        for option in options
        if option["changeable"]
    }
    if len(typed) == 1:
        yield from (Fitting(key.replace("-", "_"), option["about"]) for key, option in changeable.items())
    elif (option := changeable.get(typed[1].replace("_", "-"))) is not None:
        yield from (Fitting(choice) for choice in option["choices"])


def _values(known: Known, what: str, choices: Iterable[str], workspace: str | None) -> Iterator[Fitting]:
    yield from (Fitting(choice) for choice in choices)
    if what == "RUN":
        yield from _runs(known.runs(workspace))
    elif what == "S":
        yield from known.studies(workspace)
    elif what in PATHS:
        yield FILES
    elif what in NAMES:
        yield from _named(known.commands["names"].get(NAMES[what], {}))
    else:
        yield from (Fitting(choice) for choice in FIXED.get(what, ()))


def _runs(runs: Sequence[Run]) -> Iterator[Fitting]:
    for run in runs:
        yield Fitting(run.id, run.about)
    names = [run.name for run in runs]
    yield from (Fitting(run.name, run.about) for run in runs if run.name and names.count(run.name) == 1)
    tagged = [(tag, run) for run in runs for tag in run.tags]
    for tag, run in tagged:  # a name comes before a tag, and a tag of several means none of them
        if tag not in names and [other for other, _ in tagged].count(tag) == 1:
            yield Fitting(tag, run.about)
    if runs:
        yield Fitting("last", f"the newest: {runs[0].about}")
    yield from (Fitting(f"{task}@best", "the best of this task") for task in dict.fromkeys(run.task for run in runs))


def _named(names: Mapping[str, str]) -> Iterator[Fitting]:
    return (Fitting(name, about) for name, about in names.items())


def _given(words: Sequence[str], option: str) -> str | None:
    """The value of an option on the line, the last one given."""
    found = None
    for word, following in pairwise([*words, ""]):
        if word == option:
            found = following
        elif word.startswith(f"{option}="):
            found = word.partition("=")[2]
    return found or None


def _input_at(command: Command, place: int) -> Input | None:
    inputs = command["inputs"]
    if place < len(inputs):
        return inputs[place]
    return inputs[-1] if inputs and inputs[-1]["repeats"] else None


def workspace_runs(workspace: Path, limit: int | None = None) -> list[Run]:
    """A workspace's runs, newest first; none where it cannot be read."""
    from dlkit.present.numbers import number
    from dlkit.runs.index import newest_runs

    try:
        found, _ = newest_runs(workspace, limit=limit)
    except OSError:
        return []
    runs = []
    for summary in found:
        best = f"{summary.metric} {number(summary.best)}" if summary.best is not None else ""
        tags = tuple(summary.tags.split())
        told = (summary.name, summary.task, summary.model, summary.state, best, ", ".join(tags))
        about = " · ".join(part for part in told if part)
        runs.append(Run(summary.id, summary.name, summary.task, about, tags))
    return runs


def workspace_studies(workspace: Path) -> list[Fitting]:
    """A workspace's studies, newest first; none where it cannot be read."""
    from dlkit.errors import DlkitError
    from dlkit.studies.folder import list_studies

    try:
        found = [Fitting(study.id) for study in list_studies(workspace)]
    except DlkitError:
        return []
    return [*found, Fitting("last", "the newest")] if found else []

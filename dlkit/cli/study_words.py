"""The words of ``dlkit study TASK …``: a study's own flags, and those of ``train``, which all trials have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dlkit.cli.parser import duration
from dlkit.errors import UsageError, nearest
from dlkit.studies.pruning import PRUNERS

SWITCHES = {
    "yes": "do not ask before the trials are started",
    "print-trials": "print what would be trained, and start nothing",
    "no-probe": "do not train a few steps of each model first to tell how long it will take",
    "lr-find": "sweep the learning rate instead: the loss at each, and one that is suggested; nothing is kept",
    "batch-find": "find the largest batch that fits instead, in processes that may die of memory",
    "no-test": "do not evaluate the chosen setting on test at the end",
    "needed": "take finished runs of the workspace with an equal configuration as trials",
    "quick": "with --recipe: its quick form, a matter of minutes",
    "skip-unfit": "leave out settings that do not fit, and say which",
}
VALUES = {
    "recipe": ("NAME", "a comparison that ships with a plugin (dlkit study TASK --help has them); what is typed wins"),
    "vary": ("KEY=VALUES", "what to vary, once for each key: trainer.lr=0.1,0.03 · model=mlp,cnn · "
             "model.hidden='64|128,64' · trainer.lr=log:1e-4..1e-1 · model.layers=1..8"),
    "search": ("HOW", "grid: every combination (default); ablation: one key at a time, the others at their first; "
               "random: --trials N of them; optuna: N, each from what the earlier ones came to (dlkit[study])"),
    "sampler": ("NAME", "of optuna: tpe (default), gp, cmaes, qmc, random"),
    "prune": ("HOW", "stop trials that are worse than the median of the others (median), or by hyperband"),
    "stack": ("HOW", "auto (default): networks that differ in numbers alone are trained as one; on: or refuse; off"),
    "trials": ("N", "how many settings to draw"),
    "seeds": ("N", "train each setting with N seeds (default 1, which says nothing of luck); or which: 3,5,8"),
    "search-seed": ("N", "what is drawn is a function of it (default 0)"),
    "max-time": ("TIME", "start no more trials after so many seconds, or 30m (of a run: --engine.max-time)"),
    "parallel": ("N", "trials in the queue or running at once"),
}  # fmt: skip

USAGE = "\n".join([
    "usage: dlkit study TASK --vary KEY=VALUES … [OPTION VALUE …]",
    "",
    "Train every combination, through the queue, and say which setting is better and whether that is more than luck.",
    "",
    *(f"  --{flag:22} {text}" for flag, text in SWITCHES.items()),
    *(f"  --{flag + ' ' + what:22} {text}" for flag, (what, text) in VALUES.items()),
    f"  --{'detach':22} do not stay and watch: print the study's id",
    f"  --{'json, --quiet':22} one JSON document on stdout; nothing on stderr but what goes wrong",
    "",
    "and every option of dlkit train TASK (--help there shows them), which all trials have: --preset, --config,",
    "--model, --epochs, --SECTION.FIELD, --device, --offline, --name, --priority, --cpu-slots, --workspace",
])  # fmt: skip


@dataclass
class StudyWords:
    """A command line taken apart: the study's own, and what is left for ``train``'s parser."""

    switches: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    vary: list[str] = field(default_factory=list)
    rest: list[str] = field(default_factory=list)

    def count(self, flag: str, default: int | None, least: int = 1) -> int | None:
        """A whole number; UsageError for another text."""
        if flag not in self.values:
            return default
        return whole(f"--{flag}", self.values[flag], least)

    def seconds(self, flag: str) -> float:
        """A duration; 0 where it is not given."""
        return _as(duration, f"--{flag}", self.values[flag]) if flag in self.values else 0.0

    def seeds(self) -> int | list[int]:
        """How many, or which."""
        text = self.values.get("seeds", "1")
        if "," not in text:
            return whole("--seeds", text, 1)
        return [whole("--seeds", part, 0) for part in text.split(",") if part.strip()]


def take(argv: list[str]) -> StudyWords:
    """UsageError for a flag without its value, and for what only one run can have."""
    words, rest = StudyWords(), list(argv)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or flag not in {*SWITCHES, *VALUES}:
            words.rest.append(word)
        elif flag in SWITCHES:
            if equals:
                raise UsageError(f"--{flag} is a switch and takes no value, {value!r} was given")
            words.switches.add(flag)
        elif flag == "prune" and not equals and (not rest or rest[0] not in PRUNERS):
            _keep(words, flag, "median")
        elif not equals and (not rest or rest[0].startswith("--")):
            raise UsageError(f"--{flag} needs a value: {VALUES[flag][0]}")
        else:
            _keep(words, flag, value if equals else rest.pop(0))
    return words


def take_over(recipe: StudyWords, typed: StudyWords) -> StudyWords:
    """A recipe's words and those that were typed, which win: a key that is varied anew is varied so alone."""
    anew = {word.partition("=")[0] for word in typed.vary}
    return StudyWords(
        recipe.switches | typed.switches,
        {**recipe.values, **typed.values},
        [*(word for word in recipe.vary if word.partition("=")[0] not in anew), *typed.vary],
        [*recipe.rest, *typed.rest],
    )


def _keep(words: StudyWords, flag: str, value: str) -> None:
    if flag == "vary":
        words.vary.append(value)
    elif flag in words.values:
        raise UsageError(f"--{flag} is given twice")
    else:
        words.values[flag] = value


def whole(flag: str, text: str, least: int) -> int:
    try:
        found = int(text)
    except ValueError as error:
        raise UsageError(f"{flag} {text!r}: must be a whole number") from error
    if found < least:
        raise UsageError(f"{flag} {found}: must be at least {least}")
    return found


def _as(kind: Callable[[str], float], flag: str, text: str) -> float:
    import argparse

    try:
        return kind(text)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"{flag}: {error}") from error


def unknown_action(word: str, tasks: list[str], actions: list[str]) -> UsageError:
    """For a first word that is neither a task nor an action."""
    return UsageError(f"no task and no action {word!r}: {nearest(word, [*tasks, *actions])}")

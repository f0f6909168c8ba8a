"""``dlkit study best S``: the best setting as a command and as run.toml, its best run with its samples, and test."""

from __future__ import annotations

import shutil
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from dlkit.bounded import SETTINGS
from dlkit.cli.study_choice import chosen_study, say_remarks, study_parser
from dlkit.errors import RunError, UsageError
from dlkit.present.commands import in_workspace, tool
from dlkit.present.numbers import counted
from dlkit.present.output import colours, print_json, print_result, say
from dlkit.present.text import Painted
from dlkit.runs import contents, opening
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from dlkit.studies.document import document
from dlkit.studies.results import Look, Results, best_trial, chosen_trials
from dlkit.studies.telling import answer, looks_at_test
from dlkit.studies.testing import look as look_at_test
from dlkit.studies.wording import shown


def main(argv: list[str]) -> int:
    parser = study_parser("best", "The setting with the best mean: how to train it again, how it does on test.")
    parser.add_argument("-o", "--output", metavar="FILE", help="write its configuration as a run.toml")
    parser.add_argument("--test", action="store_true", help="look at test again; the study says how often it was")
    parser.add_argument("--samples", action="store_true", help="draw the newest samples of its best run")
    options = parser.with_json().parse_args(argv)
    look = Look(chosen_study(options))
    found = look.results()
    run = RunFolder(found.study.workspace / "runs" / best_trial(found).run)
    if not run.path.is_dir():
        raise RunError(f"{run.id}, the best run, was removed")
    if options.output:
        _write(run, Path(options.output))
    if options.test:
        found = _look_again(look, found)
    if options.json:
        told = {"run": run.id, "command": command(found, run), "config": contents.stored_values(run)}
        print_json({**document(found), **told})
        return 0
    _tell(found, run, options)
    return 0


def _tell(found: Results, run: RunFolder, options: Namespace) -> None:
    parts = ["\n".join([answer(found), *looks_at_test(found)]), f"  {command(found, run)}"]
    if options.samples:
        parts.append(_samples(run))
    print_result(Painted.joined("\n\n", parts))
    say_remarks(found)
    after = (f"show {run.id} --samples", f"predict {run.id} INPUT", f"study best {found.study.short} -o run.toml")
    say(
        "\n".join(["", f"best run: {run.id}", "next:", *(f"  {in_workspace(found.study.workspace, w)}" for w in after)])
    )


def command(found: Results, run: RunFolder) -> str:
    """What trains the setting again: what was asked of all trials, and what it has of its own."""
    import shlex

    row = found.leader
    assert row is not None
    words = [tool(), "train", found.question.task]
    given: dict[str, object] = {}
    for origin, values in found.question.layers:
        if origin.startswith("preset "):
            words += ["--preset", origin.removeprefix("preset ")]
            continue
        for section, table in values.items():
            if isinstance(table, Mapping):
                given.update({f"{section}.{key}": value for key, value in table.items()})
    given.update(row.values)
    seed = next((trial.seed for trial in row.trials if trial.run == run.id), 0)
    given["engine.seed"] = seed
    for key, value in sorted(given.items(), key=lambda item: not item[0].endswith(".name")):
        flag = key.removesuffix(".name") if key.endswith(".name") else key
        words += [f"--{flag.replace('_', '-')}", shlex.quote(_typed(value))]
    return " ".join(words)


def _typed(value: object) -> str:
    """A value as a flag takes it."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(repr(item) if isinstance(item, str) else shown(item) for item in value)}]"
    if isinstance(value, bool) or value is None:
        return shown(value)
    return repr(value) if isinstance(value, float) else str(value)


def _write(run: RunFolder, path: Path) -> None:
    """The best run's own configuration, whole: nothing in it depends on what a plugin will suggest one day."""
    data = opening.read_bytes(run.path, run.config.name, SETTINGS)
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    say(f"{path}: dlkit train TASK --config {path} trains it")


def _look_again(look: Look, found: Results) -> Results:
    number = found.verdict.leader
    assert number is not None
    before = [one for one in found.tested if one.setting == number and not one.problem]
    if before:
        say(f"test was looked at before: {counted(len(before), 'time')} by this study")
    look_at_test(look.study, look.question, number, chosen_trials(found), say)
    return look.results()


def _samples(run: RunFolder) -> str:
    from dlkit.present.samples import render

    found = contents.samples(read_events(run.events))
    newest = [sample for sample in found if sample["step"] == found[-1]["step"]] if found else []
    width = shutil.get_terminal_size().columns
    drawn = [render(contents.load_sample(run, s["file"]), colour=colours(), width=width) for s in newest]
    return Painted.joined("\n\n", drawn) if drawn else "it has no samples"

"""``dlkit study TASK …``: what would be trained, then the question whether to, then the study."""

from __future__ import annotations

import shutil
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.cli.choice import confirm
from dlkit.cli.flags import Words, layers_of, split_words
from dlkit.cli.study import ACTIONS
from dlkit.cli.study_watch import watch
from dlkit.cli.study_words import StudyWords, take, take_over, unknown_action, whole
from dlkit.errors import UsageError
from dlkit.jobs.shares import set_cpu_slots
from dlkit.present.numbers import counted, duration, size
from dlkit.present.output import print_json, print_result, say, say_meanwhile
from dlkit.present.table import table
from dlkit.runs.naming import checked_name
from dlkit.runs.workspace import locate
from dlkit.studies.folder import StudyFolder
from dlkit.studies.planning import Plan, make, plan, why_alone
from dlkit.studies.question import Question
from dlkit.studies.recipes import recipe_of
from dlkit.studies.telling import CHANGED
from dlkit.studies.tries import Cost, cost
from dlkit.studies.waking import wake
from dlkit.studies.wording import base_told, changes, changing, label, shown

SHOWN = 40
"""Settings that are printed before one is asked; --print-trials prints all."""
_NOT_HERE = {"queue": "trials are queued always", "print-config": "--print-trials prints what would be trained"}


def main(argv: list[str]) -> int:
    own = take(argv)
    words = split_words(own.rest)
    catalog = Catalog.load_everything()
    if "recipe" in own.values and words.positional:
        own = _with_recipe(catalog, words.positional[0], own)
        words = split_words(own.rest)
    elif "quick" in own.switches:
        raise UsageError("--quick is the quick form of a recipe: give --recipe NAME")
    if "estimate" in words.switches:
        raise UsageError("--estimate is no option of a study: its plan says what it takes (--print-trials: that alone)")
    for flag, why in _NOT_HERE.items():
        if flag in words.switches:
            raise UsageError(f"--{flag} is no option of a study: {why}")
    for flag in {"after", "at", "urgent"} & {*words.values, *words.switches}:
        raise UsageError(f"--{flag} is no option of a study")
    workspace = locate(words.values.get("workspace"))
    if finding := {"lr-find", "batch-find"} & own.switches:
        from dlkit.cli.study_find import find

        return find(catalog, sorted(finding), own, words, workspace)
    found = _plan(catalog, own, words, workspace)
    as_json, quiet = "json" in words.switches, "quiet" in words.switches
    price = None if "no-probe" in own.switches else _price(found, workspace, quiet=quiet or as_json)
    if "print-trials" in own.switches:
        _print_trials(found, price, as_json=as_json)
        return 0
    if not quiet:
        _say_plan(found, price, workspace)
    if not confirm(f"Train {counted(found.trials, 'trial')}?", "yes" in own.switches):
        say("nothing was started")
        return 0
    if "cpu-slots" in words.values:
        set_cpu_slots(workspace, whole("--cpu-slots", words.values["cpu-slots"], 1))
    study = make(found, workspace)
    wake(study)
    if "detach" in words.switches:
        return _leave(study, found, as_json=as_json, quiet=quiet)
    return watch(study, as_json=as_json, quiet=quiet)


def _with_recipe(catalog: Catalog, task: str, typed: StudyWords) -> StudyWords:
    found = recipe_of(catalog, task, typed.values["recipe"])
    words = take(found.words)
    if "quick" in typed.switches:
        words = take_over(words, take(found.quick))
    return take_over(words, typed)


def _plan(catalog: Catalog, own: StudyWords, words: Words, workspace: Path) -> Plan:
    tasks = [spec.name for spec in catalog.specs("task")]
    task, *extra = words.positional or [""]
    if task not in tasks:
        raise unknown_action(task, tasks, list(ACTIONS))
    if extra:
        raise UsageError(f"unexpected {extra[0]!r} after the task")
    if not own.vary and own.values.get("seeds", "1") == "1":
        raise UsageError("nothing to compare: give --vary KEY=VALUES (trainer.lr=0.1,0.03), or --seeds N")
    spec = catalog.task(task)
    question = Question(
        task,
        spec.metric,
        spec.direction,
        vary=tuple(own.vary),
        search=own.values.get("search", "grid"),
        sampler=own.values.get("sampler", "tpe" if own.values.get("search") == "optuna" else ""),
        prune=own.values.get("prune", ""),
        stack=own.values.get("stack", "auto"),
        search_seed=own.count("search-seed", 0, 0) or 0,
        parallel=own.count("parallel", 0) or 0,
        max_time=own.seconds("max-time"),
        test="no-test" not in own.switches,
        needed="needed" in own.switches,
        offline="offline" in words.switches,
        priority=whole("--priority", words.values.get("priority", "0"), -(1 << 30)),
        name=checked_name(words.values.get("name", "")),
    )
    return plan(
        catalog, question, layers_of(catalog, task, words), workspace,
        trials=own.count("trials", None), seeds=own.seeds(), skip_unfit="skip-unfit" in own.switches,
    )  # fmt: skip


def _price(found: Plan, workspace: Path, *, quiet: bool) -> Cost:
    """From a few steps of each distinct model; UsageError: one that cannot even take these."""
    configurations = [(found.resolved(number), len(found.seeds)) for number in range(len(found.settings))]
    talk = (lambda text: None) if quiet else say_meanwhile
    price = cost(configurations, workspace, offline=found.question.offline, say=talk)
    if price.problems:
        raise UsageError(f"nothing was started: {'; '.join(price.problems)} (--no-probe does without trying)")
    return price


def _say_price(price: Cost, workspace: Path) -> None:
    tried = "" if price.tried == price.models else f" (by {price.tried} of {price.models} models)"
    time = "how long is not known" if price.seconds is None else f"about {duration(price.seconds)} one after the other"
    own = "" if price.device_memory is None else f" and {size(price.device_memory)} of the device's"
    say(f"{time}{tried}, {size(price.memory)} of memory{own} each, {size(price.disk)} on the disk")
    for line in price.unknown:
        say(f"note: {line}")
    place = workspace if workspace.exists() else Path()
    if price.disk > (free := shutil.disk_usage(place).free):
        say(f"note: the disk has {size(free)} left")


def _say_plan(found: Plan, price: Cost | None, workspace: Path) -> None:
    settings, seeds = found.proposed or len(found.settings), len(found.seeds)
    head = f"{found.question.task}: {counted(settings, 'setting')} × {counted(seeds, 'seed')}"
    say(f"{head} = {counted(found.trials, 'trial')}, by {found.question.metric}")
    if found.proposed:
        say(f"proposed one after the other ({found.question.sampler}), within:")
    say(_table(found, SHOWN))
    if not found.proposed and settings > SHOWN:
        say(f"… and {settings - SHOWN} more (--print-trials prints all)")
    if price is not None:
        _say_price(price, workspace)
    if found.question.stack != "off" and (why := why_alone(found)):
        say(f"trained one by one: {why}")
    for line in found.left_out:
        say(f"left out:{line}")
    if seeds == 1 and settings > 1:
        say("note: one seed says nothing of luck, and nothing will be decided; --seeds 3 does")


def _table(found: Plan, most: int | None = None) -> str:
    keys, there = changing(dict(enumerate(found.settings))), list(enumerate(found.settings[:most]))
    if found.question.search == "ablation":
        base = found.settings[0]
        changed = [[i, changes(setting, base, keys)] for i, setting in there]
        return f"{base_told(base, keys)}\n{table(['setting', CHANGED], changed)}"
    rows = [[i, *(shown(setting[key]) if key in setting else "-" for key in keys)] for i, setting in there]
    return table(["setting", *map(label, keys)], rows)


def _print_trials(found: Plan, price: Cost | None, *, as_json: bool) -> None:
    if as_json:
        print_json(plan_document(found, price))
        return
    print_result(_table(found))
    for line in found.left_out:
        say(f"left out:{line}")
    if price is not None:
        _say_price(price, Path())
    say(f"{counted(found.trials, 'trial')}: each with seeds {', '.join(map(str, found.seeds))}; nothing was started")


def plan_document(found: Plan, price: Cost | None) -> dict[str, object]:
    """What ``--print-trials --json`` gives."""
    return {
        "task": found.question.task,
        "metric": found.question.metric,
        "direction": found.question.direction,
        "settings": [
            {"setting": number, "values": dict(values), "config": found.resolved(number).values()}
            for number, values in enumerate(found.settings)
        ],
        "seeds": list(found.seeds),
        "trials": found.trials,
        "left_out": [line.strip() for line in found.left_out],
        "cost": None
        if price is None
        else {
            "seconds": price.seconds,
            "memory": price.memory,
            "device_memory": price.device_memory,
            "disk": price.disk,
            "tried": price.tried,
            "unknown": list(price.unknown),
        },
    }


def _leave(study: StudyFolder, found: Plan, *, as_json: bool, quiet: bool) -> int:
    """The study's id alone on stdout, for ``S=$(dlkit study …)``; to people, what to type next."""
    if as_json:
        where = {"study": study.id, "path": str(study.path.absolute())}
        print_json({"event": "submitted", **where, "trials": found.trials}, indent=None)
        return 0
    print_result(study.id, flush=True)
    if not quiet:
        from dlkit.present.commands import in_workspace

        steps = (f"study watch {study.short}", f"study stop {study.short}")
        say("\n".join(["", "next:", *(f"  {in_workspace(study.workspace, word)}" for word in steps)]))
    return 0

"""``dlkit study TASK --lr-find | --batch-find``: settings that are found by trying, not by training."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.cli.flags import Words, layers_of
from dlkit.cli.study_words import StudyWords
from dlkit.config import Resolved, resolve
from dlkit.errors import UsageError
from dlkit.present.numbers import number
from dlkit.present.output import colours, print_json, print_result, say, say_meanwhile
from dlkit.present.plot import curve
from dlkit.present.text import Painted
from dlkit.studies.tries import Fit, Sweep, largest_batch, sweep


def find(catalog: Catalog, what: Sequence[str], own: StudyWords, words: Words, workspace: Path) -> int:
    """Try, and say what was found; nothing is left in the workspace."""
    if len(what) > 1:
        raise UsageError("give either --lr-find or --batch-find")
    if own.vary:
        raise UsageError(f"--{what[0]} tries one configuration: --vary does not go with it")
    if len(words.positional) != 1:
        raise UsageError(f"--{what[0]}: which task? dlkit study TASK --{what[0]}")
    task = words.positional[0]
    resolved = resolve(catalog, task, layers_of(catalog, task, words))
    as_json, offline = "json" in words.switches, "offline" in words.switches
    say_meanwhile("trying …")
    if what[0] == "lr-find":
        return _tell_sweep(resolved, sweep(resolved, workspace, offline=offline), as_json=as_json)
    talk = (lambda text: None) if as_json or "quiet" in words.switches else say
    return _tell_fit(largest_batch(resolved, workspace, offline=offline, say=talk), as_json=as_json)


def _tell_sweep(resolved: Resolved, found: Sweep, *, as_json: bool) -> int:
    if as_json:
        print_json({"now": getattr(resolved.sections["trainer"], "lr", None), **asdict(found)})
        return 0
    width = shutil.get_terminal_size().columns
    import math

    drawn = curve(
        [math.log10(rate) for rate in found.rates], {"train/loss": found.smoothed}, ("lr, as a power of ten", ""),
        colour=colours(), width=width,
    )  # fmt: skip
    told = (
        "no rate is suggested: the loss does not fall for long enough; more data or smaller batches make it plainer"
        if found.suggested is None
        else f"suggested: trainer.lr {number(found.suggested)}, in the middle of the longest fall"
    )
    print_result(Painted.joined("\n\n", [drawn, told]))
    say(f"it is {number(getattr(resolved.sections['trainer'], 'lr', None))} now; --trainer.lr changes it")
    return 0


def _tell_fit(found: Fit, *, as_json: bool) -> int:
    tried = [{"batch_size": size, "seconds": seconds, "problem": why} for size, seconds, why in found.tried]
    if as_json:
        print_json({"batch_size": found.size, "whole": found.whole, "tried": tried})
        return 0
    why = "all training samples, at once" if found.whole else "the largest that fits, to a sixteenth"
    print_result(f"engine.batch_size {found.size}: {why}")
    return 0

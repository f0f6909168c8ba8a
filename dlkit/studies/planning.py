"""From what somebody asks to a study that is ready to go: every setting judged, nothing started, nothing left open."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved
from dlkit.engine.stacked.differing import why_not
from dlkit.errors import UsageError, nearest
from dlkit.json_types import Settings
from dlkit.runs.init_from import pinned_as_far_as_known
from dlkit.studies import folder, log
from dlkit.studies.folder import StudyFolder
from dlkit.studies.proposing import check_sampler, optuna_or_refuse
from dlkit.studies.pruning import check_pruner
from dlkit.studies.question import SEARCHES, STACKS, Question
from dlkit.studies.space import Space, ablation, corners, drawn, fitting, grid, space_of
from dlkit.studies.vary import axis

INIT = "engine.init_from"
WHOLE = {"grid": grid, "ablation": ablation}
"""Searches that settle all settings at once."""
MOST_TRIALS = 100_000


@dataclass(frozen=True)
class Plan:
    """What will be trained: every setting with every seed. ``left_out``: what does not fit, a line each.

    ``proposed``: so many settings come later, from what earlier ones come to; ``settings`` are then the ends of what
    they may be.
    """

    question: Question
    space: Space
    settings: Sequence[Settings]
    seeds: Sequence[int]
    left_out: Sequence[str] = ()
    proposed: int = 0

    @property
    def trials(self) -> int:
        return (self.proposed or len(self.settings)) * len(self.seeds)

    def resolved(self, number: int, seed: int | None = None) -> Resolved:
        """The whole configuration of a setting."""
        return self.space.resolve(self.settings[number], self.seeds[0] if seed is None else seed)


def plan(
    catalog: Catalog,
    question: Question,
    layers: Sequence[Layer],
    workspace: Path,
    *,
    trials: int | None = None,
    seeds: int | Sequence[int] = 1,
    skip_unfit: bool = False,
) -> Plan:
    """Settle what will be trained; UsageError names the key, the value or the combination that cannot be.

    ``trials``: how many settings to draw, where they are drawn. ``seeds``: how many, from the configuration's own on,
    or which.
    """
    _check(question, trials)
    space = space_of(catalog, question.task, layers, [axis(word) for word in question.vary])
    if question.search in WHOLE:
        settings, left_out = fitting(space, WHOLE[question.search](space), skip=skip_unfit)
    elif question.search == "optuna":  # which come later: what may be wrong with a value is wrong in one of these
        settings, left_out = fitting(space, corners(space), skip=skip_unfit)
    else:
        settings, left_out = draw(space, question.search_seed, trials or 0, (), skip=skip_unfit)
    first = pinned_as_far_as_known(space.resolve(settings[0]), workspace)
    settled = [Layer(layer.origin, _settled(layer, first)) for layer in layers]
    space = replace(space, layers=settled)
    settings = [_pinned(space, setting, workspace) for setting in settings]
    told = replace(
        question,
        layers=[(layer.origin, layer.values) for layer in settled],
        created=round(time.time(), 3),
        command=tuple(sys.argv),
    )
    found = Plan(
        told, space, settings, _seeds(seeds, first.engine.seed), left_out, proposed=_proposed(question, trials)
    )
    if question.stack == "on" and (why := why_alone(found)):
        raise UsageError(f"--stack on: nothing was started: {why}; --stack auto trains such trials one by one")
    if found.trials > MOST_TRIALS:
        raise UsageError(f"{found.trials} trials, more than {MOST_TRIALS}: vary less, or give fewer seeds")
    return found


def why_alone(found: Plan) -> str:
    """Why trials are trained one by one, as far as options tell; empty: they may be trained as one."""
    for setting in found.settings:
        if why := why_not(found.space.resolve(setting)):
            return why
    return ""


def make(found: Plan, workspace: Path) -> StudyFolder:
    """The study's folder; nothing is started."""
    lines = [log.encode("seeds", {"seeds": list(found.seeds)})]
    if found.proposed:
        lines.append(log.encode("extended", {"trials": found.proposed}))
    else:
        lines += [_line(number, setting) for number, setting in enumerate(found.settings)]
    return folder.create(workspace, found.question.task, found.question.to_toml(), b"".join(lines))


def draw(
    space: Space, seed: int, count: int, known: Iterable[Settings], *, skip: bool
) -> tuple[list[Settings], list[str]]:
    """So many settings at random that are not ``known``, or as many as there are."""
    fitting(space, corners(space), skip=skip)  # a bound that one draw in a hundred would break is named now
    found: list[Settings] = []
    left_out: list[str] = []
    new = drawn(space, seed, known)
    while len(found) < count and (more := list(islice(new, count - len(found)))):
        good, bad = fitting(space, more, skip=skip)
        found += good
        left_out += bad
    if not found:
        raise UsageError("there is nothing left to draw: every setting of the space was tried")
    return found, left_out


def more_settings(found: Sequence[Settings], first: int) -> list[bytes]:
    """Lines of the log for settings that come later, numbered from ``first``."""
    return [_line(number, setting) for number, setting in enumerate(found, first)]


def _line(number: int, setting: Settings) -> bytes:
    return log.encode("setting", {"number": number, "values": setting})


def _check(question: Question, trials: int | None) -> None:
    if question.search not in SEARCHES:
        raise UsageError(f"--search {question.search!r}: {nearest(question.search, SEARCHES)}")
    if question.stack not in STACKS:
        raise UsageError(f"--stack {question.stack!r}: {nearest(question.stack, STACKS)}")
    check_pruner(question.prune)
    if question.search == "optuna":
        optuna_or_refuse()
        check_sampler(question.sampler)
    elif question.sampler:
        raise UsageError("--sampler goes with --search optuna")
    if question.search in WHOLE and trials is not None:
        raise UsageError("--trials goes with --search random or optuna: a grid has as many as there are combinations")
    if question.search not in WHOLE and trials is None:
        raise UsageError(f"--search {question.search} needs --trials N: how many settings to draw")
    if not question.vary and question.search != "grid":
        raise UsageError("nothing to draw: give --vary KEY=VALUES")


def _proposed(question: Question, trials: int | None) -> int:
    return (trials or 0) if question.search == "optuna" else 0


def _seeds(seeds: int | Sequence[int], first: int) -> list[int]:
    return [first + i for i in range(seeds)] if isinstance(seeds, int) else list(dict.fromkeys(seeds))


def _settled(layer: Layer, resolved: Resolved) -> dict[str, object]:
    """A layer's values as they mean the same from any folder, and for ever: paths absolute, weights by their hash."""
    whole = resolved.values()
    values: dict[str, object] = {}
    for section, table in layer.values.items():
        if not isinstance(table, Mapping):
            values[section] = table
            continue
        there = whole.get(section, {})
        values[section] = {
            key: there.get(key, value) if _is_here(layer, f"{section}.{key}", resolved, value) else value
            for key, value in table.items()
        }
    return values


def _is_here(layer: Layer, key: str, resolved: Resolved, value: object) -> bool:
    """Whether the layer's own text is what holds in the configuration."""
    return isinstance(value, str) and not key.endswith(".name") and resolved.origins.get(key) == layer.origin


def _pinned(space: Space, setting: Settings, workspace: Path) -> Settings:
    if not setting.get(INIT):
        return setting
    resolved = pinned_as_far_as_known(space.resolve(setting), workspace)
    return {**setting, INIT: resolved.engine.init_from}

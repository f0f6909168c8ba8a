"""What a study has come to: a row a setting, the best first, and what may be said of them. Readable without torch.

The means are over the seeds that ended; what is said of two settings is said of the seeds that they share (``judge``).
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlkit.errors import RunError
from dlkit.json_types import Settings
from dlkit.runs.folder import RunFolder, Summary, summarise
from dlkit.runs.groups import Mean, mean
from dlkit.studies.folder import StudyFolder, driver
from dlkit.studies.judge import Difference, Verdict, judge
from dlkit.studies.question import Question, read_question
from dlkit.studies.state import OPEN, State, StudyState, Tested, Trial
from dlkit.studies.wording import base_told, changing

STANDINGS = ("winner", "leader", "undecided", "worse", "alone", "failed", "pruned", "waiting")


@dataclass(frozen=True)
class Row:
    """One setting. ``standing`` is one of STANDINGS: the *leader* has the best mean, and is the *winner* if that can be
    defended; *undecided* may be as good; *alone* has one seed, of which nothing can be said.

    ``planned`` seeds are wanted; ``states`` counts its trials by state. ``mean`` None: nothing has ended.
    """

    number: int
    values: Settings
    planned: int
    states: Mapping[str, int]
    mean: Mean | None
    best: float | None
    seconds: float | None
    parameters: int | None
    against: Difference | None
    standing: str
    trials: Sequence[Trial]


@dataclass(frozen=True)
class Results:
    """``rows``: the best first. ``live`` are summaries of trials that are not over, by trial."""

    study: StudyFolder
    question: Question
    state: str
    keys: Sequence[str]
    rows: Sequence[Row]
    verdict: Verdict
    trials: int
    ended: int
    failed: int
    pruned: int
    seconds: float
    left: float | None
    live: Mapping[int, Summary]
    tested: Sequence[Tested]
    remarks: Sequence[str]

    @property
    def leader(self) -> Row | None:
        return next((row for row in self.rows if row.number == self.verdict.leader), None)


class Look:
    """One study, looked at again and again: only what has changed is read."""

    def __init__(self, study: StudyFolder) -> None:
        self.study, self.question = study, read_question(study)
        self._state = StudyState(study)

    def results(self, now: float | None = None) -> Results:
        """RunError: what is stored cannot be read."""
        state = self._state.refresh()
        return _results(self.study, self.question, state, time.time() if now is None else now)

    @property
    def state(self) -> State:
        return self._state.now


def _results(study: StudyFolder, question: Question, state: State, now: float) -> Results:
    by_setting: dict[int, list[Trial]] = {number: [] for number in state.settings}
    for trial in state.trials.values():
        by_setting.setdefault(trial.setting, []).append(trial)
    live = {t.number: summarise(RunFolder(study.workspace / "runs" / t.run)) for t in state.open}
    values = state.values()
    verdict = judge(values, question.direction)
    rows = [
        _row(number, state, by_setting[number], values.get(number, {}), verdict, question.direction)
        for number in state.settings
    ]
    ended = [trial for trial in state.trials.values() if trial.state not in OPEN]
    planned = sum(len(seeds) for seeds in state.seeds.values()) + state.to_ask * len(state.all_seeds)
    seconds = state.elapsed(now)
    return Results(
        study, question, state_word(study, state), changing(state.settings), _ranked(rows, verdict, question.direction),
        verdict, planned, len(ended), sum(t.state == "failed" for t in ended), sum(t.state == "pruned" for t in ended),
        seconds, _left(ended, planned, live, seconds), live, state.tested,
        [*_base(question, state), *_remarks(state, by_setting)],
    )  # fmt: skip


def state_word(study: StudyFolder, state: State) -> str:
    """``finished``, ``stopped``, ``stopping``, ``running``, ``starting``, or ``interrupted`` where nobody decides what
    comes next."""
    alive = driver(study) is not None
    if state.stopped:
        return "stopping" if alive else "stopped"
    if state.finished:
        return "finished"
    if alive:
        return "running"
    return "interrupted" if state.trials else "starting"  # it takes a moment until it is there


def _row(
    number: int, state: State, trials: Sequence[Trial], values: Mapping[int, float], verdict: Verdict, direction: str
) -> Row:
    counts: dict[str, int] = {}
    for trial in trials:
        counts[trial.state] = counts.get(trial.state, 0) + 1
    done = [trial for trial in trials if trial.state == "completed"]
    found = mean(list(values.values())) if values else None
    return Row(
        number, state.settings[number], len(state.seeds.get(number, ())), counts, found,
        (min if direction == "min" else max)(values.values()) if values else None,
        sum(trial.seconds for trial in done) / len(done) if done else None,
        next((trial.parameters for trial in done if trial.parameters is not None), None),
        verdict.against.get(number), _standing(number, counts, found, verdict), sorted(trials, key=lambda t: t.seed),
    )  # fmt: skip


def _standing(number: int, states: Mapping[str, int], found: Mean | None, verdict: Verdict) -> str:
    if found is None:
        return next((word for word in ("failed", "pruned") if states.get(word)), "waiting")
    if number == verdict.leader:
        return "winner" if verdict.winner == number else "leader"
    difference = verdict.against[number]
    if difference.half is None:
        return "alone"
    return "worse" if difference.decided else "undecided"


def _ranked(rows: Sequence[Row], verdict: Verdict, direction: str) -> list[Row]:
    """The best mean first, then what has none, in the order it was settled."""

    def place(row: Row) -> tuple[bool, float]:
        if row.mean is None or row.mean.mean != row.mean.mean:
            return True, 0.0
        return False, -row.mean.mean if direction == "max" else row.mean.mean

    return sorted(rows, key=place)


def _left(ended: Sequence[Trial], planned: int, live: Mapping[int, Summary], seconds: float) -> float | None:
    """Seconds until the rest has ended, at the pace so far; None before anything has."""
    made = [trial for trial in ended if not trial.reused]
    if not made or planned <= len(ended):
        return None if planned > len(ended) else 0.0
    part = sum(s.step / s.total_steps for s in live.values() if s.total_steps and s.state == "running")
    return max(0.0, seconds / (len(made) + part) * (planned - len(ended) - part))


def _base(question: Question, state: State) -> list[str]:
    """Of an ablation, what its settings are changes of."""
    if question.search != "ablation" or not state.settings:
        return []
    return [base_told(state.settings[min(state.settings)], changing(state.settings))]


def _remarks(state: State, by_setting: Mapping[int, Sequence[Trial]]) -> list[str]:
    """What a reader should know before believing the rest."""
    found = []
    if state.extended:
        times = "once" if state.extended == 1 else f"{state.extended} times"
        found.append(
            f"extended {times} after results were seen: who goes on until something is decided will find something, "
            "and the intervals do not know of it"
        )
    failed = [t for trials in by_setting.values() for t in trials if t.state == "failed"]
    if failed:
        reasons = dict.fromkeys(trial.reason for trial in failed if trial.reason)
        some = "; ".join(list(reasons)[:2])
        found.append(f"{len(failed)} failed, and their settings are not compared{f': {some}' if some else ''}")
    removed = sum(t.state == "removed" for trials in by_setting.values() for t in trials)
    if removed:
        found.append(f"{removed} removed before they had ended")
    return found


def chosen_trials(results: Results) -> list[Trial]:
    """The completed trials of the setting with the best mean; RunError if there is none."""
    row = results.leader
    if row is None:
        raise RunError(f"{results.study.id}: nothing has ended yet that could be the best")
    return [trial for trial in row.trials if trial.state == "completed"]


def best_trial(results: Results) -> Trial:
    """The best of them by the primary metric."""
    better = min if results.question.direction == "min" else max
    return better(
        (trial for trial in chosen_trials(results) if trial.best is not None), key=lambda trial: trial.best or 0.0
    )


def best_so_far(results: Results) -> tuple[list[float], list[float]]:
    """Seconds since the first trial began, and the best value of a single trial that had ended by then, as stairs."""
    every = [trial for row in results.rows for trial in row.trials if trial.state == "completed"]
    trials = [trial for trial in every if trial.best is not None and math.isfinite(trial.best)]
    trials.sort(key=lambda trial: trial.ended)
    began = min((trial.began or trial.ended for trial in trials), default=0.0)
    better = min if results.question.direction == "min" else max
    seconds: list[float] = []
    values: list[float] = []
    for trial in trials:
        assert trial.best is not None
        best = better(values[-1], trial.best) if values else trial.best
        seconds += [trial.ended - began] * (2 if values else 1)
        values += [*values[-1:], best]
    return seconds, values

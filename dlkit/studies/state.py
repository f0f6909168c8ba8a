"""What a study's log says, taken together: settings, trials, and where the whole stands. Readable without torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dlkit.json_types import Json, Settings
from dlkit.studies.folder import StudyFolder
from dlkit.studies.log import LogReader, Record

OPEN = ("settled", "handed", "reopened")
"""Of a trial that has not ended, as far as the log knows."""


@dataclass
class Trial:
    """One setting with one seed. ``state``: ``settled`` (its run may not be there yet), ``handed`` (to the queue),
    ``reopened`` (it had ended, and is to go on), or how it ended: ``completed``, ``failed``, ``stopped``, ``pruned``,
    ``removed``."""

    number: int
    setting: int
    seed: int
    run: str
    state: str = "settled"
    best: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    steps: int = 0
    parameters: int | None = None
    reason: str = ""
    began: float = 0.0
    ended: float = 0.0
    pruned: str = ""
    tries: int = 0
    again_at: int = -1
    reused: bool = False
    values: dict[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Tested:
    """A look at test: of a setting's runs. ``problem``: why there is nothing to show."""

    setting: int
    metrics: Mapping[str, Mapping[str, float]]
    looked_before: int
    time: float
    problem: str = ""


@dataclass
class State:
    """A study as its log has it. ``seeds`` by setting: those that each is to be trained with, in order."""

    settings: dict[int, Settings] = field(default_factory=dict)
    seeds: dict[int, list[int]] = field(default_factory=dict)
    all_seeds: list[int] = field(default_factory=list)
    trials: dict[int, Trial] = field(default_factory=dict)
    wanted: int = 0
    stopped: bool = False
    finished: str = ""
    tested: list[Tested] = field(default_factory=list)
    extended: int = 0
    spent: float = 0.0
    since: float | None = None

    @property
    def open(self) -> list[Trial]:
        return [trial for trial in self.trials.values() if trial.state in OPEN]

    @property
    def to_ask(self) -> int:
        """Settings that are still to be proposed."""
        return max(0, self.wanted - len(self.settings))

    def planned(self) -> Iterator[tuple[int, int]]:
        """Setting and seed of every trial that is wanted: all settings with the first seed, then with the next, so that
        a study that is stopped half way has compared all of them."""
        most = max((len(seeds) for seeds in self.seeds.values()), default=0)
        for place in range(most):
            for setting, seeds in self.seeds.items():
                if place < len(seeds):
                    yield setting, seeds[place]

    def missing(self) -> Iterator[tuple[int, int]]:
        """Those of them that are not settled yet."""
        there = {(trial.setting, trial.seed) for trial in self.trials.values()}
        return (pair for pair in self.planned() if pair not in there)

    def values(self) -> dict[int, dict[int, float]]:
        """The primary metric of completed trials, by setting and seed. A setting with a trial that failed or was pruned
        has none: its other seeds would be a choice of the lucky ones."""
        found: dict[int, dict[int, float]] = {number: {} for number in self.settings}
        spoilt = {trial.setting for trial in self.trials.values() if trial.state in ("failed", "pruned")}
        for trial in self.trials.values():
            usable = trial.state == "completed" and trial.best is not None and math.isfinite(trial.best)
            if usable and trial.setting not in spoilt and trial.best is not None:
                found[trial.setting][trial.seed] = trial.best
        return found

    def elapsed(self, now: float) -> float:
        """Seconds that the study has been going, the time that it was stopped left out."""
        return self.spent + (now - self.since if self.since is not None else 0.0)


class StudyState:
    """A study's state, brought up to date from what its log has gained."""

    def __init__(self, study: StudyFolder) -> None:
        self.study, self.now = study, State()
        self._log = LogReader(study.log)

    def refresh(self) -> State:
        """RunError: the log cannot be read. Lines that make no sense are passed over."""
        for record in self._log.new():
            try:
                _APPLY[str(record["event"])](self.now, record)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue  # damaged, or a kind that this version does not know
        return self.now


def state_of(study: StudyFolder) -> State:
    """A study's state as its log has it now."""
    return StudyState(study).refresh()


def _setting(state: State, record: Record) -> None:
    number, values = _whole(record["number"]), record["values"]
    if not isinstance(values, dict):
        raise TypeError("values")
    state.settings[number] = values
    state.seeds[number] = list(state.all_seeds)


def _seeds(state: State, record: Record) -> None:
    more = [_whole(seed) for seed in _list(record["seeds"])]
    chosen = record.get("settings")
    for setting in [_whole(one) for one in _list(chosen)] if chosen is not None else list(state.settings):
        seeds = state.seeds[setting]
        seeds += [seed for seed in more if seed not in seeds]
    if chosen is None:
        state.all_seeds += [seed for seed in more if seed not in state.all_seeds]
    state.finished = ""


def _trial(state: State, record: Record) -> None:
    trial = Trial(
        _whole(record["number"]), _whole(record["setting"]), _whole(record["seed"]), str(record["run"]),
        began=_number(record["time"]), reused=record.get("reused") is True,
    )  # fmt: skip
    state.trials[trial.number] = trial
    if state.since is None and not state.stopped:
        state.since = trial.began


def _of(state: State, record: Record) -> Trial:
    return state.trials[_whole(record["trial"])]


def _handed(state: State, record: Record) -> None:
    _of(state, record).state = "handed"


def _again(state: State, record: Record) -> None:
    """A run that is interrupted again and again at the same step gets nowhere."""
    trial, step = _of(state, record), _whole(record["step"])
    trial.tries = trial.tries + 1 if step <= trial.again_at else 1
    trial.again_at = max(step, trial.again_at)


def _value(state: State, record: Record) -> None:
    _of(state, record).values[_whole(record["step"])] = _number(record["value"])


def _pruned(state: State, record: Record) -> None:
    _of(state, record).pruned = str(record["reason"])


def _ended(state: State, record: Record) -> None:
    trial = _of(state, record)
    trial.state = str(record["state"])
    best, parameters = record.get("best"), record.get("parameters")
    trial.best = _number(best) if best is not None else None
    trial.metrics = {name: _number(value) for name, value in dict(record.get("metrics") or {}).items()}  # type: ignore[arg-type]
    trial.seconds, trial.steps = _number(record.get("seconds", 0.0)), _whole(record.get("steps", 0))
    trial.parameters = parameters if isinstance(parameters, int) else None
    trial.reason, trial.ended = str(record.get("reason") or ""), _number(record["time"])


def _reopened(state: State, record: Record) -> None:
    trial = _of(state, record)
    trial.state, trial.tries, trial.pruned, trial.best = "reopened", 0, "", None
    state.finished = ""


def _stop(state: State, record: Record) -> None:
    state.stopped = True
    if state.since is not None:
        state.spent, state.since = state.elapsed(_number(record["time"])), None


def _resume(state: State, record: Record) -> None:
    state.stopped, state.finished = False, ""
    if state.since is None and state.trials:
        state.since = _number(record["time"])


def _extended(state: State, record: Record) -> None:
    state.wanted += _whole(record.get("trials", 0))
    state.extended += 1 if record.get("after") is True else 0
    state.finished = ""


def _tested(state: State, record: Record) -> None:
    metrics = {
        run: {name: _number(value) for name, value in dict(found).items()}  # type: ignore[arg-type]
        for run, found in dict(record.get("metrics") or {}).items()  # type: ignore[arg-type]
    }
    state.tested.append(
        Tested(_whole(record["setting"]), metrics, _whole(record.get("looked_before", 0)), _number(record["time"]),
               str(record.get("problem") or ""))
    )  # fmt: skip


def _finished(state: State, record: Record) -> None:
    state.finished = str(record["reason"])
    if state.since is not None:
        state.spent, state.since = state.elapsed(_number(record["time"])), None


_APPLY = {
    "setting": _setting, "seeds": _seeds, "trial": _trial, "handed": _handed, "again": _again, "value": _value,
    "pruned": _pruned, "ended": _ended, "reopened": _reopened, "stop": _stop, "resume": _resume,
    "extended": _extended, "tested": _tested, "finished": _finished,
}  # fmt: skip


def _whole(value: Json) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _number(value: Json) -> float:
    """A number; those that are not finite stand in the log as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _list(value: Json) -> Iterable[Json]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value

"""Settings that a search proposes from what earlier ones came to: Optuna's samplers, by name.

The study's log is the truth: for each proposal a study of Optuna's is built from it in memory, with what is still in
hand as running, so that parallel trials are not given the same point (constant liar). A proposal is a function of the
log alone, whoever asks, and however often it was killed.
"""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING

from dlkit.errors import UsageError, nearest
from dlkit.json_types import Settings
from dlkit.studies.space import REDRAWN, Branch, Space, as_resolved, drawn, same_word
from dlkit.studies.state import OPEN, State
from dlkit.studies.vary import Domain, Range

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

SAMPLERS = ("tpe", "gp", "cmaes", "qmc", "random")
_TRIES = 25
"""Proposals in a row that are known already or do not fit, before one is drawn at random."""


def optuna_or_refuse() -> None:
    """UsageError where Optuna is not installed."""
    from importlib.util import find_spec

    if find_spec("optuna") is None:
        raise UsageError("--search optuna needs Optuna: pip install 'dlkit[study]'; --search random does without")


def check_sampler(name: str) -> None:
    if name not in SAMPLERS:
        raise UsageError(f"--sampler {name!r}: {nearest(name, SAMPLERS)}")


def propose(space: Space, state: State, direction: str, sampler: str, seed: int) -> Settings | None:
    """The next setting; None: the space is used up."""
    known = {same_word(values) for values in state.settings.values()}
    for attempt in range(_TRIES):
        study = _rebuilt(space, state, direction, _sampler(sampler, seed * 1_000_003 + len(known) * 101 + attempt))
        setting = _asked(study, space)
        try:
            setting = as_resolved(setting, space.resolve(setting))
        except UsageError:  # a combination that no single value tells of
            continue
        if same_word(setting) not in known:
            return setting
    for setting, _ in zip(drawn(space, seed, state.settings.values()), range(REDRAWN), strict=False):
        try:
            return as_resolved(setting, space.resolve(setting))
        except UsageError:
            continue
    return None


def _sampler(name: str, seed: int) -> BaseSampler:
    from optuna import samplers

    seed %= 1 << 31
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # that multivariate TPE and its groups may change: proposals need not be the same
        match name:
            case "gp":
                return samplers.GPSampler(seed=seed)
            case "cmaes":
                return samplers.CmaEsSampler(seed=seed)
            case "qmc":
                return samplers.QMCSampler(seed=seed)
            case "random":
                return samplers.RandomSampler(seed=seed)
            case _:
                return samplers.TPESampler(seed=seed, multivariate=True, group=True, constant_liar=True)


def _rebuilt(space: Space, state: State, direction: str, sampler: BaseSampler) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize" if direction == "min" else "maximize", sampler=sampler)
    finished = state.values()
    for number, values in state.settings.items():
        branch = _branch_of(space, values)
        if branch is None:  # of a space that a plugin has changed since
            continue
        parameters, distributions = _parameters(space, branch, values)
        scores, wanted = finished.get(number, {}), len(state.seeds.get(number, ()))
        going = any(t.state in OPEN for t in state.trials.values() if t.setting == number)
        found = optuna.trial.TrialState
        if scores and len(scores) >= wanted:
            what, value = found.COMPLETE, math.fsum(scores.values()) / len(scores)
        else:
            what, value = (found.RUNNING if going else found.FAIL), None
        study.add_trial(
            optuna.trial.create_trial(state=what, params=parameters, distributions=distributions, value=value)
        )
    return study


def _asked(study: optuna.Study, space: Space) -> Settings:
    """One trial of Optuna's, asked name by name: first the components, then what these have."""
    trial = study.ask()
    names = {}
    for key in space.branches[0].names:
        choices = list(dict.fromkeys(str(branch.names[key]) for branch in space.branches))
        names[key] = trial.suggest_categorical(key, choices)
    branch = next(branch for branch in space.branches if dict(branch.names) == names)
    values: dict[str, object] = dict(names)
    for key, what in branch.domains.items():
        name = _name(space, branch, key)
        if isinstance(what, Range):
            values[key] = (
                trial.suggest_int(name, int(what.low), int(what.high), log=what.log)
                if what.whole
                else _short(trial.suggest_float(name, what.low, what.high, log=what.log), what)
            )
        else:
            values[key] = json.loads(trial.suggest_categorical(name, [json.dumps(v) for v in what]))
    return values


def _short(value: float, what: Range) -> float:
    """Four digits: it is read, typed and compared."""
    return min(max(float(f"{value:.4g}"), what.low), what.high)


def _branch_of(space: Space, values: Settings) -> Branch | None:
    return next((b for b in space.branches if all(values.get(key) == name for key, name in b.names.items())), None)


def _parameters(
    space: Space, branch: Branch, values: Settings
) -> tuple[dict[str, object], dict[str, BaseDistribution]]:
    """A setting as Optuna has it: values and the ranges that they came from."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    parameters: dict[str, object] = {}
    distributions: dict[str, BaseDistribution] = {}
    for key, chosen in branch.names.items():
        choices = list(dict.fromkeys(str(b.names[key]) for b in space.branches))
        parameters[key], distributions[key] = chosen, CategoricalDistribution(choices)
    for key, what in branch.domains.items():
        name, value = _name(space, branch, key), values.get(key)
        if not isinstance(what, Range):
            texts = [json.dumps(item) for item in what]
            text = json.dumps(value)
            parameters[name] = text if text in texts else next((t for t in texts if json.loads(t) == value), texts[0])
            distributions[name] = CategoricalDistribution(texts)
        elif what.whole:
            parameters[name] = value
            distributions[name] = IntDistribution(int(what.low), int(what.high), log=what.log)
        else:
            parameters[name] = value
            distributions[name] = FloatDistribution(what.low, what.high, log=what.log)
    return parameters, distributions


def _name(space: Space, branch: Branch, key: str) -> str:
    """A key is one parameter where it means the same in all branches that have it."""
    others: list[Domain] = [other.domains[key] for other in space.branches if key in other.domains]
    same = all(other == branch.domains[key] for other in others)
    return key if same else f"{key} of {', '.join(map(str, branch.names.values()))}"

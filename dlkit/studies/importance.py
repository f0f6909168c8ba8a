"""How much each option has to do with the metric.

Two answers. *Explained* is the share of the variance between settings' means that the groups of one option explain
(η²): what settings differ by. *PED-ANOVA* (Watanabe et al. 2023, arXiv 2304.10255; Optuna's, where it is installed)
compares where the best settings lie with where all do: what it takes to be among the best, whatever happens far away.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from dlkit.studies.results import Results, Row
from dlkit.studies.scales import grouped, scale_of

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

PED_ANOVA, VARIANCE = "ped-anova", "variance"
LEAST = 10
"""Settings with a result, below which nothing can be said of where the best of them lie."""
TOP = 5
"""Settings that are the best ones at least; else a tenth of all. Fewer tell little, as Optuna warns."""


@dataclass(frozen=True)
class Importance:
    """``shares`` by option, the largest first, by the method ``by``: of ``PED_ANOVA`` they add up to 1 (or are all 0),
    of ``VARIANCE`` they are what each explains by itself. ``explained`` is the latter in any case."""

    by: str
    shares: Mapping[str, float]
    explained: Mapping[str, float]


def importance(found: Results) -> Importance:
    """Of settings that have a finite mean. Options that only some components have are judged among these."""
    rows = [row for row in found.rows if row.mean is not None and math.isfinite(row.mean.mean)]
    explained = {key: _explained(rows, key) for key in found.keys}
    shares = _shares(found, rows) if len(rows) >= LEAST and find_spec("optuna") is not None else None
    by = VARIANCE if shares is None else PED_ANOVA
    return Importance(by, _largest_first(explained if shares is None else shares), _largest_first(explained))


def _largest_first(shares: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _explained(rows: Sequence[Row], key: str) -> float:
    there = [(row.values[key], row.mean.mean) for row in rows if key in row.values and row.mean is not None]
    means = [mean for _, mean in there]
    groups: dict[str, list[float]] = {}
    for name, mean in zip(grouped([value for value, _ in there]), means, strict=True):
        groups.setdefault(name, []).append(mean)
    middle = math.fsum(means) / len(means) if means else 0.0
    whole = math.fsum((mean - middle) ** 2 for mean in means)
    between = math.fsum(len(group) * (math.fsum(group) / len(group) - middle) ** 2 for group in groups.values())
    return between / whole if whole else 0.0


def _shares(found: Results, rows: Sequence[Row]) -> dict[str, float]:
    raw = {key: _divergence(found, [row for row in rows if key in row.values], key) for key in found.keys}
    whole = math.fsum(raw.values())
    return {key: value / whole if whole else 0.0 for key, value in raw.items()}


def _divergence(found: Results, rows: Sequence[Row], key: str) -> float:
    """How differently the best settings and all of them are spread over one option's values."""
    if len(rows) < LEAST:
        return 0.0
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distribution, values = _distribution(key, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it may change: what it says is no part of any contract of ours
        study = optuna.create_study(direction="minimize" if found.question.direction == "min" else "maximize")
        study.add_trials(
            [
                optuna.trial.create_trial(params={key: v}, distributions={key: distribution}, value=row.mean.mean)
                for row, v in zip(rows, values, strict=True)
                if row.mean is not None
            ]
        )
        evaluator = PedAnovaImportanceEvaluator(target_quantile=max(0.1, min(0.5, TOP / len(rows))))
        return evaluator.evaluate(study, params=[key])[key]


def _distribution(key: str, rows: Sequence[Row]) -> tuple[BaseDistribution, Sequence[object]]:
    """What its values were drawn from, as far as they tell: needs no plugin; and the values as it has them."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    values = [row.values[key] for row in rows]
    scale = scale_of(key, values)
    if not scale.names and scale.low < scale.high:
        return FloatDistribution(scale.low, scale.high, log=scale.log), [float(str(value)) for value in values]
    texts = [json.dumps(value) for value in values]
    return CategoricalDistribution(list(dict.fromkeys(texts))), texts

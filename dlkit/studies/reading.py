"""Reading a study: how the best came about, what each option has to do with it, and each option against the metric."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dlkit.present.numbers import number
from dlkit.present.plot import curve, scatter
from dlkit.studies.results import Results
from dlkit.studies.wording import label, shown

MOST_GROUPS = 6
"""Values of a number that are a group each; of more, quarters of its values are."""
BAR = 30


def best_so_far(found: Results) -> tuple[list[float], list[float]]:
    """Seconds since the first trial began, and the best single result by then."""
    trials = [trial for row in found.rows for trial in row.trials]
    done = sorted((t for t in trials if t.state == "completed" and t.best is not None), key=lambda t: t.ended)
    began = min((trial.began for trial in trials), default=0.0)
    better = min if found.question.direction == "min" else max
    seconds: list[float] = []
    values: list[float] = []
    for trial in done:
        if trial.best is not None and math.isfinite(trial.best):
            values.append(better([*values[-1:], trial.best]))
            seconds.append(max(0.0, trial.ended - began))
    return seconds, values


def importance(found: Results) -> dict[str, float]:
    """The share of the variance between settings' means that the groups of one option explain (η²), the largest first.

    Options that are varied together, as in a search at random, share what they explain: shares need not add up to 1.
    """
    shares = {key: _explained(found, key) for key in found.keys}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _explained(found: Results, key: str) -> float:
    rows = [(row.values.get(key), row.mean.mean) for row in found.rows if row.mean and math.isfinite(row.mean.mean)]
    groups: dict[str, list[float]] = {}
    for name, (_, mean) in zip(_grouped([value for value, _ in rows]), rows, strict=True):
        groups.setdefault(name, []).append(mean)
    means = [mean for _, mean in rows]
    middle = math.fsum(means) / len(means) if means else 0.0
    whole = math.fsum((mean - middle) ** 2 for mean in means)
    between = math.fsum(len(group) * (math.fsum(group) / len(group) - middle) ** 2 for group in groups.values())
    return between / whole if whole else 0.0


def _grouped(values: Sequence[object]) -> list[str]:
    """A group's name for each value; many numbers are taken together by quarters."""
    numbers = sorted({value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)})
    if len(numbers) <= MOST_GROUPS:
        return [repr(value) for value in values]
    ends = [numbers[len(numbers) * part // 4] for part in (1, 2, 3)]
    return [
        str(sum(value >= end for end in ends)) if isinstance(value, (int, float)) else repr(value) for value in values
    ]


def told(found: Results, *, colour: bool, width: int) -> list[str]:
    """The three as text, a block each; none of what there is nothing of."""
    metric = found.question.metric
    seconds, values = best_so_far(found)
    parts = []
    if len(values) > 1:
        parts.append(curve(seconds, {f"best {metric}": values}, ("seconds", ""), colour=colour, width=width, height=6))
    shares = importance(found)
    if len(found.rows) > 2 and shares:
        parts.append(_bars(shares))
    parts += [_slice(found, key, colour=colour, width=width) for key in shares if _is_number(found, key)]
    return parts


def _bars(shares: Mapping[str, float]) -> str:
    names = max(len(label(key)) for key in shares)
    lines = [f"{label(key):{names}}  {'█' * round(BAR * share)} {100 * share:.0f} %" for key, share in shares.items()]
    return "\n".join(["what settings differ by (share of the variance that each option explains)", *lines])


def _is_number(found: Results, key: str) -> bool:
    values = {row.values.get(key) for row in found.rows if not isinstance(row.values.get(key), (list, dict))}
    return len(values) > 2 and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)


def _slice(found: Results, key: str, *, colour: bool, width: int) -> str:
    """An option against the metric; over powers of ten where its values are that far apart."""
    points = [(row.values[key], row.mean.mean) for row in found.rows if key in row.values and row.mean]
    there = [(float(str(value)), mean) for value, mean in points if math.isfinite(mean)]
    xs = [value for value, _ in there]
    wide = bool(xs) and min(xs) > 0 and max(xs) / min(xs) >= 30
    drawn = [math.log10(x) for x in xs] if wide else xs
    name = f"{label(key)}{', as a power of ten' if wide else ''}"
    ys = [mean for _, mean in there]
    head = f"{found.question.metric} by {label(key)}: best at {shown(found.rows[0].values.get(key))} ({_best(found)})"
    return "\n".join(
        [head, scatter(drawn, ys, ["setting"] * len(ys), (name, ""), colour=colour, width=width, height=6)]
    )


def _best(found: Results) -> str:
    mean = found.rows[0].mean
    return number(mean.mean) if mean is not None else "-"

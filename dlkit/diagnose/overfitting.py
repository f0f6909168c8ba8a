"""The validation loss rises while the training loss falls: what is learned since holds of the training data alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlkit.diagnose import mending
from dlkit.diagnose.curves import noise, tau
from dlkit.diagnose.evaluations import better, every, last_of, losses
from dlkit.diagnose.record import Floats, Record
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.present.numbers import number

FEWEST = 6
"""Evaluations: with three after the lowest, the noise of single ones can still be told from the others."""
SINCE = 3
"""Evaluations after the lowest, at least."""
SIGMAS = 4.0
"""The lowest of twenty noisy values lies 1.9 deviations below their mean, and the mean of the last three has 0.6 of its
own: a rise of four is none of either."""
SHARE = 0.05
"""Of what was learned in all: a smaller loss than that is not worth a word, however sure it is."""
TREND = 0.4
"""Kendall's tau since the lowest; a course that fell and rises is near 1, one that wanders about 0."""


def overfitting(record: Record) -> Iterator[Verdict]:
    """Since which epoch; where the primary metric still improves, nothing is said: it is what counts."""
    found = losses(record)
    count = len(found.val)
    if not count or not np.isfinite(found.train).any():
        return
    if count < FEWEST:
        text = f"cannot tell whether it overfits: {count} evaluations with a validation loss, and {FEWEST} are needed"
        seen = Seen(f"validation losses: {', '.join(number(float(v)) for v in found.val)}")
        yield Verdict("overfitting", "quality", "unknown", text, (seen,), (_oftener(record),))
        return
    lowest = int(found.val.argmin())
    if (
        _rises(found.val, lowest)
        and _falls(found.train, lowest)
        and not _metric_improves(record, int(found.steps[lowest]))
    ):
        yield _verdict(record, lowest)


def _rises(val: Floats, lowest: int) -> bool:
    rest = val[lowest:]
    if len(rest) <= SINCE:
        return False
    rise, learned = last_of(val, SINCE) - val[lowest], val[0] - val[lowest]
    return bool(rise > SIGMAS * noise(val) and rise > SHARE * learned and tau(rest) > TREND)


def _falls(train: Floats, lowest: int) -> bool:
    """The training loss at the end is below what it was about the lowest validation loss, by more than its noise."""
    then, now = float(np.nanmean(train[max(0, lowest - 1) : lowest + 2])), float(np.nanmean(train[-SINCE:]))
    rough = noise(train[np.isfinite(train)])
    return then - now > max(0.01 * abs(then), 0.0 if np.isnan(rough) else rough)


def _metric_improves(record: Record, step: int) -> bool:
    """Whether the primary metric is better at the end than it was there, by more than its noise."""
    if record.metric == "val/loss":
        return False
    course = better(record)
    then = course.until(step).values
    if len(then) == 0 or len(course.values) - len(then) < SINCE:
        return False
    rough = noise(course.values)
    return bool(last_of(course.values, SINCE) - then[-1] > (0.0 if np.isnan(rough) else rough))


def _verdict(record: Record, lowest: int) -> Verdict:
    found = losses(record)
    step, low, last = int(found.steps[lowest]), float(found.val[lowest]), last_of(found.val, SINCE)
    text = f"overfitting since {record.at(step)}: val/loss rises while train/loss falls"
    then, now = float(np.nanmean(found.train[max(0, lowest - 1) : lowest + 2])), float(np.nanmean(found.train[-SINCE:]))
    evidence = (
        Seen(f"val/loss {number(low)} there, its lowest, {number(last)} in the last {SINCE} evaluations", step,
             {"lowest": low, "last": last}),
        Seen(f"train/loss {number(then)} there, {number(now)} now", int(found.steps[-1]), {"then": then, "now": now}),
    )  # fmt: skip
    return Verdict("overfitting", "quality", "bad", text, evidence, tuple(_mends(record, step)))


def _mends(record: Record, step: int) -> Iterator[Mend]:
    run = record.run.id
    if record.is_live:
        yield Mend(f"stop {run}", "the best checkpoint is kept")
    elif record.best_checkpoint is not None:
        yield Mend(f"evaluate {run}", "its best checkpoint, which is of before that, on the test split")
    decay = record.number("trainer.weight_decay")
    if decay is not None:
        more = f"{10 * decay:.3g}" if decay else "0.01"
        yield mending.changed(record, f"--trainer.weight_decay {more}", "smaller weights", at=step)
    if not record.number("engine.early_stopping"):
        yield mending.changed(record, "--early-stopping 3", "ends by itself next time", at=-1)


def _oftener(record: Record) -> Mend:
    return mending.changed(record, every(record), "twenty evaluations, which tell", at=-1)

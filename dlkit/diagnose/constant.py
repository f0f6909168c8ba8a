"""Nothing learned: validation is no better than an answer that does not look at its input."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlkit.diagnose import mending
from dlkit.diagnose.evaluations import better
from dlkit.diagnose.record import Record
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.present.numbers import number

WORTH = 0.02
"""Of the constant answer's value: a model that is better by less has learned nothing to speak of. An accuracy of 0.5 on
five hundred samples is uncertain by as much."""
FORGOTTEN = 5
"""Times that: so far above it must once have been, to have learned something that can be forgotten."""
ENOUGH = 3
"""Evaluations after which a run that goes on is asked, too: the first may come very early."""


def no_better_than_constant(record: Record) -> Iterator[Verdict]:
    """By the best evaluation, against what the task's constant answer comes to on the same split."""
    course, told = better(record), record.record.get("baseline", {})
    count = len(course.values)
    if not count or not record.step:  # a run of no steps has not tried to learn
        return
    baseline = told.get(record.metric)
    if not isinstance(baseline, (int, float)):
        yield _unknown(record)
        return
    if record.is_live and count < ENOUGH:
        return
    place = int(course.values.argmax())
    best, step = float(record.course(record.metric).finite.values[place]), int(course.steps[place])
    gain = (best - baseline) if record.rises else (baseline - best)
    if gain > WORTH * abs(baseline):
        return
    beside = f"{record.metric} {number(best)}, and that has {number(baseline)}"
    text = f"no better than an answer that never looks at its input: {beside}"
    evidence = [
        Seen(f"{number(best)} at {record.at(step)} was its best of {count}", step, {"best": best, "constant": baseline})
    ]
    lr = record.number("trainer.lr")
    if lr is not None:
        evidence.append(Seen(f"the learning rate was {lr:g}", figures={"lr": lr}))
    yield Verdict("no-better-than-constant", "quality", "bad", text, tuple(evidence), tuple(_mends(record)))


def collapsed(record: Record) -> Iterator[Verdict]:
    """Once better than the constant answer, and in the last evaluations no more: what was learned is forgotten."""
    course, baseline = better(record), record.record.get("baseline", {}).get(record.metric)
    values = course.values
    if len(values) <= ENOUGH or not isinstance(baseline, (int, float)):
        return
    level, margin = (baseline if record.rises else -baseline), WORTH * abs(baseline)
    good = np.flatnonzero(values > level + FORGOTTEN * margin)
    if not len(good) or (values[-ENOUGH:] > level + margin).any():
        return
    at = int(course.steps[good[-1]])
    then, now = (float(record.course(record.metric).finite.values[place]) for place in (values.argmax(), -1))
    forgot = f"{record.metric} is no better now than an answer that never looks at its input"
    text = f"collapsed after {record.at(at)}: {forgot}"
    seen = Seen(f"{number(then)} at its best, {number(now)} now; the constant answer has {number(baseline)}", at,
                {"best": then, "last": now, "constant": baseline})  # fmt: skip
    mends = [*mending.rate(record, 0.1, "a tenth of the learning rate, from before that", at=at)]
    if not record.number("engine.clip"):
        mends.append(mending.changed(record, "--clip 1", "gradients cut to a norm of 1", at=at))
    yield Verdict("collapsed", "quality", "bad", text, (seen,), tuple(mends))


def _unknown(record: Record) -> Verdict:
    text = "cannot tell whether it has learned anything: what a constant answer comes to is not on record"
    why = "its task names none, or it was trained by a dlkit that did not measure it"
    return Verdict("no-better-than-constant", "quality", "unknown", text, (Seen(why),))


def _mends(record: Record) -> Iterator[Mend]:
    yield mending.changed(
        record,
        "--overfit-batches 1 --steps 200",
        "can it learn one batch by heart? If not, the model or its loss is wrong",
        at=-1,
    )
    if record.number("trainer.lr"):
        yield mending.tried(record, "lr", "which rate suits it, tried in a minute")
    yield mending.shown(record, "are the answers those of their inputs?")

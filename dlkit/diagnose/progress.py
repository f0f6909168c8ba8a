"""Whether there is more to be had: still improving at the end, or no better for long."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlkit.diagnose import mending
from dlkit.diagnose.curves import FEWEST, line, noise
from dlkit.diagnose.evaluations import better, is_perfect, last_of
from dlkit.diagnose.record import Course, Record
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.present.numbers import number

NEAR_END = 0.9
"""Share of its steps after which a run that goes on is asked, too: before that it improves, as it should."""
SURE = 3.0
"""Standard errors that the slope of the last evaluations is away from none."""
WORTH = 0.02
"""Of all that was gained so far: what the last third of the evaluations must have brought, to be worth going on."""
STANDS = 0.01
"""Of all that was gained: what may still be gained in the last third where it is called a plateau."""
FOR_PLATEAU = 9
"""Evaluations: each third of them is three, at least."""


def still_improving(record: Record) -> Iterator[Verdict]:
    """At its planned end, or near it: a longer run would be better."""
    if not _is_near_its_end(record):
        return
    course = better(record)
    count = len(course.values)
    if count < FEWEST or is_perfect(record, course):
        return
    last = course.values[-max(4, count // 3) :]
    fitted = line(last)
    gained, brought = float(course.values.max() - course.values[0]), fitted.slope * (len(last) - 1)
    recent = int(course.values.argmax()) >= count - max(1, count // 5)
    if fitted.slope > 0 and fitted.t > SURE and brought > WORTH * gained and recent:
        yield _improving(record, course, len(last))


def _is_near_its_end(record: Record) -> bool:
    if record.state == "completed":
        return not record.reason.startswith("early stopping")
    return record.is_live and record.step >= NEAR_END * record.total_steps > 0


def _improving(record: Record, course: Course, count: int) -> Verdict:
    then, now = (_turned(record, float(course.values[place])) for place in (-count, -1))
    went = f"{record.metric} went from {number(then)} to {number(now)} in the last {count} evaluations"
    text = f"still improving at the end: {went}"
    step = int(course.steps[-count])
    evidence = [Seen(f"from {record.at(step)} on", step, {"then": then, "now": now})]
    mends: list[Mend] = []
    when = "once it has ended: " if record.is_live else ""
    if (longer := mending.longer(record, f"{when}goes on, twice as long in all")) is not None:
        mends = [longer]
    if record.option("trainer.schedule") not in (None, "constant"):
        schedule = record.option("trainer.schedule")
        evidence.append(Seen(f"the learning rate followed a schedule ({schedule}), which a longer run has longer"))
    return Verdict("still-improving", "quality", "note", text, tuple(evidence), tuple(mends))


def plateau(record: Record) -> Iterator[Verdict]:
    """No better for long: the last third of the evaluations is no better than the one before, but for noise."""
    course = better(record)
    values, count = course.values, len(course.values)
    if count < FOR_PLATEAU or is_perfect(record, course):
        return
    third = count // 3
    middle, last = values[-2 * third : -third], values[-third:]
    gained = float(values.max() - values[0])
    error = noise(values) * np.sqrt(2 / third)
    # Neither is what has become worse: that it stays where it is would not be true.
    if gained <= 0 or abs(last.mean() - middle.mean()) > max(STANDS * gained, 2 * error):
        return
    # Where it wanders far, nothing can be said: half of what was gained is no plateau.
    if noise(values) > gained / 4:
        return
    level = last_of(values, third)
    reached = int(np.flatnonzero(values >= level - max(STANDS * gained, 2 * noise(values)))[0])
    if count - reached < max(FEWEST, third):
        return
    step = int(course.steps[reached])
    now = _turned(record, level)
    text = f"on a plateau since {record.at(step)}: {record.metric} has stayed at {number(now)}"
    seen = Seen(
        f"{count - reached} evaluations since, none better by more than they differ anyway", step, {"level": now}
    )
    mends = [Mend(f"stop {record.run.id}", "the best checkpoint is kept")] if record.is_live else []
    if not record.is_live and not record.number("engine.early_stopping"):
        mends = [mending.changed(record, "--early-stopping 5", "ends by itself there", at=-1)]
    yield Verdict(
        "plateau", "quality", "note", text, (seen,), (*mends, *mending.rate(record, 0.1, "finer steps", at=step))
    )


def _turned(record: Record, value: float) -> float:
    return value if record.rises else -value

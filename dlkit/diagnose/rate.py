"""A learning rate that is too high or too low: by how much a step moves the weights where that was looked at, and by
the course of the training loss."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dlkit.diagnose import mending
from dlkit.diagnose.curves import blocks, line, noise
from dlkit.diagnose.layers import Look, looks
from dlkit.diagnose.record import Course, Record
from dlkit.diagnose.verdict import Seen, Verdict
from dlkit.present.numbers import number

LARGE, SMALL = 0.1, 1e-5
"""Norm of a step's change of the weights by that of the weights, in the layer that moves most. About 1e-3 is usual
(Karpathy's rule of thumb, CS231n); a step of a tenth of the weights forgets what they were, and one of a
hundred-thousandth moves them by a percent in a thousand steps."""
BLOCKS = 20
STEPS = 40
"""Training losses below which the course says nothing: two in a block."""
ROSE = 1.5
"""Times its lowest block, of the last three blocks: what a schedule that begins again or a hard batch does not do."""
SIGMAS = 6.0
STRAIGHT, LEAST, MOST = 0.8, 0.002, 0.25
"""How straight, and between which shares of it, a loss falls where steps are too small: learning that works falls
steeply at first, and a fall of a quarter and more in a straight line is no small one."""


def rate_too_high(record: Record) -> Iterator[Verdict]:
    """The weights move too far in a step, or the training loss rises again and stays there."""
    lr = record.number("trainer.lr")
    if record.cause.get("kind") == "metric" or lr is None:
        return  # the other verdict says more; or there is no rate
    updates = _updates(looks(record)[1:])  # the first step's is large wherever weights begin near 0
    if updates and np.median([ratio for _, ratio in updates]) > LARGE:
        step, ratio = max(updates, key=lambda update: update[1])
        seen = Seen(f"at step {step} the weights moved by {100 * ratio:.0f} % of their size", step, {"update": ratio})
        yield _verdict(
            record, "rate-too-high", f"the learning rate {lr:g} is too high: a step moves the weights too far", seen
        )
        return
    course = record.course("train/loss").finite
    if len(course.values) < STEPS:
        return
    means = blocks(course, BLOCKS)
    lowest = int(means.argmin())
    rise = float(means[-3:].mean())
    low = float(means[lowest])
    if lowest < len(means) - 4 and low > 0 and rise > ROSE * low and rise - low > SIGMAS * _rough(course, len(means)):
        step = int(course.steps[min(len(course.steps) - 1, (lowest + 1) * len(course.steps) // len(means))])
        seen = Seen(f"train/loss {number(low)} about step {step}, its lowest, and {number(rise)} at the end", step,
                    {"lowest": low, "last": rise})  # fmt: skip
        text = f"the training loss rises since {record.at(step)}: the learning rate {lr:g} is too high"
        yield _verdict(record, "rate-too-high", text, seen, at=step)


def rate_too_low(record: Record) -> Iterator[Verdict]:
    """The weights hardly move in a step, or the training loss falls a little, in a straight line."""
    lr = record.number("trainer.lr")
    if lr is None:
        return
    # The largest of all: schedules end with steps of nothing, and begin so.
    step, ratio = max(_updates(looks(record)), key=lambda update: update[1], default=(0, SMALL))
    if ratio < SMALL:
        seen = Seen(f"at step {step} the weights moved by {ratio:.1e} of their size", step, {"update": ratio})
        yield _verdict(
            record, "rate-too-low", f"the learning rate {lr:g} is too low: steps hardly move the weights", seen
        )
        return
    course = record.course("train/loss").finite
    if len(course.values) < STEPS or record.is_live:
        return
    means = blocks(course, BLOCKS)
    half = len(means) // 2
    first, second, whole = line(means[:half]), line(means[half:]), line(means)
    fell = -whole.slope * (len(means) - 1)
    share = fell / abs(float(means[0])) if means[0] else 0.0
    straight = second.slope < STRAIGHT * first.slope < 0  # both fall: the second nearly as fast as the first
    if straight and whole.t < -SIGMAS and LEAST < share < MOST:
        falls = f"the training loss falls by {100 * share:.1f} % in all, in a straight line"
        text = f"the learning rate {lr:g} is too low: {falls}"
        began, ended = float(means[0]), float(means[-1])
        told = f"train/loss {number(began)} at first, {number(ended)} at the end: as fast in its second half as before"
        seen = Seen(told, int(course.steps[-1]), {"first": began, "last": ended})
        yield _verdict(record, "rate-too-low", text, seen)


def _updates(found: list[Look]) -> list[tuple[int, float]]:
    """For each look its step, and what that changed of the layer that it changed most, by what is there."""
    known = [(look.step, [layer.update for layer in look.layers if layer.update is not None]) for look in found]
    return [(step, max(updates)) for step, updates in known if updates]


def _rough(course: Course, count: int) -> float:
    """The deviation of a block's mean, by that of single steps."""
    rough = noise(course.values)
    return rough / float(np.sqrt(max(1, len(course.values) // count)))


def _verdict(record: Record, name: str, text: str, seen: Seen, *, at: int | None = -1) -> Verdict:
    factor, why = (0.1, "a tenth of it") if name == "rate-too-high" else (10.0, "ten times as much")
    mends = *mending.rate(record, factor, why, at=at), mending.tried(record, "lr", "which rate suits it, by trying")
    return Verdict(name, "quality", "bad", text, (seen,), mends)

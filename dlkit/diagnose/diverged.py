"""A metric that became NaN or infinite: since when the loss had left its course, after what, in which layer first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from dlkit.diagnose import mending
from dlkit.diagnose.layers import Look, looks
from dlkit.diagnose.record import Course, Record
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.present.numbers import number

_SAID = re.compile(r"(?P<metric>\S+) became (?:nan|-?inf) at step (?P<step>\d+)")
"""How the reason begins, in logs of before causes were recorded."""
LEFT = 3.0
"""Times the lowest loss so far. Single batches lie above that too where a loss is small; but that it stays there until
the end is what a course that was left looks like."""


LOOKS = 3
"""Into the layers, of which the last is compared with those before."""


class _End(NamedTuple):
    metric: str
    step: int


def diverged(record: Record) -> Iterator[Verdict]:
    """Where a value that is not finite ended the run."""
    end = _end(record)
    if end is None:
        return
    course = record.course(end.metric)
    until = course.until(end.step).values
    value = until[-1] if len(until) else np.nan
    since = _since(_followed(record, end), end.step)
    began = since is not None and since < end.step
    where = f"at {record.at(end.step)}"
    text = f"diverged {where}: {end.metric} became {value}"
    if began:
        text += f", and had left its course since step {since}"
    yield Verdict(
        "diverged",
        "failure",
        "bad",
        text,
        tuple(_evidence(record, _followed(record, end), end, since)),
        tuple(_mends(record, end, since)),
    )


def _end(record: Record) -> _End | None:
    cause = record.cause
    if cause.get("kind") == "metric":
        return _End(str(cause.get("metric", "")), record.counted("step") or 0)
    found = _SAID.match(record.reason) if record.state == "failed" else None
    return _End(found["metric"], int(found["step"])) if found else None


def _followed(record: Record, end: _End) -> Course:
    """What tells since when: the training loss where there is one, since it is measured at every step."""
    return record.course(_followed_name(record, end))


def _followed_name(record: Record, end: _End) -> str:
    return "train/loss" if end.metric.startswith("val/") and "train/loss" in record.names else end.metric


def _since(course: Course, step: int) -> int | None:
    """The first step from which on the loss stays more than ``LEFT`` times above the lowest so far."""
    steps, values = course.until(step)
    if not len(values):
        return None
    low = np.minimum.accumulate(np.where(np.isfinite(values), values, np.inf))
    above = ~np.isfinite(values) | (values > LEFT * np.maximum(low, 1e-12))
    if not above[-1]:
        return None
    below = np.flatnonzero(~above)
    return int(steps[below[-1] + 1]) if len(below) else int(steps[0])


def _evidence(record: Record, course: Course, end: _End, since: int | None) -> Iterator[Seen]:
    known = course.until(end.step).finite
    name = _followed_name(record, end)
    if len(known.values):
        best = int(known.values.argmin())
        figures: dict[str, float | int | str] = {"lowest": float(known.values[best]), "last": float(known.values[-1])}
        text = (
            f"{name} was {number(figures['lowest'])} at step {known.steps[best]}, its lowest"  # type: ignore[arg-type]
            f", and {number(float(known.values[-1]))} at step {known.steps[-1]}, its last that is a number"
        )
        yield Seen(text, int(known.steps[-1]), figures)
    else:
        yield Seen(f"{end.metric} never was a number: it is not the learning rate that did it", end.step)
    for change in record.changes:
        if change.step < end.step and (since is None or change.step <= since):
            by = f" by {change.by}" if change.by else ""
            yield Seen(f"{change.key} was set to {change.value}{by} at step {change.step}", change.step)
    if (batch := record.counted("batch")) is not None:
        yield Seen(f"batch {batch} of epoch {(record.counted('epoch') or 0) + 1} was the one", end.step)
    yield from _inside(record, end)
    if lr := record.number("trainer.lr"):
        yield Seen(f"the learning rate was {lr:g}", figures={"lr": lr})


def _inside(record: Record, end: _End) -> Iterator[Seen]:
    """In which layer the gradient had grown most where the layers were looked at; and what is left of the weights."""
    found = [look for look in looks(record) if look.step <= end.step]
    if len(found) >= LOOKS:
        name, growth = max(_growths(found).items(), key=lambda item: item[1], default=("", 0.0))
        step = found[-1].step
        if growth > LEFT:
            told = f"the gradient of {name} had grown most: {number(growth)} times what it was before, at step {step}"
        else:
            told = f"no layer's gradient had grown by step {step}, the last that was looked into"
        yield Seen(told, step, {"growth": growth})
    lost, of, first = record.counted("lost"), record.counted("weights"), record.cause.get("first")
    if lost is not None and of:
        told = f"{lost} of {of} weights are not finite when it ends, the first of them {first}"
        yield Seen(
            told if lost else "all weights are finite when it ends: the loss alone is not", end.step, {"lost": lost}
        )


def _growths(found: list[Look]) -> dict[str, float]:
    """By layer its last gradient's deviation by the median of those before."""
    growths = {}
    for layer in found[-1].layers:
        before = [one.gradient for look in found[:-1] for one in look.layers if one.name == layer.name and one.gradient]
        if layer.gradient and before:
            growths[layer.name] = layer.gradient / float(np.median(before))
    return growths


def _mends(record: Record, end: _End, since: int | None) -> Iterator[Mend]:
    before = max(0, (since or end.step) - 1)
    guilty = [change.step for change in record.changes if change.step < end.step]
    good = min([before, *guilty])
    yield from mending.rate(record, 0.1, "a tenth of the learning rate", at=good)
    if record.number("trainer.lr"):
        yield mending.tried(record, "lr", "which rate suits it, tried in a minute")
    if not record.number("engine.clip"):
        yield mending.changed(record, "--clip 1", "gradients cut to a norm of 1", at=good)
    if len(looks(record)) < LOOKS:
        flags = "--engine.layers --engine.sample_every '1 steps'"
        yield mending.changed(
            record, flags, "in which layer? The same steps once more, looking inside: explain that", at=good
        )

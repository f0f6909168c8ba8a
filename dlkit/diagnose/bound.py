"""Slow for what is done beside the steps: loading, augmentation, evaluation, samples, checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from dlkit.diagnose import mending
from dlkit.diagnose.record import Record
from dlkit.diagnose.spending import Spending, spending
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.present.numbers import duration


class _Bound(NamedTuple):
    """Of one kind: what it is called in the sentence, and from which share of the time on it is too much.

    A third for what every step waits for: without it a run would take two thirds of the time, which one notices. What
    one looks at, and chooses how often, may take more before it is called slow; writing may take less, since nobody
    looks at it.
    """

    kind: str
    name: str
    share: float
    text: str


BOUND = (
    _Bound(
        "loading", "bound-by-loading", 1 / 3, "bound by loading: {percent} of its time it waited for the next batch"
    ),
    _Bound(
        "augmenting", "bound-by-augmentation", 1 / 3, "bound by augmentation: {percent} of its time it changed batches"
    ),
    _Bound("evaluation", "bound-by-evaluation", 0.5, "bound by evaluation: that took {percent} of its time"),
    _Bound("sampling", "bound-by-sampling", 0.5, "bound by samples: to make them took {percent} of its time"),
    _Bound(
        "checkpoints", "bound-by-checkpoints", 0.2, "bound by checkpoints: {percent} of its time it waited for them"
    ),
)


def bound(record: Record) -> Iterator[Verdict]:
    """Each kind that takes more than its share; of augmentation and loading the larger."""
    found = spending(record)
    if found is None:
        return
    for one in BOUND:
        if (share := found.share(one.kind)) >= one.share:
            yield _verdict(record, found, one, share)


def _verdict(record: Record, found: Spending, one: _Bound, share: float) -> Verdict:
    seconds, rest = found.of(one.kind), found.of("steps", "device")
    text = one.text.format(percent=f"{100 * share:.0f} %")
    took = f"{duration(seconds)} of {duration(found.seconds)}; its steps took {duration(rest)}"
    evidence = [Seen(took, found.told.step, {one.kind: seconds, "seconds": found.seconds, "steps": rest})]
    if one.kind == "loading":
        evidence.append(_who_loads(record, found))
    return Verdict(one.name, "speed", "bad", text, tuple(evidence), tuple(_mends(record, found, one.kind)))


def _who_loads(record: Record, found: Spending) -> Seen:
    workers = int(record.number("engine.workers") or 0)
    if not workers:
        return Seen("no process loads beside it (engine.workers is 0)", figures={"workers": 0})
    busy = found.told.children_cpu_seconds / (workers * found.seconds)
    told = f"{workers} processes load, and computed for {100 * busy:.0f} % of the time"
    if busy < 0.5:
        told += ": they wait for the disk, or the network, themselves"
    return Seen(told, figures={"workers": workers, "busy": busy})


def _mends(record: Record, found: Spending, kind: str) -> Iterator[Mend]:
    run, longer = record.run.id, mending.changed
    workers, usable = int(record.number("engine.workers") or 0), int(found.machine("usable") or 1)
    match kind:
        case "loading" | "augmenting":
            if not record.is_live and workers < max(2, usable):
                more = max(2, usable) if not workers else min(256, 2 * workers)
                words = f"resume {run} --workers {more}" if not _is_over(record) else ""
                why = f"{more} processes that load beside it"
                yield Mend(words, why) if words else longer(record, f"--engine.workers {more}", why, at=-1)
            yield mending.shown(record, "what a sample is: smaller files, or images of the size that is used")
        case "evaluation":
            yield longer(record, "--engine.eval_every '5 epochs'", "less often", at=-1)
            yield longer(record, "--engine.eval_batch_size 1000", "larger batches of it", at=-1)
        case "sampling":
            yield longer(record, "--engine.sample_every end", "at the end alone", at=-1)
        case "checkpoints":
            every = record.number("engine.checkpoint_every") or 30.0
            why = "less often: what a kill may cost in steps that are done again"
            if record.is_live:
                yield Mend(f"set {run} engine.checkpoint_every {max(300.0, 10 * every):g}", why)
            else:
                yield longer(record, f"--engine.checkpoint_every {max(300.0, 10 * every):g}", why, at=-1)


def _is_over(record: Record) -> bool:
    return record.state == "completed"

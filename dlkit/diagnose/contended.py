"""Slow for want of cores, or of work: a busy machine, threads that fight for it, a device that waits for the host."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean

from dlkit.diagnose import mending
from dlkit.diagnose.record import Record
from dlkit.diagnose.spending import Spending, spending
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.events import Machine
from dlkit.present.numbers import duration

DELAYED = 0.25
"""Share of the time for which the loop's thread was ready to go on and had no core: the run would take three quarters
of its time without."""
OWN = 0.8
"""Of the processor time that was used on the machine: where so much is the run's own, it is nobody else that is in its
way."""
STOLEN = 0.15
"""Of all cores' time, what the host gave to other machines."""
IDLE = 50.0
"""Percent that a GPU is busy in the mean, below which it waits for the host more than it computes."""
LOOKS = 20
"""Measurements of the GPU, one a second, that tell a mean."""


def contended(record: Record) -> Iterator[Verdict]:
    """Others on the machine, or its own threads and processes."""
    found = spending(record)
    if found is None:
        return
    delayed = found.machine("delayed") / found.seconds
    cores = found.machine("cores") or 1.0
    stolen = found.machine("steal") / (found.seconds * cores)
    if delayed >= DELAYED and _is_its_own(found):
        yield _fighting(record, found, delayed)
    elif delayed >= DELAYED or stolen >= STOLEN:
        yield _busy(record, found, delayed, stolen)


def _is_its_own(found: Spending) -> bool:
    """Whether hardly anybody else computed, so that it was kept waiting by itself."""
    busy = found.machine("busy")
    return bool(busy) and _own(found) >= OWN * busy


def _own(found: Spending) -> float:
    return found.told.cpu_seconds + found.told.children_cpu_seconds


def _waited(found: Spending, delayed: float) -> Seen:
    told = f"for {duration(delayed * found.seconds)} of {duration(found.seconds)} it was ready to go on and had no core"
    return Seen(told, found.told.step, {"delayed": delayed})


def _fighting(record: Record, found: Spending, delayed: float) -> Verdict:
    threads, usable = int(found.machine("threads")), int(found.machine("usable"))
    workers = int(record.number("engine.workers") or 0)
    text = f"its own threads fight for the cores: {threads} of a step and {workers} loaders on {usable}"
    cores, share = _own(found) / found.seconds, 100 * _own(found) / found.machine("busy")
    used = f"it used {cores:.1f} cores in the mean, {share:.0f} %"
    evidence = (
        _waited(found, delayed),
        Seen(f"{used} of what anybody used", figures={"threads": threads, "usable": usable, "workers": workers}),
        Seen(f"it was interrupted {found.told.involuntary} times", figures={"involuntary": found.told.involuntary}),
    )
    fewer = max(1, usable - workers)
    mends = (
        mending.changed(record, f"--engine.threads {fewer}", "as many as there are cores; sums are rounded otherwise",
                        at=-1),
    )  # fmt: skip
    return Verdict("threads-fight", "speed", "bad", text, evidence, mends)


def _busy(record: Record, found: Spending, delayed: float, stolen: float) -> Verdict:
    others = max(0.0, found.machine("busy") - _own(found)) / found.seconds
    cores = int(found.machine("cores"))
    who = "its host gives the cores to other machines" if stolen >= STOLEN else "others compute on it, too"
    evidence = [_waited(found, delayed)]
    if stolen >= STOLEN:
        told = f"{100 * stolen:.0f} % of the cores' time went to other machines"
        evidence.append(Seen(told, figures={"steal": stolen}))
    if found.machine("busy"):
        evidence.append(
            Seen(f"others used {others:.1f} of {cores} cores in the mean", figures={"others": others, "cores": cores})
        )
    mends = (
        Mend("queue list", "which of this workspace's jobs run beside it: a queue starts them one after the other"),
        Mend("doctor", "what else this machine is busy with"),
    )
    return Verdict("busy-machine", "speed", "bad", f"the machine is busy: {who}", tuple(evidence), mends)


def device_waits(record: Record) -> Iterator[Verdict]:
    """A GPU that computes for less than half of the time, though nothing is waited for but steps."""
    found = spending(record)
    used = [
        float(use)
        for event in record.of(Machine)
        for gpu in event.gpus
        if isinstance(use := gpu.get("use"), (int, float)) and not isinstance(use, bool)
    ]
    if found is None or len(used) < LOOKS or found.share("steps", "device") < 0.5:
        return
    mean = fmean(used)
    if mean >= IDLE:
        return
    text = f"the device waits: it computes for {mean:.0f} % of the time, and the host cannot start its work any faster"
    batch = int(record.number("engine.batch_size") or 0)
    evidence = (
        Seen(f"the GPU was busy for {mean:.0f} % in {len(used)} measurements", figures={"use": mean}),
        Seen(f"to start the steps took {duration(found.of('steps'))}, to wait for them {duration(found.of('device'))}",
             found.told.step, {"steps": found.of("steps"), "device": found.of("device")}),
    )  # fmt: skip
    mends = [mending.changed(record, f"--batch-size {2 * batch}", "more work in each step", at=-1)] if batch else []
    if not record.option("engine.compile"):
        mends.append(mending.changed(record, "--engine.compile", "fewer, larger kernels", at=-1))
    yield Verdict("device-waits", "speed", "bad", text, evidence, tuple(mends))

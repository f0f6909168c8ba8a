"""An estimate in words: what a run will take, and of one that has ended how near that was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlkit.present.numbers import duration, grouped, size
from dlkit.runs.estimates import PARTS, Estimate

LEAST_SHARE = 0.005
"""Of the whole, from which on a part of the time is named."""


def told(found: Estimate, free: int | None = None) -> list[str]:
    """Lines for a terminal; ``free``: bytes that the disk has."""
    if not found.fits:
        lines = [f"does not fit: {found.problem}", *(f"  {line}" for line in found.advice)]
        return [*lines[:1], *(["what to change:"] if found.advice else []), *lines[1:]]
    rows = [("time", _time(found)), ("", _parts(found)), ("memory", _memory(found)), ("disk", _disk(found, free))]
    return [*(f"{name:8}{text}" for name, text in rows if text), *(f"{'note':8}{line}" for line in found.unknown)]


def in_a_line(found: Estimate) -> str:
    """``about 3:10, 1.2 GB of memory, 240.0 MB on the disk``."""
    if not found.fits:
        return f"does not fit: {found.problem}"
    return amounts(found.whole, found.memory, found.device_memory, found.disk, found.unknown)


def amounts(
    seconds: float | None, memory: int | None, device_memory: int | None, disk: int, unknown: Sequence[str] = ()
) -> str:
    """The same, of one run or of many; what is not known is said."""
    time = f"about {duration(seconds)}" if seconds is not None else "how long is not known"
    own = f" and {size(device_memory)} of the device's" if device_memory is not None else ""
    found = [time, f"{size(memory)} of memory{own}" if memory else "", f"{size(disk)} on the disk" if disk else ""]
    notes = f" ({'; '.join(unknown)})" if unknown else ""
    return ", ".join(part for part in found if part) + notes


def compared(record: Mapping[str, object], seconds: float, ended: bool) -> str:
    """What a run was to take by its ``record``, beside what it took: ``estimated: 3:00, which is 5 % less``."""
    planned = record.get("seconds")
    if not isinstance(planned, int | float):
        return ""
    percent = round(100 * (planned / seconds - 1)) if ended and seconds else 0
    how = f", which is {abs(percent)} % {'more' if percent > 0 else 'less'}" if percent else ""
    return f"estimated: {duration(planned)}{how}"


def _time(found: Estimate) -> str:
    if found.seconds is None or found.whole is None:
        return f"not known; {duration(found.starting)} until it begins"
    step = f" of {_short(found.step)}" if found.step else ""
    steps = f"{grouped(found.steps)} {'step' if found.steps == 1 else 'steps'}{step} ({found.tried} tried)"
    begins = f"{duration(found.starting)} until it begins"
    return f"about {duration(found.whole)}: {begins}, then {duration(found.seconds)} for {steps}"


def _short(seconds: float) -> str:
    """``15 ms``, ``240 µs``."""
    if seconds >= 1:
        return duration(seconds)
    return f"{1e3 * seconds:.3g} ms" if seconds >= 1e-3 else f"{1e6 * seconds:.3g} µs"


def _parts(found: Estimate) -> str:
    """What the time goes to, where that is more than one thing."""
    whole = found.seconds or 0.0
    named = {kind: found.parts.get(kind, 0.0) for kind in PARTS}
    shown = [f"{kind} {duration(took)}" for kind, took in named.items() if took > LEAST_SHARE * whole]
    return ", ".join(shown) if len(shown) > 1 else ""


def _memory(found: Estimate) -> str:
    own = f", and {size(found.device_memory)} of {found.device}" if found.device_memory is not None else ""
    return f"{size(found.memory)}{own}" if found.memory else ""


def _disk(found: Estimate, free: int | None) -> str:
    if not found.disk:
        return ""
    full = f"; {size(free)} are free, which does not suffice" if free is not None and free < found.disk else ""
    return f"{size(found.disk)} at most, with checkpoints of {size(found.checkpoint)}{full}"

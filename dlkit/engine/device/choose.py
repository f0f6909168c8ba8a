"""Which device a run gets."""

from __future__ import annotations

import re

from dlkit.engine.device.base import Device
from dlkit.engine.device.cpu import Cpu
from dlkit.engine.device.cuda import Cuda
from dlkit.engine.device.mps import Mps
from dlkit.errors import UsageError

KINDS: dict[str, type[Device]] = {kind.kind: kind for kind in (Cuda, Mps, Cpu)}
"""All kinds by name; ``auto`` takes the first of which there is one."""


def choose_device(wanted: str, position: int | None = None) -> Device:
    """The device that a setting means; UsageError if what is named is not there.

    ``position``: which of several, where the setting names none and every process of a run takes one.
    """
    # count() asks the driver and starts nothing: a run on the CPU leaves a GPU's memory to others.
    if wanted == "auto":
        return next(kind.find(kind.kind, position) for kind in KINDS.values() if kind.count())
    name, _, number = wanted.partition(":")
    if name not in KINDS or not re.fullmatch(r"[a-z]+|cuda:\d+", wanted):
        raise UsageError(f"device {wanted!r}: must be auto, cpu, mps, cuda or cuda:N")
    return KINDS[name].find(wanted, int(number) if number else position)


def all_devices() -> list[Device]:
    """Every device of this machine, the CPU first."""
    return [Cpu(), *(device for kind in KINDS.values() if kind is not Cpu for device in kind.all())]


def same_again(recorded: str, processes: int) -> str | None:
    """The setting that leads back to a recorded device, or to another of its kind; None: there is none here.

    Several processes take one each, so that theirs is the kind alone.
    """
    name, _, number = recorded.partition(":")
    if number and processes > 1:
        return name
    count = KINDS[name].count() if name in KINDS else 0
    if not count:
        return None
    return recorded if not number or int(number) < count else name

"""The devices of this machine: how busy they are, by whom, over the last minutes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import psutil

from dlkit.gpus import Gpu, gpus
from dlkit.jobs.claims import Claim, claims

KEPT = 120
"""Measurements kept: one a second, or as often as somebody asks."""
SECONDS = 1.0
ABSENT_SECONDS = 30.0
"""Between two questions for GPUs where there were none."""


class DeviceUse(NamedTuple):
    """``use`` in percent of the whole device (None: not told), ``memory`` and ``total`` in bytes; ``history`` of
    ``use``, oldest first; ``claims`` are the jobs that have it. ``cores``: what each core does, in percent, of a
    processor; ``celsius``: how hot it is, None where nothing tells."""

    key: str
    name: str
    use: float | None
    memory: int
    total: int
    history: Sequence[float]
    claims: Sequence[Claim]
    cores: Sequence[float] = ()
    celsius: float | None = None


def _celsius() -> float | None:
    """The hottest part of the processor; not told on every system."""
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    told = psutil.sensors_temperatures()
    found = [one.current for name in ("coretemp", "k10temp", "zenpower", "cpu_thermal") for one in told.get(name, ())]
    return max(found, default=None)


class Devices:
    """``poll()``, by one thread: the machine's devices, CPU first, or None within a second of the last time."""

    def __init__(self) -> None:
        self._history: dict[str, deque[float]] = {}
        self._looked = -1e9
        self._no_gpu_until = 0.0
        psutil.cpu_percent(percpu=True)

    def poll(self) -> list[DeviceUse] | None:
        now = time.monotonic()
        if now - self._looked < SECONDS * 0.9:
            return None
        self._looked = now
        held = claims()
        memory = psutil.virtual_memory()
        cores = psutil.cpu_percent(percpu=True) or [0.0]
        name, use = f"CPU, {len(cores)} cores", sum(cores) / len(cores)
        cpu = self._use("cpu", name, use, memory.total - memory.available, memory.total, held)
        cpu = cpu._replace(cores=tuple(cores), celsius=_celsius())
        return [cpu, *(self._gpu(gpu, held) for gpu in self._gpus(now))]

    def _gpus(self, now: float) -> list[Gpu]:
        if now < self._no_gpu_until:
            return []
        found = gpus()
        if not found:
            self._no_gpu_until = now + ABSENT_SECONDS
        return found

    def _gpu(self, gpu: Gpu, held: Sequence[Claim]) -> DeviceUse:
        name = f"cuda:{gpu.position} {gpu.name}"
        return self._use(gpu.uuid, name, gpu.use, gpu.total - gpu.free, gpu.total, held)

    def _use(self, key: str, name: str, use: float | None, memory: int, total: int, held: Sequence[Claim]) -> DeviceUse:
        history = self._history.setdefault(key, deque(maxlen=KEPT))
        history.append(use or 0.0)
        mine = [claim for claim in held if key in claim.devices]
        return DeviceUse(key, name, use, memory, total, tuple(history), mine)

"""The devices of this machine: how busy they are, by whom, over the last minutes; its memory and its disk."""

from __future__ import annotations

import os
import shutil
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil

from dlkit.gpus import Gpu, gpus
from dlkit.jobs.claims import Claim, claims

KEPT = 600
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


class GpuSample(NamedTuple):
    """``use`` in percent, ``memory`` in bytes, what it has and draws; what is not told is None."""

    use: float | None
    memory: int
    celsius: float | None
    watts: float | None


class HostSample(NamedTuple):
    """The machine at a moment (UTC seconds): percent of each core, bytes of memory that are taken, load (processes that
    want to compute, over the last minute), bytes that the disks read and wrote a second since the measurement before
    (None: not told), and each GPU by its key."""

    time: float
    cores: tuple[float, ...]
    memory: int
    load: float | None
    read: float | None
    written: float | None
    celsius: float | None
    gpus: Mapping[str, GpuSample]


class Disk(NamedTuple):
    """Where a workspace lies, or would: bytes."""

    free: int
    total: int


def disk_of(workspace: Path) -> Disk | None:
    """None where the system does not tell."""
    there = next((path for path in (workspace.absolute(), *workspace.absolute().parents) if path.exists()), None)
    try:
        told = shutil.disk_usage(there or "/")
    except OSError:
        return None
    return Disk(told.free, told.total)


def _celsius() -> float | None:
    """The hottest part of the processor; not told on every system."""
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    told = psutil.sensors_temperatures()
    found = [one.current for name in ("coretemp", "k10temp", "zenpower", "cpu_thermal") for one in told.get(name, ())]
    return max(found, default=None)


class Devices:
    """``poll()``, by one thread: the machine's devices, CPU first, or None within a second of the last time."""

    samples: Sequence[HostSample]
    """What was measured, the oldest first: replaced, never changed in place, so that another thread may look."""

    def __init__(self) -> None:
        self.samples = ()
        self._disks: tuple[float, int, int] | None = None
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
        there = self._gpus(now)
        self._keep(cpu, there)
        return [cpu, *(self._gpu(gpu, held) for gpu in there)]

    def _keep(self, cpu: DeviceUse, there: Sequence[Gpu]) -> None:
        gpus_now = {gpu.uuid: GpuSample(gpu.use, gpu.total - gpu.free, gpu.celsius, gpu.watts) for gpu in there}
        read, written = self._disk_rates()
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        found = HostSample(
            time.time(), tuple(cpu.cores), cpu.memory, load, read, written, cpu.celsius, gpus_now
        )  # fmt: skip
        self.samples = (*self.samples[1 - KEPT :], found)

    def _disk_rates(self) -> tuple[float | None, float | None]:
        """Bytes a second since the last measurement, of all disks together."""
        told, now, before = psutil.disk_io_counters(), time.monotonic(), self._disks
        if told is None:  # a container may not be told
            return None, None
        self._disks = now, told.read_bytes, told.write_bytes
        if before is None or now <= before[0]:
            return None, None
        passed = now - before[0]
        return max(0, told.read_bytes - before[1]) / passed, max(0, told.write_bytes - before[2]) / passed

    def _gpus(self, now: float) -> list[Gpu]:
        if now < self._no_gpu_until:
            return []
        found = gpus()
        if not found:
            self._no_gpu_until = now + ABSENT_SECONDS
        return found

    def _gpu(self, gpu: Gpu, held: Sequence[Claim]) -> DeviceUse:
        name = f"cuda:{gpu.position} {gpu.name}"
        use = self._use(gpu.uuid, name, gpu.use, gpu.total - gpu.free, gpu.total, held)
        return use._replace(celsius=gpu.celsius)

    def _use(self, key: str, name: str, use: float | None, memory: int, total: int, held: Sequence[Claim]) -> DeviceUse:
        history = self._history.setdefault(key, deque(maxlen=KEPT))
        history.append(use or 0.0)
        mine = [claim for claim in held if key in claim.devices]
        return DeviceUse(key, name, use, memory, total, tuple(history), mine)

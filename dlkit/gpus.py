"""The GPUs of this machine as the driver tells of them, without torch."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import ModuleType
from typing import NamedTuple, Protocol, TypeVar

T = TypeVar("T")
_OF_THE_CHIP = 0
"""NVML_TEMPERATURE_GPU: the one sensor that every GPU has."""


class Memory(Protocol):
    """NVML's answer, in bytes."""

    total: int
    free: int


class Process(Protocol):
    """NVML's answer: one that computes."""

    pid: int
    usedGpuMemory: int | None


class Gpu(NamedTuple):
    """One GPU. ``position`` is N of torch's ``cuda:N``; memory in bytes; ``processes``: those that compute on it.

    A process whose memory the driver does not tell has None; ``use`` is in percent of the last moments, by whomever.
    ``celsius`` and ``watts`` are what it has and draws now. What the driver does not tell is None.
    """

    position: int
    uuid: str
    name: str
    total: int
    free: int
    processes: Mapping[int, int | None]
    use: int | None = None
    celsius: int | None = None
    watts: float | None = None


def gpus() -> list[Gpu]:
    """What NVML tells, in torch's numbering: CUDA_VISIBLE_DEVICES is honoured. Empty where there is no driver."""
    if "pynvml" not in sys.modules and not _may_have_a_driver():
        return []
    try:
        import pynvml

        pynvml.nvmlInit()
    # No driver, an old one, or one that is being replaced: whatever NVML says, there is no GPU to be had.
    except Exception:
        return []
    try:
        read = [_read(pynvml, index) for index in range(_told(pynvml, pynvml.nvmlDeviceGetCount, 0))]
    finally:
        with suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()
    return visible([gpu for gpu in read if gpu is not None], os.environ.get("CUDA_VISIBLE_DEVICES"))


def _may_have_a_driver() -> bool:
    """Whether there is a library to ask. To import the binding takes 30 ms, in every worker and scheduler."""
    if not sys.platform.startswith("linux"):
        return True
    import ctypes

    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return False
    return True


def driver_version() -> str:
    """What NVML says of the NVIDIA driver; empty where there is none, ``error: …`` where it cannot say."""
    try:
        import pynvml
    except ImportError:
        return ""
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        missing = (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded)
        return "" if isinstance(error, missing) else f"error: {error}"
    try:
        return str(pynvml.nvmlSystemGetDriverVersion())
    finally:
        pynvml.nvmlShutdown()


def visible(found: Sequence[Gpu], names: str | None) -> list[Gpu]:
    """Those that CUDA_VISIBLE_DEVICES names, in its order: indices or UUID prefixes, up to the first unknown one."""
    if names is None:
        return list(found)
    chosen: list[Gpu] = []
    for name in (part.strip() for part in names.split(",")):
        match = [gpu for gpu in found if name and (gpu.uuid.startswith(name) or str(gpu.position) == name)]
        if len(match) != 1:
            break
        if match[0].uuid in (gpu.uuid for gpu in chosen):  # as CUDA has it: named twice, there is none
            return []
        chosen.append(match[0]._replace(position=len(chosen)))
    return chosen


def _read(nvml: ModuleType, index: int) -> Gpu | None:
    """One GPU; None where the driver does not even say which it is."""
    uuid = _told(nvml, lambda: _text(nvml.nvmlDeviceGetUUID(nvml.nvmlDeviceGetHandleByIndex(index))), "")
    if not uuid:  # claims go by it, and a GPU that has fallen off the bus trains nothing
        return None
    device = nvml.nvmlDeviceGetHandleByIndex(index)
    # Each by itself: a GPU cut into instances tells no use, a container no processes, some drivers no memory.
    name = _told(nvml, lambda: _text(nvml.nvmlDeviceGetName(device)), "NVIDIA GPU")
    total, free = _told(nvml, lambda: _memory(nvml.nvmlDeviceGetMemoryInfo(device)), (0, 0))
    processes: Sequence[Process] = _told(nvml, lambda: nvml.nvmlDeviceGetComputeRunningProcesses(device), ())
    use = _told(nvml, lambda: int(nvml.nvmlDeviceGetUtilizationRates(device).gpu), None)
    celsius = _told(nvml, lambda: int(nvml.nvmlDeviceGetTemperature(device, _OF_THE_CHIP)), None)
    watts = _told(nvml, lambda: nvml.nvmlDeviceGetPowerUsage(device) / 1000, None)  # milliwatts
    return Gpu(index, uuid, name, total, free, {p.pid: p.usedGpuMemory for p in processes}, use, celsius, watts)


def _told(nvml: ModuleType, ask: Callable[[], T], otherwise: T) -> T:
    """The driver's answer, or ``otherwise`` where it has none."""
    try:
        return ask()
    except nvml.NVMLError:
        return otherwise


def _memory(told: Memory) -> tuple[int, int]:
    return int(told.total), int(told.free)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

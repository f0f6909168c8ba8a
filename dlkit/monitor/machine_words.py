"""What the figures of a job's machine look like, in words: a GPU that waits, a loader that starves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from dlkit.events import Machine
from dlkit.json_types import Json
from dlkit.monitor.devices import DeviceUse, Disk, HostSample
from dlkit.present.numbers import size

SECONDS = 60.0
"""The last minute is looked at."""
LEAST = 10
"""Samples from which something is concluded."""
IDLE = 50.0
"""Percent below which a GPU waits for something more than it computes."""
FULL = 80.0
"""Percent of a core that a process keeps busy which does nothing else than compute."""
LITTLE_DISK = 1_000_000_000
"""Bytes."""
NEARLY = 0.92
"""The share of a GPU's memory from which the next larger batch will not fit."""


def in_words(samples: Sequence[Machine], cores: int) -> str:
    """One sentence about the last minute, or an empty text where nothing is conspicuous, or too little is known.
    ``cores`` of the machine."""
    if not samples:
        return ""
    recent = [sample for sample in samples if sample.time > samples[-1].time - SECONDS]
    if len(recent) < LEAST:
        return ""
    cpu = fmean(sample.cpu for sample in recent)
    used = {index: fmean(uses) for index, uses in _uses(recent).items()}
    waiting = [index for index, use in used.items() if use < IDLE]
    if waiting:
        return _waits(waiting[0], used[waiting[0]], cpu, cores)
    full = next((gpu for gpu in recent[-1].gpus if _share(gpu) > NEARLY), None)
    if full is not None:
        taken = f"{100 * _share(full):.0f} % of its memory taken"
        return f"GPU {full.get('index', 0)} has {taken}: a larger batch will not fit"
    if not used and cpu < FULL / 2:
        return f"the job computes {cpu:.0f} % of a core: it waits for the disk, or for others that have the cores"
    return ""


def host_in_words(samples: Sequence[HostSample], devices: Sequence[DeviceUse], disk: Disk | None) -> list[str]:
    """What whoever trains here should know, a sentence each, the worst first; mostly none."""
    found = []
    if disk is not None and disk.free < LITTLE_DISK:
        found.append(f"the disk has {size(disk.free)} left: a checkpoint may not fit; dlkit clean shows what can go")
    found += [text for device in devices for text in _memory_words(device)]
    recent = [sample for sample in samples if sample.time > samples[-1].time - SECONDS]
    if len(recent) < LEAST:
        return found
    found += [text for device in devices if device.claims and (text := _claimed_and_idle(device, recent))]
    cores = len(recent[-1].cores)
    busy = fmean(fmean(sample.cores or (0.0,)) for sample in recent)
    if busy > 100 * NEARLY and (load := recent[-1].load) is not None and load > 1.5 * cores:
        found.append(f"{load:.0f} processes want {cores} cores: each gets a share, and all are slower")
    return found


def _memory_words(device: DeviceUse) -> list[str]:
    if not device.total or device.memory < NEARLY * device.total:
        return []
    taken = f"{size(device.memory)} of {size(device.total)}"
    if device.key == "cpu":
        return [f"memory is nearly full ({taken}): what begins now may be killed"]
    return [f"{device.name} has {taken} of its memory taken: a larger batch will not fit"]


def _claimed_and_idle(device: DeviceUse, recent: Sequence[HostSample]) -> str:
    """Of a GPU that a job has and hardly uses."""
    uses = [gpu.use for sample in recent if (gpu := sample.gpus.get(device.key)) is not None and gpu.use is not None]
    if len(uses) < LEAST or fmean(uses) >= IDLE:
        return ""
    return f"{device.name} waits: {fmean(uses):.0f} % busy in the last minute, though a job has it; its m says why"


def _waits(index: object, use: float, cpu: float, cores: int) -> str:
    head = f"GPU {index} waits: it was busy {use:.0f} % of the last minute"
    if cpu >= FULL * cores:
        return f"{head}, while all {cores} cores are: loading cannot keep up, and has no more cores"
    if cpu >= FULL:
        return (
            f"{head}, while the processes keep {cpu / 100:.1f} cores busy: loading or Python holds it up; "
            "engine.workers loads beside it, a larger batch has fewer steps"
        )
    return f"{head}, and so do the processes: they wait for the disk, or the model is small for it"


def _uses(samples: Sequence[Machine]) -> dict[object, list[float]]:
    found: dict[object, list[float]] = {}
    for sample in samples:
        for gpu in sample.gpus:
            use = gpu.get("use")
            if isinstance(use, (int, float)):
                found.setdefault(gpu.get("index", 0), []).append(float(use))
    return found


def _share(gpu: Mapping[str, Json]) -> float:
    memory, total = gpu.get("memory"), gpu.get("total")
    return memory / total if isinstance(memory, (int, float)) and isinstance(total, (int, float)) and total > 0 else 0.0

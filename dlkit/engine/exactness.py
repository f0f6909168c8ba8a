"""What a resume must find as it was, or its result is not that of an uninterrupted run."""

from __future__ import annotations

import platform
from importlib.metadata import version

import torch

from dlkit.engine.build import Job
from dlkit.engine.device import Device
from dlkit.runs.run_record import DeviceIdentity, RunRecord


def surroundings(job: Job) -> RunRecord:
    """What must be the same for a resume to be exact: the part of run.json that says where a run was built."""
    versions = {"dlkit": version("dlkit"), "python": platform.python_version(), "torch": torch.__version__}
    place = job.placement
    return {
        "versions": versions,
        "device": str(place.device),
        "identity": _identity(place.device),
        "precision": place.precision,
        "threads": place.threads,  # sums are split by thread, and rounded in another order with another number
        "processes": job.world.size,
    }


def differences(job: Job, record: RunRecord) -> tuple[str, ...]:
    """Where this attempt's surroundings are not those the run was started in, as run.json has them."""
    now, found = surroundings(job), []
    before: dict[str, object] = {"processes": 1, **record}  # run.json of a time before several could train does not say
    for key, value in now.items():
        if key not in ("versions", "identity") and _kind(value) != _kind(before.get(key)):
            found.append(f"{key} was {before.get(key)}, is {value}")
    # Another model of the same kind has other units: sums are split otherwise, and other kernels are chosen.
    identity = record.get("identity", now["identity"])  # run.json of a time before it was written does not say
    if identity["model"] != now["identity"]["model"]:
        found.append(f"the device was {identity['model']}, is {now['identity']['model']}")
    # Kernels change with torch's version; those of dlkit and Python do not reach the numbers.
    torch_before = record.get("versions", {}).get("torch")
    if torch_before != now["versions"]["torch"]:
        found.append(f"torch was {torch_before}, is {now['versions']['torch']}")
    if job.data.fingerprint() != record.get("fingerprint"):
        found.append("the data differs: its fingerprint is not the one the run was started with")
    return tuple(found)


def _identity(device: Device) -> DeviceIdentity:
    known = device.identity()
    return {"kind": known.kind, "model": known.model, "count": known.count, "driver": known.driver}


def _kind(value: object) -> str:
    """Of a device without its number: which of several equal GPUs a run has makes no difference."""
    return str(value).partition(":")[0]

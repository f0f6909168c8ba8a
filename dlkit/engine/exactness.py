"""What a resume must find as it was, or its result is not that of an uninterrupted run."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, TypedDict

import torch

from dlkit.engine.build import Job


class Surroundings(TypedDict):
    """The part of run.json that says where a run was built."""

    versions: dict[str, str]
    device: str
    precision: str
    threads: int
    processes: int


def surroundings(job: Job) -> Surroundings:
    """What must be the same for a resume to be exact."""
    versions = {"dlkit": version("dlkit"), "python": platform.python_version(), "torch": torch.__version__}
    place = job.placement
    return {
        "versions": versions,
        "device": str(place.device),
        "precision": place.precision,
        "threads": place.threads,  # sums are split by thread, and rounded in another order with another number
        "processes": job.world.size,
    }


def differences(job: Job, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Where this attempt's surroundings are not those the run was started in, as run.json has them."""
    now, found = surroundings(job), []
    before = {"processes": 1, **record}  # run.json of a time before several could train does not say
    pairs = {key: (before.get(key), now[key]) for key in ("device", "precision", "threads", "processes")}
    for key, (was, is_now) in pairs.items():
        if _kind(was) != _kind(is_now):
            found.append(f"{key} was {was}, is {is_now}")
    # Kernels change with torch's version; those of dlkit and Python do not reach the numbers.
    torch_before = record.get("versions", {}).get("torch")
    if torch_before != now["versions"]["torch"]:
        found.append(f"torch was {torch_before}, is {now['versions']['torch']}")
    if job.data.fingerprint() != record.get("fingerprint"):
        found.append("the data differs: its fingerprint is not the one the run was started with")
    return tuple(found)


def _kind(value: object) -> str:
    """Of a device without its number: which of several equal GPUs a run has makes no difference."""
    return str(value).partition(":")[0]

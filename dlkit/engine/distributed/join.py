"""How a process finds its device and its peers."""

from __future__ import annotations

import os

from dlkit.engine.device import Device, choose_device
from dlkit.engine.distributed.world import World
from dlkit.errors import UsageError
from dlkit.task import AnyTask, Info


def processes() -> int:
    """How many train this run, as the launcher says; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join(wanted: str) -> tuple[World, Device]:
    """The processes of this run, and the device of this one: rank i of a machine takes its i-th of several.

    UsageError: ``wanted`` is not here, or names one device, where every process takes one.
    """
    size = processes()
    if size == 1:
        return World(), choose_device(wanted)
    if ":" in wanted:
        raise UsageError(f"engine.device = {wanted!r}: several processes take a GPU each; give cuda, cpu or auto")
    from dlkit.engine.distributed.ranks import Ranks  # loads torch.distributed, which a process alone does without

    rank = int(os.environ["RANK"])
    local_rank = int(os.environ.get("LOCAL_RANK", rank))
    device = _of_process(wanted, local_rank, size)
    device.make_current()  # before the group is made: NCCL takes the current GPU
    return Ranks(device, rank, size, local_rank), device


def _of_process(wanted: str, local_rank: int, size: int) -> Device:
    """The device of one of several processes; UsageError where there are fewer than processes, or one for all."""
    help_ = "give fewer with --nproc, or --device cpu"
    try:
        device = choose_device(wanted, local_rank)
    except UsageError as error:
        raise UsageError(f"job.nproc = {size}: no device for each of so many processes: {error}; {help_}") from error
    if not device.process_group:
        raise UsageError(f"job.nproc = {size}: processes cannot share {device}; {help_}")
    return device


def refuse_unshared(task: AnyTask, info: Info, world: World) -> None:
    """UsageError if the task's metrics cannot be computed by several processes (``reduce``, or torchmetrics' way)."""
    if world.size == 1:
        return
    metrics = task.metrics(info)
    if not any(hasattr(metrics, mark) for mark in ("reduce", "dist_sync_fn", "compute_groups")):
        raise UsageError(
            f"job.nproc = {world.size}: metrics of {type(task).__name__} have no reduce() and are not torchmetrics: "
            "only one process can compute them"
        )

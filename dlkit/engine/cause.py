"""What ended a run, as data: recorded with its end, so that what is concluded of it needs nobody's prose."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from types import FrameType

import torch
from torch import Tensor

from dlkit.engine.build import Job
from dlkit.engine.columns import NonFiniteMetric
from dlkit.engine.device import is_out_of_memory
from dlkit.errors import DlkitError, PluginError, in_words
from dlkit.json_types import Json, JsonObject

DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
"""What a disk that is full, read-only or ill answers."""
_ASKED = re.compile(r"allocate ([0-9.]+) ?(bytes|KiB|MiB|GiB)")
_UNITS = {"bytes": 0, "KiB": 10, "MiB": 20, "GiB": 30}


def cause_of(error: BaseException, job: Job | None) -> JsonObject:
    """Its ``kind``, and what is known of that kind:

    metric    which ``metric`` was not finite first, at which ``step``, ``epoch`` and ``batch`` (both from 0); how many
              tensors of ``weights`` there are, how many of them are ``lost`` by now (not finite) and which is the
              ``first`` of these in the model's order: none, where the loss alone is to blame
    memory    bytes by what holds them (``weights``, ``gradients``, ``optimizer``, ``average``, ``data``), those that
              were ``asked`` for at once, the device's ``used`` and ``total``, and the ``batch_size``
    plugin    which ``plugin``, where (``who``), and what it raised (``error``)
    data, disk, usage, run, error
              what was raised; of files, which (``file``)
    """
    if isinstance(error, NonFiniteMetric):
        where = {**_position(error, job), **_lost(job)}
        return {"kind": "metric", "metric": error.metric, "step": error.step, **where}
    if is_out_of_memory(error) if job is None else job.placement.device.is_out_of_memory(error):
        return {"kind": "memory", **_held(error, job)}
    for one in _chain(error):
        # A component that met a full disk is not broken: what it raised from tells more than what it raised.
        if isinstance(one, OSError):
            kind = "disk" if one.errno in DISK else "data" if isinstance(one, FileNotFoundError) else "error"
            return {"kind": kind, "error": in_words(one), "file": str(one.filename or "")}
    if isinstance(error, DlkitError) and not isinstance(error, PluginError):
        return {"kind": error.kind, "error": in_words(error)}
    return _of_code(error, job)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """It, and what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def _position(error: NonFiniteMetric, job: Job | None) -> JsonObject:
    if job is None:
        return {}
    epoch = job.course.epoch_of(error.step - 1)
    batch = (error.step - 1 - job.course.start_of(epoch)) * job.resolved.engine.accumulate
    return {"epoch": epoch, "batch": batch}


def _lost(job: Job | None) -> JsonObject:
    """Steps go on until a value is read, and spread what is not finite: it tells what is spared, not what was first."""
    if job is None:
        return {}
    named = list(job.trainer.model.named_parameters())
    lost = [name for name, tensor in named if not bool(torch.isfinite(tensor).all())]
    return {"weights": len(named), "lost": len(lost), "first": lost[0] if lost else ""}


def _held(error: BaseException, job: Job | None) -> JsonObject:
    """What holds the memory, as far as it can be counted. What is left are activations, and whatever else there is."""
    found: JsonObject = {"asked": asked} if (asked := _asked(error)) else {}
    if job is None:
        return found
    trainer = job.trainer
    held = {
        "weights": _bytes([*trainer.model.parameters(), *trainer.model.buffers()]),
        "gradients": _bytes([p.grad for p in trainer.parameters if p.grad is not None]),
        "optimizer": _bytes(
            [t for o in trainer.optimizers_made for state in o.state.values() for t in _tensors(state)]
        ),
        "average": _bytes((trainer.averaged() or {}).values()),
        "data": sum(split.nbytes for split in (job.data.train, job.data.val)),
    }
    memory = job.placement.device.memory()
    return {
        **found, **held, "used": memory.used, "total": memory.total, "device": job.placement.name,
        "batch_size": job.resolved.engine.batch_size, "accumulate": job.resolved.engine.accumulate,
    }  # fmt: skip


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _tensors(state: object) -> list[Tensor]:
    return [value for value in state.values() if isinstance(value, Tensor)] if isinstance(state, dict) else []


def _asked(error: BaseException) -> int:
    """The bytes of the one allocation that was too many, where the text tells them."""
    found = _ASKED.search(str(error))
    return round(float(found[1]) * (1 << _UNITS[found[2]])) if found else 0


def _of_code(error: BaseException, job: Job | None) -> JsonObject:
    """A plugin's, if the innermost code that is neither ours nor a library's is one's; or if it is said to be."""
    raised = in_words(error.__cause__ or error)
    told: dict[str, Json] = {"kind": "error", "error": raised}
    if isinstance(error, PluginError):
        told |= {"kind": "plugin", "who": str(error).removesuffix(f": {raised}")}
    for place, plugin in _own_places(error, job):
        return {**told, "kind": "plugin", "who": told.get("who", place), "where": place, "plugin": plugin}
    return told


def _own_places(error: BaseException, job: Job | None) -> Iterator[tuple[str, str]]:
    """Where code of the run's plugins was when it was raised, the innermost first; with the plugin's name."""
    if job is None:
        return
    owners = {
        spec.target.partition(":")[0].partition(".")[0]: job.catalog.owner(spec).name
        for spec in job.resolved.specs.values()
    }
    for one in _chain(error):
        # From the innermost: a model's layer is called through the trainer's code, which may be another plugin's.
        for frame, line in reversed(list(_frames(one))):
            name = str(frame.f_globals.get("__name__", ""))
            if (root := name.partition(".")[0]) in owners and root != "dlkit":
                yield f"{name}.{frame.f_code.co_qualname}, line {line}", owners[root]


def _frames(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next

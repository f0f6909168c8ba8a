"""Memory that was not there: what held it, as far as that was counted when it ran out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dlkit.diagnose import mending
from dlkit.diagnose.record import Record
from dlkit.diagnose.verdict import Mend, Seen, Verdict
from dlkit.present.numbers import size

HELD = {
    "weights": "the model's weights",
    "gradients": "gradients",
    "optimizer": "what the optimizer keeps",
    "average": "the moving average",
    "data": "data that lie on the device",
}


def out_of_memory(record: Record) -> Iterator[Verdict]:
    """Where the allocator, or the system, had no more."""
    cause = record.cause
    if cause.get("kind") != "memory" and not record.reason.startswith(
        ("out of memory", "killed by the system for want")
    ):
        return
    told = {name: held for name in HELD if (held := record.counted(name))}
    rest = _rest(record, told)
    took = dict(told)
    if rest:
        took["activations"] = rest
    most = max(took, key=lambda name: took[name]) if took else ""
    text = "the system killed it for want of memory" if "signal" in cause else "out of memory"
    if device := str(cause.get("device", "")):
        text += f" on {device}"
    asked = record.counted("asked")
    if asked and asked > max(took.values(), default=0):
        text += f": it asked for {size(asked)} at once, for what a batch passes through the model"
    elif most:
        text += f": most of it held {_called(most)}"
    yield Verdict("out-of-memory", "failure", "bad", text, tuple(_evidence(record, took)), tuple(_mends(record)))


def _rest(record: Record, told: Mapping[str, int]) -> int:
    """What nobody counted: activations, and the program itself; by what the processes last had."""
    machine = record.machine
    if machine is None or not told:
        return 0
    on_gpu = [memory for gpu in machine.gpus if isinstance(memory := gpu.get("memory"), int)]
    return max(0, (sum(on_gpu) or machine.memory) - sum(told.values()))


def _called(name: str) -> str:
    return HELD.get(name, "activations and the program itself")


def _evidence(record: Record, took: Mapping[str, int]) -> Iterator[Seen]:
    step = record.step or None
    if asked := record.counted("asked"):
        yield Seen(f"{size(asked)} were asked for at once", step, {"asked": asked})
    if took:
        parts = [f"{_called(name)} {size(held)}" for name, held in sorted(took.items(), key=lambda item: -item[1])]
        yield Seen(f"held: {', '.join(parts)}", step, dict(took))
    used, total = record.counted("used") or 0, record.counted("total")
    if total:
        yield Seen(f"{size(used)} of {size(total)} were in use, by whomever", figures={"used": used, "total": total})
    if batch := record.number("engine.batch_size"):
        yield Seen(f"a batch had {batch:.0f} samples", figures={"batch_size": int(batch)})
    if not took and not asked:
        yield Seen(record.reason)


def _mends(record: Record) -> Iterator[Mend]:
    batch, parts = int(record.number("engine.batch_size") or 1), int(record.number("engine.accumulate") or 1)
    if batch > 1 and batch % 2 == 0:
        flags = f"--batch-size {batch // 2} --accumulate {2 * parts}"
        at = record.checkpoints[-1] if record.checkpoints else 0
        yield mending.changed(record, flags, "half the batch at a time, the same step", at=at, inexact=True)
    config = mending.changed(
        record, "--on-oom halve --detach", "halves the batch by itself, as often as it must", at=-1
    )
    yield config
    if record.option("engine.precision") == "float32":
        yield mending.changed(record, "--precision bf16", "activations of half the size", at=-1)

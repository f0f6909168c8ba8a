"""Memory that is not there: an error where it is asked for, not a process that the system kills.

Linux promises more memory than it has, and when the promises are called in, kills somebody, who need not be the one
that asked. A process that may not have more than was free when it began gets an error instead, at the allocation that
is one too many, and can say what asked for it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from dlkit.engine.trainer import Trainer
from dlkit.errors import UsageError
from dlkit.present.numbers import size

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]

_CGROUP = Path("/sys/fs/cgroup")
_ASKED = re.compile(r"allocate ([0-9]+) bytes")
_COPIES: tuple[tuple[type[torch.optim.Optimizer], int], ...] = (
    (torch.optim.Adam, 2),
    (torch.optim.AdamW, 2),
    (torch.optim.Muon, 1),
)
"""How many numbers an optimizer keeps for each parameter."""


def free_memory(cgroup: Path = _CGROUP) -> int:
    """Bytes that this process could still have: of the machine, with its swap, or of the container it is in."""
    import psutil

    free = int(psutil.virtual_memory().available + psutil.swap_memory().free)
    try:
        most, used = ((cgroup / name).read_text().strip() for name in ("memory.max", "memory.current"))
        cached = re.search(r"^inactive_file (\d+)$", (cgroup / "memory.stat").read_text(), re.MULTILINE)
    except OSError:
        return free
    if most == "max":
        return free
    return max(0, min(free, int(most) - int(used) + (int(cached[1]) if cached else 0)))


_STACK = 8 << 20
"""Bytes of a thread's stack, as systems have them."""
_lock = threading.Lock()
_users = 0
_before: tuple[int, int] | None = None


@contextmanager
def bounded_memory(threads: int = 0) -> Iterator[None]:
    """Inside, this process and those it starts each get no more memory than is free now; where the system can do that.

    ``threads``: how many torch will use (0: as many as it does). Of several bounds at once, in threads, the first one's
    holds until the last has ended.
    """
    _enter(threads or torch.get_num_threads())
    try:
        yield
    finally:
        _leave()


def _enter(threads: int) -> None:
    global _users, _before
    with _lock:
        _users += 1
        if _users > 1 or resource is None or (used := _data_size()) is None:
            return
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        # A thread's stack counts as a whole, though hardly any of it is used, and OpenMP ends a process that cannot
        # have one. Two teams: autograd goes back through a model in another thread than the one that went forth.
        bound = used + free_memory() + 4 * threads * _STACK
        known = [limit for limit in (soft, hard, bound) if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min(known), hard))
        _before = soft, hard


def _leave() -> None:
    global _users, _before
    with _lock:
        _users -= 1
        # Nothing is looked up first: where the memory has just run out, nothing could be.
        if not _users and _before is not None:
            resource.setrlimit(resource.RLIMIT_DATA, _before)
            _before = None


def _data_size() -> int | None:
    """What the bound counts: private memory that may be written; None where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmData:")), None)


def too_large(who: str, error: BaseException) -> UsageError:
    """What to say of a component that asked for memory which is not there."""
    if isinstance(error, torch.OutOfMemoryError):  # which says how much the device has
        return UsageError(f"{who} does not fit into memory: {error}")
    asked = _ASKED.search(str(error))
    what = f"it asked for {size(int(asked[1]))} at once" if asked else str(error).partition("\n")[0]
    return UsageError(f"{who} does not fit into memory: {what or 'none is left'}; {size(free_memory())} are free")


def check_room(who: str, trainer: Trainer) -> None:
    """UsageError if what a trainer needs beside its model's weights, on the CPU, is more than is free.

    That is a gradient for each weight, what the optimizer keeps of it, and a copy of all for checkpoints.
    """
    model = trainer.model
    weights = sum(p.numel() * p.element_size() for p in trainer.parameters)
    needed = 2 * (weights + sum(_state_bytes(optimizer) for optimizer in trainer.optimizers_made))
    if needed > _LITTLE and needed > (free := free_memory()):
        count = sum(p.numel() for p in model.parameters())
        raise UsageError(
            f"{who} does not fit into memory: it has {count:,} parameters, and to train them takes {size(needed)} "
            f"more (gradients, what the optimizer keeps, checkpoints); {size(free)} are free"
        )


_LITTLE = 1 << 26
"""Bytes that nobody needs to ask for."""


def _state_bytes(optimizer: torch.optim.Optimizer) -> int:
    found = [p for group in optimizer.param_groups for p in group["params"]]
    copies = next((copies for kind, copies in _COPIES if isinstance(optimizer, kind)), 0)
    if isinstance(optimizer, torch.optim.SGD) and optimizer.defaults.get("momentum"):
        copies = 1
    return copies * int(sum(p.numel() * p.element_size() for p in found))

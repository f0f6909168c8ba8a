"""How long a durable checkpoint of 10 MB of state stalls the loop, all but copying being a thread's work.

    uv run python tests/benchmarks/bench_stall.py

A network of 0.87 million parameters with AdamW: 10.4 MB of weights and moments. Timed: taking the trainer's and the
generators' state apart, copying it into the staging buffers, starting the thread; not its writing, hashing and syncing.
Asserted: every file and both folders are synced before a checkpoint counts.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dlkit.data.randomness import generators
from dlkit.engine.checkpoint import Snapshot, snapshot
from dlkit.engine.checkpoint_writer import Writer
from dlkit.engine.device import Cpu
from dlkit.task import Info

ROUNDS = 60


def training() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = nn.Sequential(nn.Linear(1000, 433), nn.ReLU(), nn.Linear(433, 1000))
    optimizer = torch.optim.AdamW(model.parameters())
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    return model, optimizer


def taken(model: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> Snapshot:
    """What the loop hands over, as it does."""
    state = {"trainer": {"optimizers": [optimizer.state_dict()]}, "generators": generators(), "progress": {}}
    position = {"step": step, "epoch": 0, "batch": step, "best": False}
    return snapshot(model, state, Info(), {**position, "task": "benchmark", "model": "mlp", "metrics": {}})


def stalls(folder: Path) -> list[float]:
    """Milliseconds of each checkpoint, the one before being complete."""
    model, optimizer = training()
    (folder / "checkpoints").mkdir()
    writer = Writer(folder, before_publish=lambda: None, device=Cpu())
    found = []
    for step in range(1, ROUNDS + 1):
        began = time.perf_counter()
        writer.submit(taken(model, optimizer, step))
        found.append((time.perf_counter() - began) * 1e3)
        writer.wait()
    return found


def synced(folder: Path) -> set[str]:
    """What one checkpoint syncs, by name."""
    names: set[str] = set()
    real = os.fsync

    def fsync(descriptor: int) -> Any:
        names.add(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    os.fsync = fsync
    try:
        (folder / "checkpoints").mkdir()
        writer = Writer(folder, before_publish=lambda: None, device=Cpu())
        writer.submit(taken(*training(), step=1))
        writer.wait()
    finally:
        os.fsync = real
    return names


def main() -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        names = synced(Path(first))
        (made,) = Path(first, "checkpoints").iterdir()
        expected = {path.name for path in made.iterdir()} | {f".{made.name}.tmp", "checkpoints"}
        assert names == expected, names ^ expected
        found = stalls(Path(second))
    size = sum(p.numel() * 4 for p in training()[0].parameters()) * 3 / 1e6
    warm = found[2:]  # the first two allocate the buffers
    print(f"{size:.1f} MB: the loop waits {statistics.median(warm):.2f} ms, median of {len(warm)} (wanted: 2);")
    print(f"the first two, with the buffers' allocation, {found[0]:.1f} and {found[1]:.1f} ms; {len(names)} fsyncs")


if __name__ == "__main__":
    main()

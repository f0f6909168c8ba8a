"""Batches of data in memory: dlkit's TensorSplit against torch's DataLoader.

    uv run python tests/benchmarks/bench_loader.py

60 000 × 784 float32, shuffle and gather included, every value read (summed), interleaved A B B A, medians.
"""

from __future__ import annotations

import statistics
import time

import torch
from torch.utils.data import DataLoader, TensorDataset

from common import interleaved
from dlkit.data.splits import TensorSplit

IMAGES = torch.randn(60_000, 784)
LABELS = torch.randint(10, (60_000,))


def ours(batch_size: int) -> float:
    split = TensorSplit({"image": IMAGES, "label": LABELS})
    total = torch.zeros(())
    began = time.perf_counter()
    for batch in split.batches(split.planner.plan(len(split), 0, 0, batch_size), seed=0, epoch=0):
        total += batch["image"].sum() + batch["label"].sum()
    return time.perf_counter() - began


def loader(batch_size: int) -> float:
    batches = DataLoader(TensorDataset(IMAGES, LABELS), batch_size, shuffle=True, drop_last=True)
    total = torch.zeros(())
    began = time.perf_counter()
    for images, labels in batches:
        total += images.sum() + labels.sum()
    return time.perf_counter() - began


def main() -> None:
    for batch_size in (128, 512):
        theirs, mine = interleaved(lambda b=batch_size: loader(b), lambda b=batch_size: ours(b), 5)  # type: ignore[misc]
        batches = len(IMAGES) // batch_size
        slow, fast = statistics.median(theirs), statistics.median(mine)
        each = f"DataLoader {slow / batches * 1e6:.0f} µs, dlkit {fast / batches * 1e6:.0f} µs a batch"
        print(f"batch {batch_size}: {each}, {slow / fast:.1f}× (at least 7)")


if __name__ == "__main__":
    main()

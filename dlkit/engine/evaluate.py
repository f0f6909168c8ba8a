"""Evaluation: a split's metrics, leaving everything as found."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from dlkit.data.splits import Batch
from dlkit.engine.trainer import Trainer
from dlkit.task import Info, Task


def evaluate(trainer: Trainer, task: Task, info: Info, batches: Iterable[Batch], prefix: str) -> dict[str, float]:
    """Metrics by full name (``val/accuracy``); losses are means over samples. The device is read once, at the end."""
    with trainer.evaluating():
        metrics = task.metrics(info)
        sums: dict[str, Tensor] = {}
        count = 0
        for batch in batches:
            outputs = trainer.evaluate(batch)
            metrics.update(outputs, batch)
            size = len(next(iter(batch.values()))) if batch else 1
            for name, value in trainer.evaluate_losses(outputs, batch).items():
                weighted = value.detach().to(torch.float32) * size
                sums[name] = sums[name] + weighted if name in sums else weighted
            count += size
        losses = {name: float(total) / count for name, total in sums.items()}
        measured = {name: float(value) for name, value in metrics.compute().items()}
    return {f"{prefix}/{name}": value for name, value in {**losses, **measured}.items()}


def first_bad(values: dict[str, float]) -> str | None:
    """The name of the first metric that is not finite."""
    return next((name for name, value in values.items() if not math.isfinite(value)), None)

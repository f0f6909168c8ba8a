"""Command lines that change one thing of a run: from its state where there is one, else from its beginning."""

from __future__ import annotations

import shlex

from dlkit.diagnose.record import Record
from dlkit.diagnose.verdict import Mend


def changed(record: Record, flags: str, why: str, *, at: int | None = None, inexact: bool = False) -> Mend:
    """With other options: a fork at the last checkpoint up to step ``at`` (the best, if none is said); without one,
    trained again from the run's own configuration."""
    step = record.best_checkpoint if at is None else max((c for c in record.checkpoints if c <= at), default=None)
    if step is None or (step >= record.total_steps and at is None):
        return Mend(f"train {task(record)} --config {_config(record)} {flags}", why)
    return Mend(f"fork {record.run.id}@{step} {flags}{' --allow-inexact' if inexact else ''}", why)


def tried(record: Record, what: str, why: str) -> Mend:
    """What is found by trying, in a process of its own: ``lr`` or ``batch``."""
    return Mend(f"study {task(record)} --config {_config(record)} --{what}-find", why)


def shown(record: Record, why: str) -> Mend:
    """A look at the data of its task."""
    return Mend(f"data show {task(record)}", why)


def task(record: Record) -> str:
    """Its name as a word to type: a stranger's run.json may hold anything there."""
    return shlex.quote(record.task)


def _config(record: Record) -> str:
    return shlex.quote(str(record.run.config.absolute()))


def longer(record: Record, why: str) -> Mend | None:
    """Twice as long in all; None where nothing says how long it was to be."""
    epochs, steps = record.option("engine.epochs"), record.option("engine.steps")
    if isinstance(epochs, int) and not steps:
        return Mend(f"resume {record.run.id} --epochs {2 * epochs}", why)
    return Mend(f"resume {record.run.id} --steps {2 * record.total_steps}", why) if record.total_steps else None


def resumed(record: Record, why: str = "") -> Mend:
    """On from its last checkpoint."""
    where = f"from step {record.checkpoints[-1]}, exactly" if record.checkpoints else "from the beginning"
    return Mend(f"resume {record.run.id}", why or f"goes on {where}")


def rate(record: Record, factor: float, why: str, *, at: int | None = None) -> list[Mend]:
    """Another learning rate: of a run that goes on, at once. Nothing where the trainer has none."""
    lr = record.number("trainer.lr")
    if lr is None or record.config.get("trainer", {}).get("lr") is None:
        return []
    new = f"{lr * factor:.3g}"
    if record.is_live:
        return [Mend(f"set {record.run.id} trainer.lr {new}", why)]
    return [changed(record, f"--trainer.lr {new}", why, at=at)]

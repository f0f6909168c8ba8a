"""Which configurations may be trained as one: those that differ in numbers alone. Told without torch or a model.

What only the built models show (that a layer has running statistics, say) is told by ``structure``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dlkit.config import Resolved

NUMBERS = {
    "engine": frozenset({"seed", "early_stopping", "keep"}),
    "trainer": frozenset(
        {"lr", "momentum", "weight_decay", "l1", "beta1", "beta2", "aux_lr", "schedule", "warmup", "final"}
    ),
    "model": frozenset({"init"}),
}
"""Options that each row of a stack has for itself, by section; of the model, every fraction too (a dropout rate)."""
TRAINER = "dlkit.engine.supervised:SupervisedTrainer"
_SWITCHED_BY_ZERO = ("momentum",)
"""Options of which 0 is another computation, not another number."""
_REFUSALS: tuple[tuple[Callable[[Resolved], bool], str], ...] = (
    (lambda r: r.specs["trainer"].target != TRAINER, "trainer {trainer!r} takes steps of its own: 'supervised' stacks"),
    (lambda r: _trainer(r, "optimizer") == "muon", "trainer.optimizer = 'muon' turns whole matrices: sgd, adam, adamw"),
    (lambda r: r.engine.accumulate > 1, "engine.accumulate > 1 adds gradients up over several batches"),
    (lambda r: r.engine.ema > 0, "engine.ema > 0 keeps a second set of weights"),
    (lambda r: r.engine.compile, "engine.compile makes a program of one model"),
    (lambda r: r.engine.precision == "bf16", "engine.precision = 'bf16' is for networks that are large"),
    (lambda r: r.engine.layers, "engine.layers watches one model's layers"),
    (lambda r: r.engine.profile > 0, "engine.profile records the steps of one run"),
    (
        lambda r: r.engine.device.partition(":")[0] not in ("auto", "cpu"),
        "engine.device: stacks are trained on cpu",
    ),
    (lambda r: r.job.supervised, "job.nproc, job.max_restarts and job.on_oom are for a run that has its processes"),
)


class Group(NamedTuple):
    """Configurations, by their place in what was asked about, that may be trained as one; ``why`` one is alone."""

    members: Sequence[int]
    why: str = ""


def why_not(resolved: Resolved) -> str:
    """Why a configuration is trained alone, as far as its options tell; empty: it may be stacked."""
    names = {part: spec.name for part, spec in resolved.specs.items()}
    return next((words.format(**names) for wrong, words in _REFUSALS if wrong(resolved)), "")


def why_apart(one: Resolved, other: Resolved) -> str:
    """Which options keep two configurations from being trained as one; empty: they may be."""
    mine, theirs = _must_be_equal(one), _must_be_equal(other)
    unlike = sorted(key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key))
    found = [f"{key.partition(' ')[0]} is {mine.get(key)!r} and {theirs.get(key)!r}" for key in unlike]
    return "; ".join(found)


def groups(configurations: Sequence[Resolved]) -> list[Group]:
    """Divide configurations into stacks, in the order of their first members."""
    found: dict[str, list[int]] = {}
    alone: dict[int, str] = {}
    for number, resolved in enumerate(configurations):
        if why := why_not(resolved):
            alone[number] = why
        else:
            found.setdefault(json.dumps(_must_be_equal(resolved), sort_keys=True), []).append(number)
    made = [Group(members) for members in found.values()]
    return sorted([*made, *(Group([number], why) for number, why in alone.items())], key=lambda group: group.members[0])


def _must_be_equal(resolved: Resolved) -> dict[str, object]:
    """Everything that rows of one stack share, by dotted key; what is 0 in one row must be so in all."""
    found: dict[str, object] = {"task": resolved.task.name}
    for section, values in resolved.values().items():
        if section in ("task", "job"):
            continue
        for name, value in values.items():
            key, own = f"{section}.{name}", NUMBERS.get(section, frozenset())
            if name in _SWITCHED_BY_ZERO or (section == "model" and isinstance(value, float)):
                found[f"{key} (0 or not)"] = "0" if value == 0 else "not 0"
            elif name not in own:
                found[key] = value
    return found


def _trainer(resolved: Resolved, name: str) -> object:
    return getattr(resolved.sections["trainer"], name, None)

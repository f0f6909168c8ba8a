"""Units that are 0 whatever goes in, or that no gradient reaches: they will not come back."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.diagnose import mending
from dlkit.diagnose.layers import looks
from dlkit.diagnose.record import Record
from dlkit.diagnose.verdict import Seen, Verdict

DEAD = 0.8
"""Share of a layer's units. Fewer are silent in many a network that learns well: what they would answer to was not in
the batch."""
TIMES = 2
"""Looks in a row: what is silent in one batch may speak in another."""


def dead_units(record: Record) -> Iterator[Verdict]:
    """By the layers' tables, where the run kept them."""
    found = looks(record)
    if len(found) < TIMES:
        if record.step and record.state != "failed":
            yield _unknown(record, len(found))
        return
    recent = found[-TIMES:]
    dead = {
        layer.name: layer
        for layer in recent[-1].layers
        if all(_share(look.layers, layer.name) >= DEAD for look in recent)
    }
    if not dead:
        return
    worst = max(dead.values(), key=lambda layer: layer.dead or 0.0)
    step = recent[-1].step
    text = f"dead units: {100 * (worst.dead or 0):.0f} % of {worst.name} ({worst.kind}) are 0 whatever goes in"
    evidence = tuple(
        Seen(f"{layer.name}: {100 * (layer.dead or 0):.0f} % at step {step}, and at the look before", step,
             {"dead": layer.dead or 0.0})
        for layer in dead.values()
    )  # fmt: skip
    first = int(found[0].step)
    mends = (*mending.rate(record, 0.1, "smaller steps do not throw units out", at=first),
             mending.changed(record, "--clip 1", "gradients cut to a norm of 1", at=first))  # fmt: skip
    yield Verdict("dead-units", "quality", "bad", text, evidence, mends)


def _share(layers: object, name: str) -> float:
    assert isinstance(layers, list)
    return next((layer.dead or 0.0 for layer in layers if layer.name == name), 0.0)


def _unknown(record: Record, count: int) -> Verdict:
    had = "it was trained without engine.layers" if not count else "the layers were looked at once only"
    text = f"cannot tell whether units are dead, or by how much steps move the weights: {had}"
    flags = "--engine.layers --engine.sample_every '1 epochs'"
    return Verdict(
        "dead-units", "quality", "unknown", text, (), (mending.changed(record, flags, "looks into the layers", at=-1),)
    )

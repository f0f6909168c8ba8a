"""What ``engine.layers`` has on record: the table of layers at each sampling time."""

from __future__ import annotations

from typing import NamedTuple

from dlkit.diagnose.record import Record
from dlkit.samples import Table


class Layer(NamedTuple):
    """One row; None is what a layer does not have."""

    name: str
    kind: str
    dead: float | None
    gradient: float | None
    update: float | None


class Look(NamedTuple):
    step: int
    layers: list[Layer]


def looks(record: Record) -> list[Look]:
    """Oldest first; empty without the option, or where nothing was sampled."""
    return [
        Look(step, [_layer(table, row) for row in table.rows])
        for step, table in record.layers
        if isinstance(table, Table)
    ]


def _layer(table: Table, row: object) -> Layer:
    assert isinstance(row, (list, tuple))
    cells = dict(zip(table.headers, row, strict=True))

    def value(name: str) -> float | None:
        cell = cells.get(name)
        return float(cell) if isinstance(cell, (int, float)) else None

    return Layer(
        str(cells.get("layer", "")), str(cells.get("kind", "")), value("dead"), value("gradient"), value("update")
    )

"""A run's profile.json: which operators some of its steps consisted of. Read without torch."""

from __future__ import annotations

from typing import NamedTuple, cast

from dlkit.json_types import Json
from dlkit.runs import opening
from dlkit.runs.folder import RunFolder
from dlkit.runs.opening import Damaged
from dlkit.shapes import fields, list_of, number, text, whole

NAME, TRACE = "profile.json", "trace.json.gz"
STEP = "step"
"""What stands for a whole step among operators: its own time is Python's, between two of them."""
OPERATORS = 200
"""Operators that are kept, those that took the most."""
SHAPES = 200
"""Characters of a name, and of an operator's shapes."""
LARGEST = 1 << 20
_SECONDS = number(-1.0, 1e9)
_KIND = fields(
    first=whole(), steps=whole(1), seconds=_SECONDS, device=text, torch=text, left_out=whole(),
    operators=list_of(fields(name=text, calls=whole(), self_cpu=_SECONDS, cpu=_SECONDS, self_device=_SECONDS,
                             device=_SECONDS, shapes=text)),
)  # fmt: skip


class Operator(NamedTuple):
    """Seconds over all ``calls``: ``self_…`` without the operators that it calls. ``shapes`` of its inputs, as text."""

    name: str
    calls: int = 0
    self_cpu: float = 0.0
    cpu: float = 0.0
    self_device: float = 0.0
    device: float = 0.0
    shapes: str = ""


class Profile(NamedTuple):
    """``steps`` from the one that made ``first`` finished ones on, which took ``seconds`` on ``device``.

    ``left_out`` counts the operators that took less than all of ``operators``.
    """

    first: int
    steps: int
    seconds: float
    device: str = ""
    torch: str = ""
    left_out: int = 0
    operators: tuple[Operator, ...] = ()


def read_profile(run: RunFolder) -> Profile | None:
    """None: the run has none. RunError names a file that is damaged, or is none."""
    try:
        record = opening.read_json(run.path, NAME, LARGEST)
    except FileNotFoundError:
        return None
    if wrong := _KIND(record, "") or next((f"{key} is missing" for key in ("first", "steps") if key not in record), ""):
        raise Damaged(f"{run.path / NAME}: {wrong}")
    rows = cast("list[dict[str, Json]]", record.get("operators", []))[:OPERATORS]
    known = [{key: row[key] for key in Operator._fields if key in row} for row in rows if "name" in row]
    told = {key: record[key] for key in Profile._fields if key in record and key != "operators"}
    return Profile(**{"seconds": 0.0, **told}, operators=tuple(Operator(**row) for row in known))  # type: ignore[arg-type]

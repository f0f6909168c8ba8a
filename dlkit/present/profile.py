"""Operators of a run's steps as a table: what took the most, and how much of all that was."""

from __future__ import annotations

from collections.abc import Sequence

from dlkit.present.numbers import counted, number
from dlkit.present.table import table
from dlkit.runs.profile import Operator, Profile
from dlkit.steering import one_line

NAMED = 40
"""Characters of an operator's name at most; kernels of a GPU have names of a thousand."""


def on_device(profile: Profile) -> bool:
    """Whether a device beside the processor was seen: what is slow then is told by its time."""
    return any(operator.self_device > 0 for operator in profile.operators)


def by_self_time(profile: Profile) -> list[tuple[Operator, float]]:
    """Each with its share of all operators' own time, the largest first."""
    device = on_device(profile)
    own = {operator: operator.self_device if device else operator.self_cpu for operator in profile.operators}
    total = sum(own.values()) or 1.0
    return [(operator, own[operator] / total) for operator in sorted(profile.operators, key=lambda o: -own[o])]


def head(profile: Profile) -> str:
    """Which steps, and how long they took."""
    last = profile.first + profile.steps - 1
    which = f"step {last}" if profile.steps == 1 else f"steps {profile.first} to {last}"
    each = number(profile.seconds / profile.steps * 1e3)
    where = f" on {one_line(profile.device)}" if profile.device else ""
    return f"profile of {which}{where}: {each} ms a step while it was recorded"


def operators(profile: Profile, width: int, most: int | None = None) -> str:
    """The table, as wide as there is room; ``most``: of so many operators, the others counted below."""
    found = by_self_time(profile)
    device = on_device(profile)
    headers = ["operator", "self %", "self ms", "ms", "calls", *(["CPU ms"] if device else []), "shapes"]
    rows = [_cells(operator, share, device) for operator, share in found[:most]]
    narrow = table(headers[:-1], rows and [row[:-1] for row in rows])
    room = width - max(map(len, narrow.splitlines())) - 2
    if room >= len("[[64, 64]]"):
        rows = [[*row[:-1], _cut(str(row[-1]), room)] for row in rows]
        narrow = table(headers, rows)
    more = len(found) - len(rows) + profile.left_out
    return f"{narrow}\n{counted(more, 'more operator')}" if more else narrow


def _cells(operator: Operator, share: float, device: bool) -> Sequence[object]:
    own, whole = (operator.self_device, operator.device) if device else (operator.self_cpu, operator.cpu)
    processor = [_ms(operator.self_cpu)] if device else []
    name = _cut(one_line(operator.name), NAMED)
    return [name, f"{100 * share:.1f}", _ms(own), _ms(whole), operator.calls, *processor, one_line(operator.shapes)]


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.2f}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"

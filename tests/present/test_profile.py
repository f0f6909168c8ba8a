"""Operators as a table."""

from __future__ import annotations

from dlkit.present.profile import by_self_time, head, operators
from dlkit.runs.profile import Operator, Profile

ROWS = (
    Operator("aten::mm", 5, 0.003, 0.004, shapes="[[64, 784], [784, 128]]"),
    Operator("step\x1b[2J", 5, 0.001, 0.010),
    Operator("aten::addmm", 10, 0.006, 0.006, shapes="[[128], [64, 784], [784, 128], [], []]"),
)
PROFILE = Profile(4, 5, 0.01, "cpu", "2.11", 7, ROWS)


def test_the_slowest_is_first() -> None:
    assert [(operator.calls, round(share, 2)) for operator, share in by_self_time(PROFILE)] == [
        (10, 0.6), (5, 0.3), (5, 0.1)
    ]  # fmt: skip
    on_device = Profile(1, 1, 1.0, operators=(*ROWS, Operator("kernel", 1, 0.0, 0.0, 0.002, 0.002)))
    assert by_self_time(on_device)[0][0].name == "kernel", "what the processor does meanwhile is not what is waited for"
    assert "CPU ms" in operators(on_device, 80)


def test_it_is_as_wide_as_there_is_room() -> None:
    assert head(PROFILE) == "profile of steps 4 to 8 on cpu: 2 ms a step while it was recorded"
    for width in (60, 80, 100):
        lines = operators(PROFILE, width).splitlines()
        assert max(map(len, lines)) <= width and lines[-1] == "7 more operators"
        assert all(line.isprintable() for line in lines)
    assert "[[64, 784], [784, 128]]" in operators(PROFILE, 100) and "shapes" not in operators(PROFILE, 45)
    assert operators(PROFILE, 80, 1).splitlines()[-1] == "9 more operators"

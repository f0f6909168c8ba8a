"""What lists say of a run."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from dlkit.runs.folder import Summary
from dlkit.tui.shared.words import ago, ago_holds, hanging, steps

NOW = 1_800_000_000.0


@given(st.floats(0.0, 10 * 86400.0), st.floats(0.0, 1.0))
def test_an_age_is_said_until_it_is_another(past: float, share: float) -> None:
    moment = NOW - past
    until = ago_holds(moment, NOW)
    assert until > NOW
    if math.isfinite(until):
        # Times of this size are 2.4e-7 s apart: the last one before the change is the nearest that can be asked for.
        before = min(NOW + share * (until - NOW), math.nextafter(until, NOW))
        assert ago(moment, before) == ago(moment, NOW)
        assert ago(moment, until + 0.001) != ago(moment, NOW)


def test_a_day_is_said_for_good() -> None:
    assert ago_holds(NOW - 8 * 86400, NOW) == math.inf
    assert ago_holds(0.0, NOW) == math.inf


def test_what_goes_on_stands_under_its_value() -> None:
    text = (
        Text("A title of some words\n")
        .append("command  ", "dim")
        .append("dlkit train toy --steps 100 --name long\n\nend")
    )
    broken = hanging(text, 30, Console())
    assert broken.plain.splitlines() == [
        "A title of some words",
        "command  dlkit train toy",
        "         --steps 100 --name",
        "         long",
        "",
        "end",
    ]
    assert [span.style for span in broken.spans if span.start == broken.plain.index("command")] == ["dim"]


@given(st.text("ab  \n", max_size=200), st.integers(12, 60))
def test_no_word_is_lost_and_no_line_too_long(text: str, width: int) -> None:
    broken = hanging(Text(text), width, Console()).plain
    assert "".join(broken.split()) == "".join(text.split())
    assert all(cell_len(line.rstrip()) <= width for line in broken.splitlines())


@pytest.mark.parametrize(
    ("step", "total", "text"),
    [
        (0, 0, ""), (9, 180, "9/180"), (900, 900, "900"), (0, 90_000, "0/90000"), (12_345, 90_000, "12345/90000"),
        (92_079, 900_000, "92079/900k"), (123_456, 999_999, "123456/999k"),
    ],
)  # fmt: skip
def test_steps_fit_into_their_column(step: int, total: int, text: str) -> None:
    assert steps(Summary(id="x", step=step, total_steps=total)) == text

"""What lists say of a run."""

from __future__ import annotations

import pytest

from dlkit.present.runs import best, spent, steps, titled
from dlkit.runs.folder import Summary


def test_a_run_with_a_name_is_called_by_both() -> None:
    assert titled(Summary(id="x")) == "x"
    assert titled(Summary(id="x", name="wide net")) == "wide net (x)"


@pytest.mark.parametrize(
    ("step", "total", "text"),
    [
        (0, 0, ""), (9, 180, "9/180"), (900, 900, "900"), (0, 90_000, "0/90000"), (12_345, 90_000, "12345/90000"),
        (92_079, 900_000, "92079/900k"), (123_456, 999_999, "123456/999k"),
    ],
)  # fmt: skip
def test_steps_fit_into_their_column(step: int, total: int, text: str) -> None:
    assert steps(Summary(id="x", step=step, total_steps=total)) == text


def test_what_a_run_has_not_said_is_left_out() -> None:
    assert best(Summary(id="x")) == spent(Summary(id="x")) == ""
    assert best(Summary(id="x", metric="val/accuracy", best=0.98234)) == "accuracy 0.9823"

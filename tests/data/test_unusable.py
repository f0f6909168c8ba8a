"""What cannot be used stops everything, or is counted and said."""

from __future__ import annotations

import pytest

from dlkit.data.unusable import attempt_all, left_out
from dlkit.errors import DataError


def test_nothing_to_leave_out_is_nothing_to_say() -> None:
    assert left_out("0 of 3", [], skip=False, option="dataset.skip") == []


def test_problems_stop_and_the_message_says_what_would_leave_them_out() -> None:
    problems = [f"{i}.png: broken" for i in range(7)]
    with pytest.raises(DataError) as told:
        left_out("7 of 9 images cannot be read", problems, skip=False, option="dataset.skip_unreadable")
    text = str(told.value)
    assert text.startswith("7 of 9 images cannot be read:\n0.png: broken") and "and 2 more" in text
    assert text.endswith("dataset.skip_unreadable = true leaves them out")


def test_what_is_left_out_is_counted_and_named() -> None:
    assert left_out("1 of 2 cannot be read", ["a.png"], skip=True, option="x") == ["1 of 2 cannot be read:\na.png"]


def test_one_failure_does_not_stop_the_others() -> None:
    def half(number: int) -> int:
        if number % 2:
            raise DataError(f"{number} is odd")
        return number // 2

    found = attempt_all(half, range(5))
    assert [str(one) for one in found] == ["0", "1 is odd", "1", "3 is odd", "2"]


def test_other_errors_are_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        attempt_all(lambda number: 1 // number, [1, 0])

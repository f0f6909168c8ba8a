"""Numbers as people write them are read in one way only, or said to be open."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.numerals import PLAIN, Guess, Numerals, guess, read
from written import STYLES, Style, styled


def values(cells: list[str]) -> list[float | None]:
    found = guess(cells)
    return [read(cell, found.form) for cell in cells]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.5", "-2e3", "+.5", "7."], [1.5, -2000, 0.5, 7]),
        (["1,5", "2,25", "3"], [1.5, 2.25, 3]),
        (["1.234,5", "12"], [1234.5, 12]),
        (["1,234", "2,345.5"], [1234, 2345.5]),
        (["1,234,567", "9"], [1234567, 9]),
        (["1.234.567", "9"], [1234567, 9]),
        (["12,34,567.5", "1"], [1234567.5, 1]),
        (["1 234,5", "1\u00a0234\u202f567"], [1234.5, 1234567]),
        (["1'234.50", "1\u2019234"], [1234.5, 1234]),
        (["1,234", "0,5"], [1.234, 0.5]),
        (["1,234", "1234,567"], [1.234, 1234.567]),
        (["\u22125", "\u20137,5", "5-", "(3)", "- 2"], [-5, -7.5, -5, -3, -2]),
        (["$1,234.50", "-$5", "($7.00)", "12"], [1234.5, -5, -7, 12]),
        (["\u20ac 5", "5,50 \u20ac"], [5, 5.5]),
        (["EUR 1.234,00", "5 EUR"], [1234, 5]),
        (["12.\u2013", "5.50", "CHF 3.-"], [12, 5.5, 3]),
        (["12 %", "5,5%"], [12, 5.5]),
        (["1,5e3", "1,2\u00d710^3"], [1500, 1200]),
        (["5 kg", "7.5 kg"], [5, 7.5]),
        (["\u0663\u066b\u0665", "\u0662"], [3.5, 2]),
        (["\uff11\uff12", "\uff13\uff0e\uff15"], [12, 3.5]),
    ],
)
def test_conventions_are_read(cells: list[str], expected: list[float]) -> None:
    assert values(cells) == expected and not guess(cells).open


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "x",
        "1_000",
        "--3",
        "1-2",
        "4x4",
        "2023-01-05",
        "12:30",
        "192.168.1.1",
        "01,234,5",
        "(5",
        "5)",
        "(-5)",
        "1 2",
    ],
)
def test_what_is_no_number_is_none(cell: str) -> None:
    assert guess([cell, cell]).numbers == 0 and all(read(cell, form) is None for form in (PLAIN, Numerals(decimal=",")))


@pytest.mark.parametrize("cells", [["1,234", "2,345"], ["1,234", "999"], ["$1,000", "(5)"], ["-1,234", "7"]])
def test_what_two_conventions_read_differently_is_open(cells: list[str]) -> None:
    assert guess(cells).open
    assert not guess(cells, ",").open and not guess(cells, ".").open
    assert read("1,234", guess(["1,234"], ",").form) == 1.234 and read("1,234", guess(["1,234"], ".").form) == 1234


def test_points_before_three_digits_are_doubtful() -> None:
    assert guess(["1.234", "-2.345"]).doubtful == "1.234" and not guess(["1.234", "-2.345"]).open
    assert guess(["1.234", "829"]).open == "1.234" and guess(["1.234 kg", "829 kg"]).open == "1.234"
    assert not guess(["1.234", "1829"]).open and not guess(["1.234", "829"], ".").open
    assert (
        not guess(["1.234", "0.345"]).doubtful and not guess(["1.2345"]).doubtful and not guess(["12", "345"]).doubtful
    )


def test_of_two_conventions_in_a_column_the_rarer_is_no_number() -> None:
    found = guess(["1,5", "2,5", "3.5"])
    assert (found.form.decimal, read("3.5", found.form), found.numbers) == (",", None, 3)


def test_units_must_agree() -> None:
    assert guess(["500 g", "1 kg", "2 kg"]) == Guess(Numerals(unit="kg"), 2)
    assert guess(["1st", "2nd", "3rd"]).numbers == 0
    per_cent = guess(["50%", "7%"]).form
    # 0.5 beside it might be half of it, or half a per cent.
    assert read("0.5", per_cent) is None and read("50", per_cent) is None
    assert guess(["\u20ac5", "$5", "\u20ac6"]).numbers == 2


def test_what_somebody_types_may_be_plain_where_that_leaves_no_doubt() -> None:
    comma = Numerals(decimal=",")
    assert (read("1.5", comma), read("1.5", comma, typed=True)) == (None, 1.5)
    assert read("1.234", comma, typed=True) is None
    assert read("1,5", comma, typed=True) == 1.5
    assert read("1.234,5", comma) == 1234.5


@given(style=st.sampled_from(STYLES), data=st.data())
def test_numbers_of_every_style_are_read_or_open(style: Style, data: Any) -> None:
    numbers = data.draw(st.lists(st.decimals(-(10**9), 10**9, places=style.places), min_size=1, max_size=20))
    cells = [styled(number, style, data.draw(st.booleans())) for number in numbers]
    found = guess(cells)
    if style.after == " kg" and len(set(numbers)) < 2:
        return  # one number with letters behind it is a word
    if not found.open and not found.doubtful:
        assert [read(cell, found.form) for cell in cells] == [float(number) for number in numbers]
    said = guess(cells, style.decimal)
    assert [read(cell, said.form) for cell in cells] == [float(number) for number in numbers]

"""Dates are read in one order, or said to be open."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.dates import Order, guess, is_compact, read

DAY = date(2023, 4, 25)


@pytest.mark.parametrize(
    ("text", "order", "day", "hour"),
    [
        ("2023-04-25", "ymd", DAY, None),
        ("2023/4/25", "ymd", DAY, None),
        ("20230425", "ymd", DAY, None),
        ("2023-04-25T13:05:09.123Z", "ymd", DAY, 13),
        ("2023-04-25 13:05:09+02:00", "ymd", DAY, 13),
        ("25.04.2023", "dmy", DAY, None),
        ("25.4.23 07:30", "dmy", DAY, 7),
        ("4/25/2023 1:05 PM", "mdy", DAY, 13),
        ("4/25/2023 12:05 am", "mdy", DAY, 0),
        ("25 Apr 2023", "ymd", DAY, None),
        ("April 25th, 2023", "ymd", DAY, None),
        ("25-Apr-2023", "ymd", DAY, None),
        ("31.12.69", "dmy", date(1969, 12, 31), None),
    ],
)
def test_dates_are_read(text: str, order: Order, day: date, hour: int | None) -> None:
    found = read(text, order)
    assert found is not None and (found.day, found.hour) == (day, hour)


@pytest.mark.parametrize(
    "text",
    ["", "2023-02-30", "2023-13-01", "25.04.2023", "20231301", "12", "1.5", "April", "2023-04-25 25:00", "x" * 99],
)
def test_what_is_no_date_of_that_order_is_none(text: str) -> None:
    assert read(text, "ymd") is None


def test_parts_are_those_of_the_calendar() -> None:
    found = read("2023-04-25 13:05", "ymd")
    assert found is not None
    assert [found.part(name) for name in ("year", "month", "day", "weekday", "hour")] == [2023, 4, 25, 1, 13]


def test_the_order_is_what_the_cells_show() -> None:
    assert guess(["5/4/2023", "25/4/2023"]).order == "dmy"
    assert guess(["5/4/2023", "4/25/2023"]).order == "mdy"
    assert guess(["5/4/2023", "6/7/2023"]).open == "5/4/2023"
    assert not guess(["5/4/2023"], "mdy").open and guess(["5/4/2023"], "mdy").order == "mdy"
    assert guess(["5.4.2023", "6.7.2023"]).order == "dmy" and not guess(["5.4.2023"]).open
    assert guess(["5/5/2023"]).open == ""
    assert guess(["2023-04-05", "x"]).dates == 1
    assert guess(["2023-04-05 10:00"]).times and not guess(["2023-04-05"]).times
    assert is_compact("20230425") and not is_compact("20230431")


@given(st.datetimes(datetime(1970, 1, 1), datetime(2068, 1, 1)))
def test_every_day_is_read_back(moment: datetime) -> None:
    for form, order in (("%Y-%m-%d %H:%M", "ymd"), ("%d/%m/%y %H:%M", "dmy"), ("%m-%d-%Y %I:%M %p", "mdy")):
        found = read(moment.strftime(form), order)  # type: ignore[arg-type]
        assert found is not None and (found.day, found.hour) == (moment.date(), moment.hour)

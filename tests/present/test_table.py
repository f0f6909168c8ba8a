"""Rows as aligned columns."""

from __future__ import annotations

from dlkit.present.table import table


def test_numbers_stand_to_the_right_and_words_to_the_left() -> None:
    shown = table(("name", "count"), [("a", 1234), ("longer", 0.123456), ("none", None)])
    assert shown.splitlines() == ["name     count", "a         1234", "longer  0.1235", "none"]


def test_a_table_without_rows_is_its_head() -> None:
    assert table(("name", "count"), []) == "name  count"

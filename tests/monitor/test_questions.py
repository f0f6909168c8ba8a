"""Questions to a model as lines and fields, and what answers have in common."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlkit.monitor.questions import chances, other_seeds
from dlkit.monitor.row_words import fields_of, row_of

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp", "Cf"]), min_size=1, max_size=8)
rows = st.dictionaries(
    names, st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])).map(str.strip), min_size=1
)


@given(rows)
def test_fields_of_a_row_come_back_as_they_were(row: dict[str, str]) -> None:
    fields = tuple(row.items())
    assert fields_of(row_of(fields)) == fields


def test_what_is_no_row_with_names_has_no_fields() -> None:
    for line in ("", "1,2,3", "values.csv", '{"a": [1]}', "{", "[1]", "a=1,2", "[" * 5000):
        assert fields_of(line) == ()
    assert fields_of('{"a": 1.5, "b": null}') == (("a", "1.5"), ("b", ""))


@given(st.integers(0, 10**6), st.integers(1, 500))
def test_other_seeds_are_as_many(first: int, more: int) -> None:
    low, _, high = other_seeds(f"{first}-{first + more}").partition("-")
    assert int(high) - int(low) == more
    assert other_seeds(str(first)).isdecimal()


def test_probabilities_are_bars_the_likeliest_first() -> None:
    lines = chances({"class": "b", "probabilities": {"a": 0.25, "bb": 0.75}}).splitlines()
    assert [line.split()[0] for line in lines] == ["bb", "a"]
    assert lines[0].count("█") == 3 * lines[1].count("█") and lines[0].endswith("75.0 %")
    assert chances({"top": [["x", 0.5], ["y", 0.5]]}).count("\n") == 1
    for answer in ({"score": 0.5}, {"boxes": [[1.0, 2.0]]}, {"p": {"a": 0.9, "b": 0.9}}, {"p": {"a": 1.0}}, {"x": [1]}):
        assert chances(answer) == ""

"""A set is divided by shares, by groups, in proportion, or by lists; no sample is in two parts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.division import by_lists, divided, names_of, numbered, path_names
from dlkit.errors import DataError

SHARES = {"test": 0.2, "val": 0.2}
shares = st.fixed_dictionaries({"test": st.floats(0, 0.45), "val": st.floats(0.01, 0.45)})


@given(
    groups=st.lists(st.integers(0, 12), min_size=3, max_size=200).filter(lambda found: len(set(found)) > 2),
    shares=shares,
    seed=st.integers(0, 2**40),
    classes=st.one_of(st.none(), st.integers(1, 4)),
)
def test_groups_stay_whole_and_every_sample_is_somewhere_once(
    groups: list[int], shares: dict[str, float], seed: int, classes: int | None
) -> None:
    strata = None if classes is None else [i % classes for i in range(len(groups))]
    parts = divided(len(groups), shares, seed, groups=groups, strata=strata)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(groups)))
    assert all(len(part) for part in parts.values()) and parts.keys() == {"train", *(k for k, v in shares.items() if v)}
    places = [{groups[i] for i in part} for part in parts.values()]
    assert sum(map(len, places)) == len(set(groups))
    again = divided(len(groups), shares, seed, groups=groups, strata=strata)
    assert all(np.array_equal(part, again[name]) for name, part in parts.items())


def test_shares_of_groups_are_near_what_was_asked_for() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), generator.integers(1, 10, 200)).tolist()
    parts = divided(len(groups), SHARES, 0, groups=groups)
    assert all(abs(len(parts[part]) / len(groups) - share) < 0.01 for part, share in SHARES.items())
    assert divided(len(groups), SHARES, 1, groups=groups)["val"].tolist() != parts["val"].tolist()


def test_groups_and_classes_together_keep_proportions() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), 4).tolist()
    classes = np.repeat(generator.choice(3, 300, p=[0.8, 0.15, 0.05]), 4).tolist()
    whole, parts = Counter(classes), divided(len(groups), SHARES, 0, groups=groups, strata=classes)
    for part, share in SHARES.items():
        found = Counter(classes[i] for i in parts[part])
        assert all(abs(found[label] / whole[label] - share) < 0.05 for label in whole)


def test_classes_alone_are_stratified() -> None:
    parts = divided(100, SHARES, 0, strata=["rare"] * 10 + ["common"] * 90)
    assert [sum(i < 10 for i in parts[part]) for part in ("train", "val", "test")] == [6, 2, 2]


def test_one_group_cannot_be_divided() -> None:
    with pytest.raises(DataError, match="films: 1 groups in all, too few to take a test split from"):
        divided(9, SHARES, 0, groups=["one"] * 9, who="films")
    with pytest.raises(DataError, match="the set: 2 samples are too few to take a test split from; raise"):
        divided(2, SHARES, 0)


def test_values_are_numbered_as_they_come() -> None:
    assert numbered(["b", "a", "b", "c"]).tolist() == [0, 1, 0, 2]


def test_lists_choose_in_their_order(tmp_path: Path) -> None:
    names = names_of([{"a"}, {"b", "bee"}, {"c"}, {"d"}])
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_bytes("\ufeffc\r\n\r\n a \r\nc\r\n".encode())
    test.write_text("bee\nx")
    listed = by_lists({"train": train, "test": test}, names, "row")
    assert {part: found.tolist() for part, found in listed.parts.items()} == {"train": [2, 0], "test": [1]}
    assert listed.problems == [f"{test}: no row 'x'"] and listed.left == 1
    test.write_text("b\na")
    with pytest.raises(DataError, match=r"test\.txt: 'a' is in the train list too"):
        by_lists({"train": train, "test": test}, names, "row")


def test_names_are_the_same_however_they_are_written(tmp_path: Path) -> None:
    files = [tmp_path / "a" / "e\u0301.png", tmp_path / "b" / "x.png", tmp_path / "a" / "x.png"]
    names = names_of(path_names(path, tmp_path) for path in files)
    file = tmp_path / "train.txt"
    file.write_text("a\\\u00e9.png\n./b/x\nx.png\n", encoding="utf-16")
    listed = by_lists({"train": file}, names, "image")
    assert listed.parts["train"].tolist() == [0, 1]
    assert listed.problems == [f"{file}: no image 'x.png': several have that name"]

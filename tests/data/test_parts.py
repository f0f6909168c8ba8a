"""Folders of parts are found alike for everybody; what is held out is a function of share, seed and part."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.data.parts import by_position, drawn, held_out, part_folders, part_of, refuse_hidden_parts, stratified
from dlkit.errors import DataError


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["train", "val", "test"], {"train": "train", "val": "val", "test": "test"}),
        (["train", "validation"], {"train": "train", "val": "validation"}),
        (["train"], {"train": "train"}),
        (["train", "valid", ".cache"], {"train": "train", "val": "valid"}),
        (["val", "test"], {}),
        (["train", "plane", "car"], {}),
        (["Train", "Test"], {"train": "Train", "test": "Test"}),
        (["training_set", "test_set"], {"train": "training_set", "test": "test_set"}),
        (["train-images", "Val Images"], {"train": "train-images", "val": "Val Images"}),
        (
            ["TRAINSET", "validation-data", "testing"],
            {"train": "TRAINSET", "val": "validation-data", "test": "testing"},
        ),
        (["train2017", "val2017"], {"train": "train2017", "val": "val2017"}),
        (["train", "trains"], {}),
        ([], {}),
    ],
)
def test_folders_of_parts(tmp_path: Path, names: Sequence[str], found: dict[str, str]) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    assert part_folders(tmp_path) == {part: tmp_path / name for part, name in found.items()}


@pytest.mark.parametrize("name", ["images", "trainval", "cat_train", "latest", "contest", "trains", "valley", "a", ""])
def test_what_says_more_or_less_than_a_part_is_none(name: str) -> None:
    assert part_of(name) is None


@pytest.mark.parametrize(
    ("files", "refused"),
    [
        (["photos/train/1", "photos/test/1"], True),
        (["trainA/1", "trainB/1", "testA/1"], True),
        (["train_cropped/deep/1", "val_cropped/1", "other/1"], True),
        (["trains/1", "valleys/1"], False),
        (["train/1", "plane/1"], False),
        (["1", "a/2"], False),
    ],
)
def test_parts_among_or_below_other_folders_are_not_taken_for_one_set(
    tmp_path: Path, files: Sequence[str], refused: bool
) -> None:
    paths = [tmp_path / file for file in files]
    looks = r"look like parts of a set, beside or below others; .*; an option"
    with pytest.raises(DataError, match=looks) if refused else nullcontext():
        refuse_hidden_parts(tmp_path, paths, "an option")


def test_two_folders_of_a_part_are_refused(tmp_path: Path) -> None:
    for name in ("train", "val", "valid"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataError, match="both val and valid are val parts"):
        part_folders(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        part_folders(tmp_path / "absent")


@pytest.mark.parametrize(("size", "fraction", "count"), [(20, 0.1, 2), (3, 0.1, 1), (3, 0.0, 0), (10, 0.25, 2)])
def test_a_share_is_at_least_one_sample(size: int, fraction: float, count: int) -> None:
    assert held_out(size, fraction) == count
    assert held_out(size, fraction, least=0) == round(fraction * size)


@given(size=st.integers(1, 300), share=st.floats(0, 1), seed=st.integers(0, 2**40))
def test_drawn_samples_are_somewhere_and_once(size: int, share: float, seed: int) -> None:
    count = round(share * size)
    rest, chosen = drawn(size, count, seed, "val")
    assert len(chosen) == count and sorted([*rest, *chosen]) == list(range(size))
    assert (np.diff(rest) > 0).all() and (np.diff(chosen) > 0).all()
    again = drawn(size, count, seed, "val")
    assert np.array_equal(rest, again[0]) and np.array_equal(chosen, again[1])


def test_parts_and_seeds_draw_differently() -> None:
    ways = [(0, "val"), (1, "val"), (0, "test")]
    assert len({tuple(drawn(100, 10, seed, part)[1].tolist()) for seed, part in ways}) == 3


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=6),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 2**40),
)
def test_a_stratified_split_keeps_proportions(sizes: list[int], share: float, seed: int) -> None:
    label = np.repeat(np.arange(len(sizes)), sizes)
    count = round(share * len(label))
    rest, chosen = stratified(label, count, seed, "val")
    assert sorted([*rest, *chosen]) == list(range(len(label)))
    for i, size in enumerate(sizes):
        taken = int((label[chosen] == i).sum())
        assert size - taken >= 1
        assert taken <= np.ceil(size * count / len(label) + len(sizes))
    assert len(chosen) == min(count, len(label) - len(sizes))
    again = stratified(label, count, seed, "val")
    assert again[0].tolist() == rest.tolist() and again[1].tolist() == chosen.tolist()


def test_equal_classes_give_equal_shares() -> None:
    label = np.random.default_rng(0).permutation(np.repeat(np.arange(10), 60))
    _, chosen = stratified(label, 50, 0, "val")
    assert np.bincount(label[chosen]).tolist() == [5] * 10
    assert chosen.tolist() != stratified(label, 50, 1, "val")[1].tolist()


@pytest.mark.parametrize("test_fraction", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("size", [1, 10, 997])
def test_parts_by_position_follow_each_other(size: int, test_fraction: float) -> None:
    parts = by_position(size, 0.1, test_fraction)
    assert list(parts) == (["train", "val", "test"] if test_fraction else ["train", "val"])
    text = list(range(size))
    pieces = [text[parts[part]] for part in ("train", "test", "val") if part in parts]
    assert [place for piece in pieces for place in piece] == text
    assert parts["val"] == by_position(size, 0.1, 0.3)["val"]  # figures with and without a test compare

"""Confusion matrices as characters, and two texts compared word by word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.monitor.sample_looks import part, parts
from dlkit.present.confusion import cell_at, lines, opened
from dlkit.present.differences import compared
from dlkit.present.plane import OWN
from dlkit.present.samples import render
from dlkit.present.shares import bar
from dlkit.samples import ConfusionMatrix, Images, Pairs, SampleError, load, save

ANIMALS = ConfusionMatrix(
    name="confusion",
    classes=["cat", "dog", "a very long name indeed"],
    counts=[[90, 10, 0], [1, 3, 0], [0, 0, 0]],
    images=np.arange(4 * 2 * 2, dtype=np.uint8).reshape(4, 2, 2),
    cells=[(0, 1), (1, 0), (0, 1), (1, 1)],
    captions=["a", "b", "c", "d"],
)


def words(sample: ConfusionMatrix, *, colour: bool = True) -> list[str]:
    return ["".join(text for text, *_ in line) for line in lines(sample, colour=colour)]


def test_rows_have_recalls_and_columns_precisions() -> None:
    head, cat, dog, long, below = words(ANIMALS)
    assert cat.split() == ["cat", "90", "10", "·", "█████████", "90%"]
    assert dog.split() == ["dog", "1", "3", "·", "███████▌", "75%"]
    assert long.split()[-1] == "none" and long.strip().startswith("a very long nam…")
    assert below.split() == ["precision", "99%", "23%", "-"]
    assert head.rstrip().endswith("recall")
    assert words(ANIMALS, colour=False) == words(ANIMALS)


def test_the_colour_is_the_share_of_the_row() -> None:
    paper = [[on for text, _, on in line[1:4]] for line in lines(ANIMALS)[1:4]]

    def blue(colour: int) -> int:
        return (colour & 255) - (colour >> 16)

    assert paper[0][2] == paper[1][2] == OWN and paper[2] == [OWN, OWN, OWN][: len(paper[2])]
    assert blue(paper[0][0]) > blue(paper[1][1]) > 0 > blue(paper[0][1]) > blue(paper[1][0])
    assert all(on == OWN for line in lines(ANIMALS, colour=False) for *_, on in line)


def test_every_count_is_found_where_it_stands() -> None:
    shown = words(ANIMALS)
    for true, row in enumerate(ANIMALS.counts):
        for predicted, count in enumerate(row):
            places = [x for x in range(len(shown[0])) if cell_at(ANIMALS, x, true + 1) == (true, predicted)]
            assert shown[true + 1][places[0] : places[-1] + 1].strip() == (str(count) if count else "·")
    assert (
        cell_at(ANIMALS, 0, 1) is cell_at(ANIMALS, 30, 0) is cell_at(ANIMALS, 500, 1) is cell_at(ANIMALS, 30, 9) is None
    )


def test_cells_open_their_images_the_commonest_mistake_first() -> None:
    assert opened(ANIMALS) == [(0, 1), (1, 0), (1, 1)] and parts(ANIMALS) == 3
    first = part(ANIMALS, 0)
    assert isinstance(first, Images)
    assert first.title == "cat, taken for dog: 10 of 100, 2 of them shown" and list(first.good) == [False, False]
    assert first.images.tolist() == ANIMALS.images[[0, 2]].tolist() and list(first.captions) == ["a", "c"]
    known = part(ANIMALS, 2)
    assert isinstance(known, Images) and known.title.startswith("dog, and known as such: 3 of 4")


def test_it_is_stored_with_images_and_without(tmp_path: Path) -> None:
    again = load(tmp_path / save(ANIMALS, tmp_path, "with"))
    assert isinstance(again, ConfusionMatrix)
    assert (again.images == ANIMALS.images).all() and again.cells == ANIMALS.cells and opened(again) == opened(ANIMALS)
    none = load(tmp_path / save(ConfusionMatrix(name="c", classes=["a"], counts=[[2]]), tmp_path, "without"))
    none.check()
    assert parts(none) == 0 and not (tmp_path / "without.png").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"counts": [[1]]}, "rows of counts for 2 classes"),
        ({"counts": [[1], [2]]}, "row 1 has 1 cells"),
        ({"cells": [(0, 1)]}, "1 cells for 0 images"),
        ({"images": np.zeros((1, 2, 2), np.uint8), "cells": [(0, 2)]}, "cell [0, 2] is not of 2 classes"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, object], told: str) -> None:
    fields: dict[str, object] = {"classes": ["a", "b"], "counts": [[1, 2], [3, 4]], **change}
    with pytest.raises(SampleError) as error:
        ConfusionMatrix(name="c", **fields).check()  # type: ignore[arg-type]
    assert told in str(error.value)


@given(st.floats(0, 1))
def test_a_bar_is_as_long_as_its_share(share: float) -> None:
    full = bar(share)[:10]
    eighths = sum(8 if c == "█" else 0 if c == " " else " ▏▎▍▌▋▊▉".index(c) for c in full)
    assert len(full) == 10 and abs(eighths / 80 - share) <= 1 / 160 + 1e-9


TEXTS = st.text("ab c.é ", max_size=40)


@given(TEXTS, TEXTS)
def test_pieces_make_up_the_texts_and_what_both_have_is_alike(one: str, other: str) -> None:
    first, second = compared(one, other)
    assert "".join(text for text, _ in first) == one and "".join(text for text, _ in second) == other
    same = [[text for text, differs in parts if not differs and not text.isspace()] for parts in (first, second)]
    assert same[0] == same[1]
    if one == other:
        assert not any(differs for _, differs in [*first, *second])


def test_words_that_the_reference_lacks_are_marked() -> None:
    pairs = Pairs(name="p", headers=["reference", "model"], rows=[["the cat sat", "the dog sat"]], compared=(0, 1))
    assert "the [dog] sat" in render(pairs, colour=False, width=80)
    with pytest.raises(SampleError, match="are not two of 2 columns"):
        Pairs(name="p", headers=["a", "b"], rows=[], compared=(0, 2)).check()

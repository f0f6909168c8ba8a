"""Samples that could not be shown are refused where they are saved, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from dlkit.errors import PluginError
from dlkit.present.samples import render
from dlkit.samples import (
    Boxes,
    Curve,
    Images,
    Marks,
    Pairs,
    Plane,
    Sample,
    SampleError,
    Scatter,
    Shaded,
    Table,
    Text,
    checked,
    load,
    save,
)

GREY = np.zeros((2, 4, 4), np.uint8)

WRONG: dict[str, tuple[Callable[[], Sample], str]] = {
    "a name with a slash": (lambda: Text(name="a/b", text=""), "text sample 'a/b': a name has 1 to 100 characters"),
    "a name with a backslash": (lambda: Text(name="a\\b", text=""), "no '/' or"),
    "no name": (lambda: Text(name="", text=""), "1 to 100 characters"),
    "a long name": (lambda: Text(name="a" * 101, text=""), "1 to 100 characters"),
    "a name of long characters": (lambda: Text(name="日" * 67, text=""), "a name has 200 bytes at most"),
    "a name with a line break": (lambda: Text(name="a\n", text=""), "1 to 100 characters"),
    "a ragged table": (
        lambda: Table(name="rows", headers=["a", "b"], rows=[[1, 2], [3]]),
        "table sample 'rows': row 2 has 1 cells for 2 headers",
    ),
    "ragged pairs": (lambda: Pairs(name="p", headers=["a"], rows=[["1", "2"]]), "row 1 has 2 cells for 1 headers"),
    "a short curve": (
        lambda: Curve(name="fit", x=[0, 1, 2], lines={"true": [1, 2, 3], "found": [1, 2]}),
        "curve sample 'fit': 2 values of line 'found' for 3 x",
    ),
    "pieces without numbers": (lambda: Shaded(name="s", pieces=["a", "b"], values=[1]), "1 values for 2 pieces"),
    "a scale without end": (lambda: Shaded(name="s", pieces=[], values=[], limits=(0, np.inf)), "are not two numbers"),
    "unequal points": (lambda: Scatter(name="s", x=[0, 1], y=[0]), "1 y for 2 x"),
    "labels of other points": (lambda: Scatter(name="s", x=[0], y=[0], labels=["a", "b"]), "2 labels for 1 x"),
    "images of floats": (
        lambda: Images(name="i", images=GREY.astype(np.float32)),  # type: ignore[arg-type]  # the wrong type on purpose
        r"images sample 'i': float32\[2, 4, 4\] is not of the form uint8 \[N,H,W\]",
    ),
    "one image": (lambda: Images(name="i", images=GREY[0]), r"uint8\[4, 4\] is not of the form"),
    "a caption too few": (lambda: Images(name="i", images=GREY, captions=["a"]), "1 captions for 2 images"),
    "a mark too many": (lambda: Images(name="i", images=GREY, good=[True] * 3), "3 marks in good for 2 images"),
    "a grey plane": (
        lambda: Plane(name="p", image=GREY[0], x_range=(0, 1), y_range=(0, 1)),
        r"plane sample 'p': its image is not of the form uint8 \[H,W,3\]",
    ),
    "a plane of no width": (
        lambda: Plane(name="p", image=np.zeros((2, 2, 3), np.uint8), x_range=(1, 1), y_range=(0, 1)),
        "x_range goes from a lower to a higher number, not from 1 to 1",
    ),
    "a mark without place": (
        lambda: Plane(
            name="p",
            image=np.zeros((2, 2, 3), np.uint8),
            x_range=(0, 1),
            y_range=(0, 1),
            marks=[Marks(x=[0, 1], y=[0], colour=(0, 0, 0))],
        ),
        "1 y for 2 x",
    ),
    "a sign of no kind": (
        lambda: Plane(
            name="p",
            image=np.zeros((2, 2, 3), np.uint8),
            x_range=(0, 1),
            y_range=(0, 1),
            marks=[Marks(x=[0], y=[0], colour=(0, 0, 0), sign="star")],
        ),
        "sign 'star' is none of dot, ring, cross",
    ),
    "boxes on a stack": (lambda: Boxes(name="b", image=GREY, boxes=[]), r"is not of the form uint8 \[H,W\]"),
}


@pytest.mark.parametrize(("make", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_shown_is_refused_by_name(make: Callable[[], Sample], said: str, tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=said) as refused:
        save(make(), tmp_path, "stem")
    assert list(tmp_path.iterdir()) == []
    assert isinstance(refused.value, PluginError)
    assert refused.value.exit_code == 4


def test_a_ragged_sample_that_is_stored_already_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / save(Table(name="rows", headers=["a"], rows=[[1]]), tmp_path, "rows")
    path.write_text(json.dumps({**json.loads(path.read_text()), "rows": [[1, 2]]}))
    assert load(path).name == "rows"


def test_what_is_shown_at_one_time_has_names_of_its_own() -> None:
    one, other = Text(name="a", text="1"), Text(name="b", text="2")
    assert checked([one, other], "task 'toy'") == [one, other]
    with pytest.raises(SampleError, match="task 'toy': two samples are called 'a'"):
        checked([one, other, one], "task 'toy'")
    with pytest.raises(SampleError, match=r"a str is not a dlkit\.samples\.Sample"):
        checked(["text"], "task 'toy'")


CELLS = st.one_of(st.integers(), st.floats(), st.text(max_size=4))
SAMPLES: st.SearchStrategy[Sample] = st.one_of(
    st.builds(Text, name=st.text(max_size=6), text=st.text()),
    st.builds(
        Table,
        name=st.text(max_size=6),
        headers=st.lists(st.text(max_size=3), max_size=3),
        rows=st.lists(st.lists(CELLS, max_size=3), max_size=3),
    ),
    st.builds(
        Curve,
        name=st.text(max_size=6),
        x=st.lists(st.floats(), max_size=3),
        lines=st.dictionaries(st.text(max_size=3), st.lists(st.floats(), max_size=3), max_size=2),
    ),
    st.builds(
        Scatter,
        name=st.text(max_size=6),
        x=st.lists(st.floats(), max_size=3),
        y=st.lists(st.floats(), max_size=3),
        labels=st.lists(st.text(max_size=3), max_size=3),
    ),
    st.builds(
        Images,
        name=st.text(max_size=6),
        images=arrays(np.uint8, array_shapes(min_dims=2, max_dims=4, max_side=3)),
        captions=st.lists(st.text(max_size=3), max_size=3),
    ),
)


@given(sample=SAMPLES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_not_refused_is_saved_read_and_shown(tmp_path: Path, sample: Sample) -> None:
    try:
        file = save(sample, tmp_path, "stem")
    except SampleError:
        return
    assert type(load(tmp_path / file)) is type(sample)
    assert isinstance(render(sample, colour=False, width=40), str)

"""Samples as text: what stands in it, that it fits, and that plain text is plain."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.present.samples import WRONG, render
from dlkit.samples import KINDS, Box, Boxes, Curve, Images, Pairs, Sample, Scatter, Shaded, Table, Text
from sample_kinds import SAMPLES, grey

ESCAPE = re.compile(r"\x1b\[[\d;]*m")
PIXEL = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m▀")


def lines_of(text: str) -> list[str]:
    return ESCAPE.sub("", text).split("\n")


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("width", [20, 80, 200])
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_fits_the_width(sample: Sample, width: int, colour: bool) -> None:
    text = render(sample, colour=colour, width=width)
    assert lines_of(text)[0] == sample.name
    assert max(map(len, lines_of(text))) <= width
    assert len(lines_of(text)) > 1
    assert colour or "\x1b" not in text
    assert not ESCAPE.sub("", text).count("\x1b")


def test_every_kind_is_covered() -> None:
    assert {sample.kind for sample in SAMPLES} == set(KINDS)


def test_a_picture_is_two_pixels_a_character() -> None:
    image = np.array([[[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]]]], np.uint8)  # one image, three rows, one column
    found = PIXEL.findall(render(Images(name="i", images=image), colour=True, width=80))
    assert found == [("1", "2", "3", "4", "5", "6"), ("7", "8", "9", "0", "0", "0")]


def test_pieces_are_coloured_by_their_numbers() -> None:
    sample = Shaded(
        name="s", pieces=["a", "b\n", "c", "d"], values=[0, 1, float("inf"), -1], limits=(-1, 1), unit="bits"
    )
    text = render(sample, colour=True, width=80)
    found = dict(re.findall(r"48;2;(\d+;\d+;\d+)m(.)", text))
    assert found == {"250;249;245": "a", "230;120;0": "↵", "60;130;220": "d"}
    assert ESCAPE.sub("", text) == "s\nab↵\ncd\nfrom -1 to 1 bits"


def test_without_colours_what_stands_out_has_its_number() -> None:
    sample = Shaded(name="s", pieces=["the ", "cat ", "sat"], values=[0.1, 0.81, "nan"], unit="bits")
    text = render(sample, colour=False, width=80)
    assert text == "s\nthe cat[0.81] sat\n[…]: from 0 to 1 bits"


def test_a_grid_has_the_samples_columns_as_far_as_they_fit() -> None:
    sample = Images(name="i", images=grey(6, 2, 10), columns=3)
    assert [line.count("▀") for line in lines_of(render(sample, colour=True, width=80))[1:]] == [30, 30]
    assert [line.count("▀") for line in lines_of(render(sample, colour=True, width=25))[1:]] == [20, 20, 20]


@pytest.mark.parametrize("colour", [True, False])
def test_mistakes_are_marked_by_a_sign_too(colour: bool) -> None:
    sample = Images(name="i", images=grey(2, 10, 10), captions=["4 is 4", "4 is 9"], good=[True, False])
    text = ESCAPE.sub("", render(sample, colour=colour, width=80))
    assert f"{WRONG} 4 is 9" in text
    assert f"{WRONG} 4 is 4" not in text


def test_a_box_is_drawn_and_described() -> None:
    box = Box(corners=(1, 0, 3, 2), label="cat", score=0.931, role="false")
    text = render(Boxes(name="b", image=np.zeros((4, 5), np.uint8), boxes=[box]), colour=True, width=80)
    pixels = PIXEL.findall(text)
    picture = np.array(pixels, int).reshape(2, 5, 2, 3).transpose(0, 2, 1, 3).reshape(4, 5, 3)
    touched = picture.any(axis=2).astype(int).tolist()
    assert touched == [[0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]]
    assert "false     cat 0.93 (1, 0)–(3, 2)" in ESCAPE.sub("", text)


def test_tables_are_aligned_and_numbers_stay_readable() -> None:
    sample = Table(name="t", headers=["name", "value"], rows=[["a", 1], ["long name", 0.123456]])
    assert lines_of(render(sample, colour=False, width=80))[1:] == [
        "name        value",
        "a               1",
        "long name  0.1235",
    ]


def test_the_widest_column_gives_way() -> None:
    sample = Pairs(name="p", headers=["short", "long"], rows=[["abc", "x" * 100]])
    (row,) = lines_of(render(sample, colour=False, width=40))[2:]
    assert row.startswith("abc    xxxx")
    assert row.endswith("…")


def test_a_lone_spike_among_many_points_is_seen() -> None:
    values = np.zeros(100_000)
    values[54_321] = 1.0
    top = lines_of(render(Curve(name="c", x=range(100_000), lines={"l": values}), colour=False, width=80))[2]
    assert "1 │" in top
    assert top.split("│")[1].strip()


def test_a_curve_goes_from_corner_to_corner() -> None:
    text = render(Curve(name="c", x=[0, 10], lines={"l": [0, 5]}, x_label="step", y_label="y"), colour=False, width=60)
    body = [line.split("│")[1] for line in lines_of(text) if "│" in line]
    assert body[-1][0] != " "
    assert len(body[0]) == 60 - len("5 │")
    first = [len(line) - len(line.lstrip()) for line in body]
    assert first == sorted(first, reverse=True)
    assert lines_of(text)[-1].split() == ["0", "step", "10"]


def test_several_lines_without_colour_have_marks_of_their_own() -> None:
    text = render(Curve(name="c", x=[0, 1], lines={"up": [0, 1], "down": [1, 0]}), colour=False, width=40)
    assert "* up   o down" in text
    body = "".join(line.split("│")[1] for line in lines_of(text) if "│" in line)
    assert set(body) == {"*", "o", " "}


def test_points_of_one_name_share_a_mark() -> None:
    sample = Scatter(name="s", x=[0, 1, 2], y=[0, 1, 2], labels=["a", "b", "a"])
    text = render(sample, colour=False, width=40)
    body = "".join(line.split("│")[1] for line in lines_of(text) if "│" in line)
    assert (body.count("*"), body.count("o")) == (2, 1)


def test_control_characters_never_reach_the_terminal() -> None:
    evil = "a\x1b[2J\x9b31m\x07\rb\u202ec"
    samples: Sequence[Sample] = [
        Text(name="t", title=evil, text=evil, prompt=evil),
        Pairs(name="p", headers=[evil], rows=[[evil]]),
        Images(name="i", images=grey(1, 40, 40), captions=[evil]),
        Boxes(name="b", image=grey(4, 4), boxes=[Box(corners=(0, 0, 1, 1), label=evil)]),
        Curve(name="c", x=[0, 1], lines={evil: [0, 1]}, x_label=evil, y_label=evil),
        Scatter(name="s", x=[0], y=[0], labels=[evil]),
    ]
    for sample in samples:
        for colour in (True, False):
            text = ESCAPE.sub("", render(sample, colour=colour, width=200))
            assert not set(text) & set("\x1b\x9b\x07\r\u202e")


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), max_size=30), st.integers(20, 120), st.booleans())
def test_any_numbers_can_be_plotted(points: list[tuple[float, float, float]], width: int, colour: bool) -> None:
    x, y, z = ([point[i] for point in points] for i in range(3))
    for sample in (Curve(name="c", x=x, lines={"y": y, "z": z}), Scatter(name="s", x=x, y=y)):
        assert max(map(len, lines_of(render(sample, colour=colour, width=width)))) <= width

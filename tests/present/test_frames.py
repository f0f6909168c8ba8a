"""Samples as pictures for files, and as a page: every kind, at any width, with whatever letters."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import ImageFont

from dlkit.present import lettering
from dlkit.present.frames import WIDTH, WRONG, drawn, frame
from dlkit.present.sample_page import page, section
from dlkit.present.shades import PAPER
from dlkit.samples import Box, Boxes, Images, Sample, Table, Text
from planted import EVIL, evil_samples, steering
from sample_kinds import SAMPLES


@pytest.mark.parametrize("width", [200, WIDTH])
@pytest.mark.parametrize("sample", [*SAMPLES, *evil_samples()], ids=lambda sample: sample.name)
def test_every_kind_is_a_picture(sample: Sample, width: int) -> None:
    picture = drawn(sample, width)
    assert picture.mode == "RGB" and 0 < picture.width <= width
    framed = frame(sample, "step 10", 0.5, width)
    assert picture.width <= framed.width <= width and framed.height > picture.height
    line = np.asarray(framed)[-1]
    assert (line[: framed.width // 2 - 2] != line[-1]).any(), "how far it is"


def test_mistakes_are_marked_and_pixels_enlarged_as_they_are() -> None:
    images = np.stack([np.full((4, 4), 7, np.uint8), np.full((4, 4), 9, np.uint8)])
    made = np.asarray(drawn(Images(name="i", images=images, good=[True, False])))
    assert ((made == 7).all(2).sum(), (made == 9).all(2).sum()) == (32 * 32, 32 * 32)
    assert (made == WRONG).all(2).any()


def test_boxes_outside_of_a_picture_or_nowhere_are_drawn_at_its_edge() -> None:
    boxes = [Box(corners=(-50, 2, 900, float("nan")), label="cat", role="missed")]
    assert drawn(Boxes(name="b", image=np.zeros((20, 30), np.uint8), boxes=boxes)).getbbox() is not None


def test_letters_that_pillows_own_font_lacks_look_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_NAMES", ())
    lettering.font.cache_clear()
    try:
        assert lettering.letters("été → œuf") == "ete -> ?uf"
        assert isinstance(lettering.font(), ImageFont.FreeTypeFont | ImageFont.ImageFont)
        assert np.asarray(drawn(Text(name="t", text="été"))).min() < min(PAPER)
    finally:
        lettering.font.cache_clear()


class _Read(HTMLParser):
    """Tags with their attributes, and all text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_page_has_every_kind_and_needs_nothing_else() -> None:
    made = page("a <run>", [section(step, sample.name, sample) for step in (1, 2) for sample in SAMPLES])
    read = _Read(made)
    sections = [attrs for tag, attrs in read.tags if tag == "section"]
    assert [(one["data-name"], one["data-step"]) for one in sections] == [
        (sample.name, f"step {step}") for step in (1, 2) for sample in SAMPLES
    ]
    assert all(str(attrs["src"]).startswith("data:image/png;base64,") for tag, attrs in read.tags if tag == "img")
    assert not re.search(r"https?:|<link|src=\"[^d]", made)
    assert "a <run>" in read.words


def test_texts_of_others_are_no_markup() -> None:
    evil = "<script>alert(1)</script>&amp;\"'" + EVIL
    sample = Table(name="t", title=evil, headers=[evil], rows=[[evil]])
    made = page("p", [section(1, evil, sample), section(2, "t", Text(name="t", text=evil, prompt=evil))])
    read = _Read(made)
    assert [tag for tag, _ in read.tags].count("script") == 1, "the page's own"
    assert read.words.count("<script>alert(1)</script>") == 5, "title, header, cell, prompt, text"
    assert not steering(made)

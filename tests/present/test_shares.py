"""Shares in tables: bars wherever people look, numbers wherever programs read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from textual.geometry import Size
from textual.widgets import Static

from dlkit.present.sample_page import body
from dlkit.present.samples import render
from dlkit.samples import SampleError, Table, load, save
from dlkit.tui.sample.words import table

SAMPLE = Table(
    name="classes",
    headers=["class", "objects", "recall"],
    rows=[["cat", 8, 0.625], ["dog", 4, np.float64(1.0)], ["cow", 0, ""]],
    shares=(2,),
)


def test_a_bar_a_row_in_the_terminal_and_on_pages() -> None:
    shown = str(render(SAMPLE, colour=False, width=80)).splitlines()[-3:]
    assert [line.split()[0] for line in shown] == ["cat", "dog", "cow"]
    assert shown[0].endswith("██████▎     62%") and shown[1].endswith("██████████ 100%")
    assert "%" not in shown[2], "nothing of nothing is no share"
    assert "██████▎     62%" in body(SAMPLE)


def test_bars_in_the_interface() -> None:
    (shown,) = table(SAMPLE, Size(60, 10))
    assert isinstance(shown, Static)


def test_files_and_programs_have_the_numbers(tmp_path: Path) -> None:
    name = save(SAMPLE, tmp_path, "classes")
    assert json.loads((tmp_path / name).read_text())["rows"][0] == ["cat", 8, 0.625]
    again = load(tmp_path / name)
    assert isinstance(again, Table) and [*again.shares] == [2] and [*again.rows[1]] == ["dog", 4, 1.0]


@pytest.mark.parametrize(
    ("shares", "cell", "words"),
    [((3,), 0.5, "not all among 2 columns"), ((1,), 1.5, "1.5 is not from 0 to 1"), ((1,), float("nan"), "nan")],
)
def test_what_is_no_share_is_refused(shares: tuple[int, ...], cell: float, words: str) -> None:
    with pytest.raises(SampleError, match=words):
        Table(name="t", headers=["a", "b"], rows=[["x", cell]], shares=shares).check()


def test_rows_of_a_damaged_file_may_have_any_width() -> None:
    ragged = Table(name="t", headers=["a", "b"], rows=[["x"], ["y", 1, 2], []], shares=(1,))
    lines = [line.split()[:1] for line in str(render(ragged, colour=False, width=40)).splitlines()]
    assert ["x"] in lines and ["y"] in lines

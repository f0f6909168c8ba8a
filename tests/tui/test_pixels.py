"""Pictures in a real terminal that has Sixel: the pixels themselves are looked at."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dlkit.events import Sampled, SampleRef
from dlkit.samples import Images, save
from recorded import record_run, write_events
from x_terminal import Frame, XTerm

DLKIT = str(Path(sys.executable).with_name("dlkit"))
SIDE = 12
INKS = ((200, 60, 120), (40, 160, 80))
"""Colours that nothing else on the screen has."""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A run with a sample: two pictures, each of one colour with a black mark in its midst."""
    run = record_run(tmp_path, 1)
    images = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    images[:] = np.array(INKS, np.uint8)[:, None, None]
    images[:, 4:8, 4:8] = 0
    file = save(Images(name="inks", images=images), run.samples, "step-00000100")
    ref = SampleRef(kind="images", name="inks", title="inks", file=f"samples/{file}")
    write_events(run, [Sampled(step=100, samples=[ref])], 20)
    return tmp_path


def places(frame: Frame, ink: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(frame.astype(int) - ink).max(axis=2) <= 4)  # Sixel's colours are in per cent


def square(frame: Frame, ink: tuple[int, int, int]) -> tuple[int, int, int] | None:
    """Where a picture is: its left, top and side; None while there is no whole one, pixel for pixel."""
    there = places(frame, ink)
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    if not len(rows):
        return None
    top, left, side = int(rows[0]), int(columns[0]), int(rows[-1] - rows[0] + 1)
    wanted = np.ones((SIDE, SIDE), bool)
    wanted[4:8, 4:8] = False
    found = there[top : top + side, left : left + side]
    if side % SIDE or not np.array_equal(found, wanted.repeat(side // SIDE, 0).repeat(side // SIDE, 1)):
        return None
    return left, top, side


def squares(frame: Frame) -> tuple[tuple[int, int, int], tuple[int, int, int]] | None:
    """Both pictures, beside each other and equally large."""
    one, other = (square(frame, ink) for ink in INKS)
    if one is None or other is None:
        return None
    return (one, other) if one[1:] == other[1:] and one[0] + one[2] <= other[0] else None


def gone(frame: Frame) -> bool:
    return not any(places(frame, ink).any() for ink in INKS)


@pytest.mark.slow
def test_samples_are_real_pixels_where_the_terminal_has_them(workspace: Path, tmp_path: Path) -> None:
    """At their place, gone with their screen, whole after a window was over them, and drawn anew for another size."""
    kept = {name: os.environ[name] for name in ("PATH", "DLKIT_CONFIG", "DLKIT_DISABLE") if name in os.environ}
    environment = {**kept, "DLKIT_WORKSPACE": str(workspace), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    with XTerm([DLKIT], environment) as terminal:
        terminal.wait_for(squares, "the newest sample, at home")
        terminal.press("Return")
        terminal.wait_for(gone, "the run's curves")
        terminal.press("s")
        first = terminal.wait_for(squares, "the samples")
        found = squares(first)
        assert found is not None
        (_, top, side), _ = found
        terminal.press("ctrl+p")
        terminal.wait_for(lambda frame: squares(frame) is None, "the palette over them")
        terminal.press("Escape")
        again = terminal.wait_for(squares, "the samples after the palette")
        assert np.array_equal(again[top : top + side], first[top : top + side]), "something of the palette stays"
        terminal.press("c")
        terminal.wait_for(gone, "the curves instead of the samples")
        terminal.press("s")
        assert squares(terminal.wait_for(squares, "the samples once more")) == found
        terminal.resize(first.shape[1] // 3, first.shape[0] // 4)
        terminal.wait_for(lambda frame: squares(frame) not in (None, found), "smaller samples")

"""Samples as widgets: one module for those of a kind, ``widgets`` for whichever it is."""

from __future__ import annotations

from pathlib import Path

from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from dlkit.runs.contents import load_sample
from dlkit.runs.folder import RunFolder
from dlkit.samples import Boxes, ConfusionMatrix, Curve, Images, Pairs, Plane, Sample, Scatter, Shaded, Table, Text
from dlkit.tui.shared.terminal import Pictures

Shown = Sample | str
"""A sample, or the line that says why there is none."""
PICTURED = (Images, Boxes, Plane)
"""Kinds that depend on what pictures the terminal can show."""


def read(run: RunFolder, file: str) -> Shown:
    """A stored sample. Reads files: call it from a thread."""
    try:
        return load_sample(run, file)
    # Whatever somebody's run may hold there: cut short, of a newer version, no sample at all.
    except Exception as error:
        what = str(error) if isinstance(error, (OSError, ValueError)) else f"{type(error).__name__}: {error}"
        return f"{Path(file).name} cannot be shown: {what.removeprefix(f'{run.path / file}: ')}"


def widgets(sample: Shown, room: Size, pictures: Pictures, *, colour: bool) -> list[Widget]:
    """What shows a sample in so many cells, the title first; it may be higher than ``room``, then it is scrolled."""
    if isinstance(sample, str):
        return [Static(sample, classes="trouble", markup=False)]
    title = Static(sample.title or sample.name, classes="title", markup=False)
    try:
        return [title, *_body(sample, Size(max(16, room.width), max(4, room.height - 1)), pictures, colour)]
    # A plugin filled the sample, as many captions as images or not.
    except Exception as error:
        return [title, Static(f"cannot be shown: {type(error).__name__}: {error}", classes="trouble", markup=False)]


def _body(sample: Sample, room: Size, pictures: Pictures, colour: bool) -> list[Widget]:
    from dlkit.tui.sample import matrices, planes, plots, words
    from dlkit.tui.sample import pictures as pictured

    match sample:
        case Images():
            return pictured.images(sample, room, pictures)
        case Boxes():
            return pictured.boxes(sample, room, pictures, colour)
        case Text():
            return words.text(sample, room)
        case Shaded():
            return words.shaded(sample, colour)
        case Pairs():
            return words.pairs(sample, room)
        case ConfusionMatrix():
            return matrices.confusion(sample, room, colour)
        case Table():
            return words.table(sample, room)
        case Curve():
            return plots.curve(sample, room, colour)
        case Scatter():
            return plots.scatter(sample, room, colour)
        case Plane():
            return planes.plane(sample, room, pictures, colour)
    raise ValueError(f"a kind of sample that this version does not know: {sample.kind}")

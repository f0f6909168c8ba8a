"""Samples of every kind, odd ones among them, for whatever shows them."""

from __future__ import annotations

import numpy as np

from dlkit.samples import (
    Box,
    Boxes,
    ConfusionMatrix,
    Curve,
    Images,
    Marks,
    Pairs,
    Plane,
    Sample,
    Scatter,
    Shaded,
    Table,
    Text,
)


def grey(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return (np.arange(np.prod(shape)) % 256).astype(np.uint8).reshape(shape)


SAMPLES: list[Sample] = [
    Images(name="grey", images=grey(5, 8, 8), captions=["1", "2", "3", "4", "5"], good=[True, False, True, True, True]),
    Images(name="odd colour", images=grey(3, 7, 9, 3)),
    Images(name="wide", images=grey(2, 300, 200, 3), captions=["a very long caption " * 20, "b"]),
    Images(name="none", images=grey(0, 8, 8)),
    Boxes(name="boxes", image=grey(60, 90), boxes=[Box(corners=(5, 5, 200, 40), label="cat", score=0.931)]),
    Boxes(name="no boxes", image=grey(6, 9, 3), boxes=[]),
    Text(name="text", prompt="Once", text="upon a time " * 40 + "\n\nthe end"),
    Shaded(
        name="shaded", pieces=["Once ", "upon", " a\n", "time" * 60], values=[float("nan"), 0.2, 0.9, 7], unit="bits"
    ),
    Shaded(name="both ways", pieces=["up", "down\n", "\n"], values=[0.75, -2, 0], limits=(-1.0, 1.0)),
    Shaded(name="no pieces", pieces=[], values=[]),
    Pairs(name="pairs", headers=["source", "model"], rows=[["le chat " * 30, "the cat " * 30], ["un", "one"]]),
    Pairs(name="compared", headers=["a", "b"], rows=[["the cat sat", "the dog sat"], ["", "x" * 90]], compared=(0, 1)),
    ConfusionMatrix(name="matrix", classes=["cat", "dog"], counts=[[9, 1], [0, 0]]),
    ConfusionMatrix(
        name="many",
        classes=[f"class {i}" for i in range(30)],
        counts=[[i * j for i in range(30)] for j in range(30)],
        images=grey(2, 8, 8, 3),
        cells=[(2, 1), (3, 3)],
        captions=["a", "b"],
    ),
    Table(name="table", headers=["what", "how many"], rows=[["a", 1], ["b", 2.34567], ["c", float("nan")]]),
    Table(name="empty", headers=["what"], rows=[]),
    Curve(name="curve", x=[0, 1, 2], lines={"loss": [3.0, 1.0, 2.0]}, x_label="step"),
    Curve(name="curves", x=[0, 1, 2], lines={"true": [3.0, 1.0, 2.0], "predicted": [1.0, float("nan"), 2.0]}),
    Curve(name="one point", x=[5], lines={"loss": [3.0]}),
    Curve(name="nothing", x=[], lines={"loss": []}),
    Curve(name="huge", x=[0, 1], lines={"loss": [-1.7e308, 1.7e308]}),
    Scatter(name="scatter", x=[0, 1, 2], y=[2, 1, 0]),
    Scatter(name="labelled", x=[0, 1, 2], y=[2, 1, 0], labels=["cat", "dog", "cat"]),
    Plane(
        name="plane",
        image=grey(30, 48, 3),
        x_range=(-1.234, 1),
        y_range=(0, 2),
        note="low " * 80,
        x_label="x",
        marks=[
            Marks(x=[0], y=[1], colour=(9, 9, 9), name="here " * 9),
            Marks(x=[0, 1], y=[1, 1], colour=(0, 0, 9), joined=True),
        ],
    ),
    Plane(name="tall", image=grey(90, 3, 3), x_range=(0, 1), y_range=(0, 1)),
]

"""An example of the tables that ``files`` reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlkit.data.example import Example
from dlkit.data.seeds import rng


def write(folder: Path) -> Example:
    """160 flowers of two kinds, whose petals lie in two bent clouds."""
    generator = rng(0, "example")
    lines = ["length,width,kind"]
    for index in range(160):
        angle, kind = generator.uniform(0, np.pi), index % 2
        bent = np.array([np.cos(angle), np.sin(angle)]) * (1 - 2 * kind) + [kind, 0.5 * kind]
        length, width = np.array([4.0, 2.0]) + bent + 0.1 * generator.normal(size=2)
        lines.append(f"{length:.2f},{width:.2f},{'iris' if kind else 'tulip'}")
    (folder / "flowers.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    what = "a header, then a row a point: two columns of numbers, and the class as a word"
    return Example({"path": str(folder / "flowers.csv")}, {"flowers.csv": what})

"""How distributions inside a network change over a run's training, from its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dlkit.events import Sampled
from dlkit.present.distribution import ACTIVATIONS, GRADIENTS, WIDTH, Spread, spreads
from dlkit.runs.contents import load_sample
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images

WORDS = {ACTIVATIONS: "activations", GRADIENTS: "gradients"}
"""The samples that hold distributions, and what they are of."""


@dataclass(frozen=True, eq=False)
class Course:
    """``steps`` ascending; ``shares`` [N,B]: how often values occur at each, 0 to 1, in B equal parts from ``low`` to
    ``high``; these are logarithms to base 10 if ``decades``. ``medians`` [N] are values themselves."""

    steps: npt.NDArray[np.int64]
    medians: npt.NDArray[np.float64]
    shares: npt.NDArray[np.float64]
    low: float
    high: float
    decades: bool


class Distributions:
    """``read`` in a thread, whenever there may be more samples; ``courses`` by name (``layers/gradients/conv1``) are
    those of the last reading."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.courses: dict[str, Course] = {}
        self._read: dict[str, tuple[int, str, list[Spread]]] = {}
        """By file: step, kind and what is drawn there."""

    def read(self, sampled: Sequence[Sampled]) -> bool:
        """Whether there is anything new."""
        there = {ref.file: (event.step, ref.name) for event in sampled for ref in event.samples if ref.name in WORDS}
        new = [file for file in there if file not in self._read]
        gone = [file for file in self._read if file not in there]
        for file in gone:
            del self._read[file]
        for file in new:
            self._read[file] = (*there[file], self._spreads(file))
        if new or gone:
            self.courses = _courses(list(self._read.values()))
        return bool(new or gone)

    def _spreads(self, file: str) -> list[Spread]:
        try:
            sample = load_sample(self.run, file)
            return spreads(sample) if isinstance(sample, Images) else []
        # Whatever somebody's run may hold there: the samples' own pane says what is wrong with it.
        except Exception:
            return []


def _courses(read: Sequence[tuple[int, str, Sequence[Spread]]]) -> dict[str, Course]:
    found: dict[tuple[str, str], dict[int, Spread]] = {}
    for step, kind, drawn in sorted(read, key=lambda one: one[0]):
        for spread in drawn:
            found.setdefault((kind, spread.name), {})[step] = spread
    return {f"layers/{WORDS[kind]}/{name}": _course(steps, kind) for (kind, name), steps in found.items()}


def _course(found: dict[int, Spread], kind: str) -> Course:
    """All on the widest of their axes."""
    low, high = min(s.low for s in found.values()), max(s.high for s in found.values())
    edges = np.linspace(low, high, WIDTH + 1)
    middle = np.array([spread.median for spread in found.values()])
    decades = kind == GRADIENTS
    rows = np.stack([spread.between(edges) for spread in found.values()])
    return Course(np.array(list(found), np.int64), 10.0**middle if decades else middle, rows, low, high, decades)

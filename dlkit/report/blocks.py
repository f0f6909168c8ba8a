"""What a report is made of, before it is a page or Markdown: parts with a title, and in them blocks of a few kinds.

Texts are anybody's (a run's folder may come from anywhere): who writes them into a document cleans and escapes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dlkit.monitor.clock import seconds_at
from dlkit.monitor.history import Series
from dlkit.monitor.moments import Moment
from dlkit.present.parallel import Ways
from dlkit.samples import Sample

Floats = npt.NDArray[np.float64]
NO_CLOCK = Series(np.empty(0, np.int64), np.empty(0))


@dataclass(frozen=True)
class Words:
    """A paragraph; ``quiet``: less important than what it stands by."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Facts:
    """Names with what there is of each; what is empty is left out."""

    rows: Mapping[str, str]

    @property
    def told(self) -> dict[str, str]:
        return {name: text for name, text in self.rows.items() if text}


@dataclass(frozen=True)
class Grid:
    """A table; ``strong`` has the (row, column) of cells that stand out, ``folded`` a title: shown when asked for."""

    headers: Sequence[str]
    rows: Sequence[Sequence[object]]
    strong: frozenset[tuple[int, int]] = frozenset()
    folded: str = ""


@dataclass(frozen=True)
class Listing:
    """Words for a machine: a command, a traceback."""

    text: str


@dataclass(frozen=True)
class Line:
    """``x`` ascending, ``y`` as many; between ``low`` and ``high``, as many too, lies a band.

    Where ``x`` are steps of one run, ``clock`` has known steps with the seconds of training at which they were reached,
    and an epoch has ``epoch_steps``: empty, and 0, where that is not known."""

    name: str
    x: npt.NDArray[np.int64] | Floats
    y: Floats
    low: Floats = field(default_factory=lambda: np.empty(0))
    high: Floats = field(default_factory=lambda: np.empty(0))
    epoch_steps: int = 0
    clock: Series = field(default_factory=lambda: NO_CLOCK)

    @property
    def seconds(self) -> Floats:
        """Those of training at each ``x``; empty if not known."""
        return seconds_at(self.clock, self.x.astype(np.int64)) if len(self.clock.steps) else np.empty(0)


@dataclass(frozen=True)
class Chart:
    """Lines over one axis. ``log``: the vertical axis begins as a logarithmic one; ``moments`` are marked on it."""

    title: str
    lines: Sequence[Line]
    x_label: str = "step"
    log: bool = False
    moments: Sequence[Moment] = ()


@dataclass(frozen=True)
class Charts:
    """Several that belong together; ``folded`` as in ``Grid``."""

    charts: Sequence[Chart]
    folded: str = ""


@dataclass(frozen=True)
class Shot:
    """A sample of one step. ``load`` reads it, and raises whatever a damaged file makes it raise."""

    step: int
    load: Callable[[], Sample]


@dataclass(frozen=True)
class Film:
    """A sample through the training, oldest first."""

    name: str
    title: str
    shots: Sequence[Shot]


Block: TypeAlias = Words | Facts | Grid | Listing | Charts | Ways | Film


@dataclass(frozen=True)
class Part:
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """``lead``: the answer first, a line each. ``made`` says of what and by what it was written."""

    title: str
    lead: Sequence[str]
    parts: Sequence[Part]
    made: str = ""

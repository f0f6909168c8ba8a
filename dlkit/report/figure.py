"""Charts as a figure for a paper: PNG, SVG or PDF, by matplotlib, which is imported when one is drawn."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlkit.errors import UsageError
from dlkit.present.graphs import COLOURS
from dlkit.report.blocks import Chart
from dlkit.report.thinning import thinned
from dlkit.steering import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg", ".pdf")
_INCHES, _DOTS = (5.0, 3.4), 200
_UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
_POINTS = 3000
"""Columns of a line: more than any printer shows; a million points would make an SVG of 20 MB."""
_STYLE: Any = {"text.parse_math": False, "svg.hashsalt": "dlkit", "svg.fonttype": "none", "font.size": 9.0}
"""A dollar in a name is a dollar; equal charts give equal files; letters of an SVG stay letters."""


def figure(charts: Sequence[Chart], form: str) -> bytes:
    """The charts beside one another, as ``png``, ``svg`` or ``pdf``. UsageError: matplotlib is not installed."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        hint = "pip install 'dlkit[plots]'; a report (-o FILE.html) needs nothing"
        raise UsageError(f"a picture needs matplotlib: {hint}").hinting(hint) from error
    columns = 1 if len(charts) == 1 else 2
    rows = math.ceil(len(charts) / columns)
    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a letter that its font lacks is a box
        whole = Figure((columns * _INCHES[0], rows * _INCHES[1]), layout="constrained")
        for place, chart in enumerate(charts):
            _draw(whole.add_subplot(rows, columns, place + 1), chart)
        file = io.BytesIO()
        whole.savefig(file, format=form, dpi=_DOTS, metadata=_UNDATED.get(form))
    return file.getvalue()


def _draw(axes: Axes, chart: Chart) -> None:
    for place, line in enumerate(chart.lines):
        kept = thinned(line.x, line.y, _POINTS)
        red, green, blue = COLOURS[place % len(COLOURS)]
        colour = (red / 255, green / 255, blue / 255)
        # What begins with an underscore would not be in the legend.
        name = one_line(line.name)
        axes.plot(line.x[kept], line.y[kept], color=colour, label=f" {name}" if name.startswith("_") else name,
                  marker="o" if len(kept) == 1 else None, linewidth=1.3)  # fmt: skip
        if len(line.low):
            axes.fill_between(line.x[kept], line.low[kept], line.high[kept], color=colour, alpha=0.18, linewidth=0)
    axes.set_xlabel(one_line(chart.x_label))
    axes.set_ylabel(one_line(chart.title))
    if chart.log:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if len(chart.lines) > 1:
        axes.legend(frameon=False)

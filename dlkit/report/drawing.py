"""Charts as SVG, without scripts: what stands in Markdown, and in a page until its script draws them anew."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np
import numpy.typing as npt

from dlkit.present.graphs import COLOURS
from dlkit.present.numbers import number
from dlkit.report.blocks import Chart, Floats, Line
from dlkit.report.thinning import thinned
from dlkit.steering import one_line

WIDTH, HEIGHT = 640, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 26, 34
"""Around the plot, in pixels."""
LETTER = 6.6
"""How wide a letter of the legend is, about."""
_ODD = 4
"""Half the side of the triangle that stands where a value is not finite."""
STYLE = """text { font: 12px system-ui, sans-serif; fill: #333; } .grid { stroke: #ddd; }
.moment { stroke: #999; stroke-dasharray: 3 3; } path { fill: none; stroke-width: 1.5; stroke-linecap: round; }
.band { fill-opacity: .18; } .name { font-weight: bold; } .way { stroke: #bbb; } .way.line { stroke-width: 2.5; }
.axis { stroke: #333; }
"""
"""How a chart looks in a file of its own; a page knows light and dark, and says it itself."""


@dataclass(frozen=True)
class Axis:
    """From values to pixels. ``low`` < ``high``, powers of ten of them where it is logarithmic."""

    low: float
    high: float
    first: float
    last: float
    log: bool = False

    def at(self, values: Floats) -> Floats:
        """NaN for what has no place. Made small first, since a difference of huge values overflows."""
        with np.errstate(divide="ignore", invalid="ignore"):
            shown = np.where(values > 0, np.log10(values), np.nan) if self.log else values
            scale = max(abs(self.low), abs(self.high)) or 1.0
            share = (shown / scale - self.low / scale) / (self.high / scale - self.low / scale)
            found: Floats = self.first + share * (self.last - self.first)
        return found

    def ticks(self) -> list[float]:
        """Round numbers, about five."""
        if self.log and self.high - self.low >= 1:
            step = max(1, math.ceil((self.high - self.low) / 5))
            # Above the largest values there is room, where no float is.
            return [10.0**power for power in range(math.ceil(self.low), min(math.floor(self.high), 308) + 1, step)]
        if self.log:
            inner = Axis(10.0**self.low, 10.0 ** min(self.high, 308.0), 0, 1)
            return inner.ticks()
        rough = (self.high / 5) - (self.low / 5)
        power = 10.0 ** math.floor(math.log10(rough))
        apart = next(power * m for m in (1, 2, 5, 10) if power * m >= rough)
        start = math.ceil(self.low / apart - 1e-9)
        return list(takewhile(lambda value: value <= self.high + apart * 1e-9, ((start + i) * apart for i in count())))


def svg(chart: Chart, *, alone: bool = False) -> str:
    """The chart; ``alone``: as a file of its own, on white paper, with its title and its lines' names."""
    axes = _axes(chart)
    if axes is None:
        parts = [f'<text x="{LEFT}" y="{HEIGHT // 2}">no finite values</text>']
    else:
        across, up = axes
        lines = [part for place, line in enumerate(chart.lines) for part in _line(line, place, across, up)]
        parts = [*_grid(across, up, chart.x_label), *_moments(chart, across), *lines]
    around = [paper(), *_legend(chart)] if alone else []
    return opened(description(chart), [*around, *parts])


def opened(label: str, parts: Sequence[str]) -> str:
    """A picture of these parts, with ``label`` for whoever cannot see it."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    return f'{head} aria-label="{escaped(label)}">{"".join(parts)}</svg>'


def paper() -> str:
    """What a picture that is a file of its own begins with: its style, and white."""
    colours = "".join(
        f".line.c{i} {{ stroke: {c}; }} :not(.line).c{i} {{ fill: {c}; }}" for i, c in enumerate(map(_hex, COLOURS))
    )
    return f'<style>{STYLE}{colours}</style><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def description(chart: Chart) -> str:
    """For whoever cannot see it."""
    found = []
    for line in chart.lines:
        values = line.y[np.isfinite(line.y)]
        if len(values):
            found.append(f"{line.name} from {number(values[0])} to {number(values[-1])}, between "
                         f"{number(values.min())} and {number(values.max())}")  # fmt: skip
    return f"{chart.title} by {chart.x_label}: {'; '.join(found) or 'no finite values'}"


def _axes(chart: Chart) -> tuple[Axis, Axis] | None:
    """None where there is nothing to draw."""
    xs = np.concatenate([np.asarray(line.x, np.float64) for line in chart.lines] or [np.empty(0)])
    ys = np.concatenate([part for line in chart.lines for part in (line.y, line.low, line.high)] or [np.empty(0)])
    ys = ys[np.isfinite(ys)]
    ys = ys[ys > 0] if chart.log else ys
    xs = xs[np.isfinite(xs)]
    if not len(xs) or not len(ys):
        return None
    low, high = (np.log10([ys.min(), ys.max()]) if chart.log else np.array([ys.min(), ys.max()])).tolist()
    across = Axis(*_apart(float(xs.min()), float(xs.max())), LEFT, WIDTH - RIGHT)
    return across, Axis(*_roomy(low, high), HEIGHT - BOTTOM, TOP, chart.log)


def _apart(low: float, high: float) -> tuple[float, float]:
    """Two ends between which there is something."""
    if low < high:
        return low, high
    by = abs(low) * 0.1 or 0.5
    return low - by, high + by


def _roomy(low: float, high: float) -> tuple[float, float]:
    """A little more than the values take, as far as floats go."""
    low, high = _apart(low, high)
    room = 0.04 * (high / 2 - low / 2)
    most = np.finfo(np.float64).max / 4
    return max(low - room, -most), min(high + room, most)


def _grid(across: Axis, up: Axis, x_label: str) -> Iterator[str]:
    for value, y in zip(up.ticks(), up.at(np.array(up.ticks())).tolist(), strict=True):
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{number(value)}</text>'
    for value, x in zip(across.ticks(), across.at(np.array(across.ticks())).tolist(), strict=True):
        yield f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle">{number(value)}</text>'
    yield f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end">{escaped(x_label)}</text>'


def _moments(chart: Chart, across: Axis) -> Iterator[str]:
    for moment in chart.moments:
        (x,) = across.at(np.array([float(moment.step)])).tolist()
        if LEFT <= x <= WIDTH - RIGHT:
            line = f'<path class="moment" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}">'
            yield f"{line}<title>{escaped(moment.text)}</title></path>"


def _line(line: Line, place: int, across: Axis, up: Axis) -> Iterator[str]:
    kept, colour = thinned(line.x, line.y, WIDTH), f"c{place % len(COLOURS)}"
    x = across.at(np.asarray(line.x, np.float64)[kept])
    if len(line.low):
        yield from _band(x, up.at(line.low[kept]), up.at(line.high[kept]), colour)
    values = line.y[kept]
    y = up.at(values)
    drawn = np.isfinite(x) & np.isfinite(y)
    if drawn.sum() == 1:
        yield f'<circle class="{colour}" cx="{x[drawn][0]:.1f}" cy="{y[drawn][0]:.1f}" r="3"/>'
    elif drawn.any():
        yield f'<path class="line {colour}" d="{_path(x, y, drawn)}"/>'
    for px, value in zip(x.tolist(), values.tolist(), strict=True):
        if not math.isfinite(value):
            yield _odd(px, value, colour)


def _path(x: Floats, y: Floats, drawn: npt.NDArray[np.bool_]) -> str:
    """Broken where there is nothing to draw; a point that stands alone is a dot."""
    parts, joined = [], False
    for px, py, there in zip(x.tolist(), y.tolist(), drawn.tolist(), strict=True):
        if there:
            parts.append(f"L{px:.1f} {py:.1f}" if joined else f"M{px:.1f} {py:.1f}h0")
        joined = there
    return "".join(parts)


def _odd(x: float, value: float, colour: str) -> str:
    """Infinity at the top, what is no number at the bottom, as the interface has them."""
    y, way = (TOP, 1) if value == math.inf else (HEIGHT - BOTTOM, -1)
    return f'<path class="{colour}" d="M{x:.1f} {y}l{_ODD} {2 * way * _ODD}h-{2 * _ODD}z"><title>{value}</title></path>'


def _band(x: Floats, low: Floats, high: Floats, colour: str) -> Iterator[str]:
    known = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    if known.sum() > 1:
        edges = [*zip(x[known].tolist(), high[known].tolist(), strict=True),
                 *zip(x[known][::-1].tolist(), low[known][::-1].tolist(), strict=True)]  # fmt: skip
        points = "L".join(f"{px:.1f} {py:.1f}" for px, py in edges)
        yield f'<path class="band {colour}" d="M{points}Z"/>'


def _legend(chart: Chart) -> Iterator[str]:
    """The title, and each line's name in its colour. A page writes both beside the chart."""
    yield f'<text class="name" x="6" y="16">{escaped(chart.title)}</text>'
    x = max(float(LEFT), 6 + (len(chart.title) + 3) * LETTER * 1.1)
    for place, line in enumerate(chart.lines):
        yield f'<text class="c{place % len(COLOURS)}" x="{x:.0f}" y="16">{escaped(line.name)}</text>'
        x += (len(line.name) + 2) * LETTER


def escaped(text: str) -> str:
    """Anybody's text within SVG."""
    return html.escape(one_line(text))

"""Parallel coordinates as SVG, without scripts: an upright axis an option, a line a setting."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.present.parallel import Axis, Path, Ways
from dlkit.report.drawing import HEIGHT, LETTER, WIDTH, escaped, opened, paper

TOP, BOTTOM, SIDE, LAST = 40, 28, 12, 90
"""Around the axes, in pixels; behind the last one its ticks have room."""
_LACKING = HEIGHT - 8
"""Where a setting passes that lacks an option."""


def ways_svg(found: Ways, *, alone: bool = False) -> str:
    """``alone``: as a file of its own, on white paper, with its title."""
    apart = (WIDTH - SIDE - LAST) / max(1, len(found.axes) - 1)
    columns = [SIDE + apart * i for i in range(len(found.axes))]
    paths = sorted(found.paths, key=lambda path: path.best)
    parts = [*(_path(path, columns) for path in paths), *_axes(found, columns, apart)]
    around = [paper(), f'<text class="name" x="6" y="16">{escaped(found.title)}</text>'] if alone else []
    return opened(found.title, [*around, *parts])


def _axes(found: Ways, columns: list[float], apart: float) -> Iterator[str]:
    for axis, x in zip(found.axes, columns, strict=True):
        last = x == columns[-1]
        yield f'<path class="axis" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        yield f'<text class="name" x="{x:.1f}" y="{TOP - 8}">{_cut(axis.title, LAST if last else apart)}</text>'
        yield from _ticks(axis, x, (LAST if last else apart) - 4)
    if any(place is None for path in found.paths for place in path.places):
        yield f'<text x="{SIDE}" y="{_LACKING - 4}">has no such option</text>'


def _ticks(axis: Axis, x: float, room: float) -> Iterator[str]:
    """As far as each has a line of its own; the ends first."""
    taken: list[float] = []
    for place, text in [*axis.ticks[:1], *axis.ticks[-1:], *axis.ticks[1:-1]]:
        y = _up(place) + 4
        if all(abs(y - other) > 12 for other in taken):
            taken.append(y)
            yield f'<text x="{x + 4:.1f}" y="{y:.1f}">{_cut(text, room)}</text>'


def _path(path: Path, columns: list[float]) -> str:
    points = "L".join(
        f"{x:.1f} {_LACKING if place is None else _up(place):.1f}"
        for x, place in zip(columns, path.places, strict=True)
    )
    title = f"<title>{escaped(path.name)}</title>" if path.name else ""
    return f'<path class="way{" line c0" if path.best else ""}" d="M{points}">{title}</path>'


def _up(place: float) -> float:
    return HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP)


def _cut(text: str, room: float) -> str:
    """As much of it as there is room for."""
    most = max(3, int(room / LETTER))
    return escaped(text if len(text) <= most else f"{text[: most - 1]}…")

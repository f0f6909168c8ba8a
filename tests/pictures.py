"""Pictures of the interface as SVG, and their comparison with those that were looked at and kept."""

from __future__ import annotations

import os
from collections.abc import Iterable
from html import escape
from pathlib import Path

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App

WIDTH, HEIGHT = 8, 17
"""Of a cell, in pixels."""
UPDATE = "DLKIT_UPDATE_PICTURES"


def compare(app: App[object], kept: Path, drawn: Path) -> None:
    """AssertionError if what is on the screen is not what ``kept`` shows; the picture is then in ``drawn``. With
    ``DLKIT_UPDATE_PICTURES`` set, it is kept instead: look at it before you commit it."""
    picture = draw(app)
    if os.environ.get(UPDATE):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(picture, encoding="utf-8")
    there = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    if picture.splitlines() != there:
        drawn.write_text(picture, encoding="utf-8")
        changed = [line for line in picture.splitlines() if line not in there]
        raise AssertionError(
            f"the screen is not as in {kept} (it is in {drawn}; {UPDATE}=1 keeps it):\n" + "\n".join(changed[:10])
        )


def draw(app: App[object]) -> str:
    """The screen: a line of SVG for each run of cells with one style. Wholly a function of what is shown."""
    size = app.size
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size.width * WIDTH} {size.height * HEIGHT}" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13.3">'
    ]
    return "\n".join([*lines, *lines_of(app), "</svg>"]) + "\n"


def lines_of(app: App[object]) -> list[str]:
    """Every line of the screen as SVG."""
    strips = app.screen._compositor.render_strips()
    return ["\n".join(_row(row, strip)) for row, strip in enumerate(strips)]


def _row(row: int, segments: Iterable[Segment]) -> Iterable[str]:
    column = 0
    for segment in Segment.simplify(segments):
        text, style, width = segment.text, segment.style or Style.null(), cell_len(segment.text)
        front, back = _colours(style)
        x, y = column * WIDTH, row * HEIGHT
        yield f'<rect x="{x}" y="{y}" width="{width * WIDTH}" height="{HEIGHT}" fill="{back}"/>'
        if text.strip():
            looks = "".join(f' {name}="{value}"' for name, value in _looks(style))
            yield (
                f'<text x="{x}" y="{y + 13}" textLength="{width * WIDTH}" xml:space="preserve" fill="{front}"{looks}>'
                f"{escape(text)}</text>"
            )
        column += width


def _colours(style: Style) -> tuple[str, str]:
    front, back = (
        color.get_truecolor(foreground=fore).hex if color is not None and not color.is_default else other
        for color, fore, other in ((style.color, True, "#e0e0e0"), (style.bgcolor, False, "#121212"))
    )
    return (back, front) if style.reverse else (front, back)


def _looks(style: Style) -> Iterable[tuple[str, str]]:
    if style.bold:
        yield "font-weight", "bold"
    if style.italic:
        yield "font-style", "italic"
    if style.underline:
        yield "text-decoration", "underline"
    if style.dim:
        yield "opacity", "0.6"

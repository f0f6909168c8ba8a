"""Samples as text for a terminal, with 24-bit colour where there is colour."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dlkit.present import confusion, plane, plot
from dlkit.present.differences import compared
from dlkit.present.half_blocks import Pixels, fitted, half_blocks, rgb
from dlkit.present.numbers import number
from dlkit.present.shades import BLACK, Shade, shades
from dlkit.present.shares import barred
from dlkit.present.table import table
from dlkit.present.text import Painted, clean
from dlkit.samples import Box, Boxes, ConfusionMatrix, Curve, Images, Pairs, Plane, Sample, Scatter, Shaded, Table, Text
from dlkit.steering import one_line

WRONG = "✗"
CAPTION = 14
"""Columns that an image narrower than its caption is widened to at most."""
ROLE_COLOURS = {"true": (0, 200, 0), "predicted": (255, 200, 0), "missed": (80, 140, 255), "false": (255, 60, 60)}


def render(sample: Sample, *, colour: bool, width: int, height: int | None = None) -> Painted:
    """A sample as lines of at most ``width`` characters; without ``colour`` no escapes, and captions for images.

    ``height``: at most so many lines, title and a line that says what was left out among them. Pictures are made
    smaller for it, and of a grid as many rows shown as there is room for.
    """
    lines = None if height is None else max(height, 4) - 1
    body = _RENDERERS[sample.kind](sample, colour, max(width, 20), lines)
    shown = one_line(sample.title or sample.name)
    title = shown if height is None else _cut(shown, width)
    return Painted(f"{_styled(title, 1) if colour else title}\n{_first_lines(body, lines)}")


def _first_lines(body: str, most: int | None) -> str:
    lines = body.split("\n")
    if most is None or len(lines) <= most:
        return body
    return "\n".join([*lines[: most - 1], f"… and {len(lines) - most + 1} more lines"])


def _styled(text: str, *codes: int) -> str:
    return f"\x1b[{';'.join(map(str, codes))}m{text}\x1b[0m"


def _images(sample: Images, colour: bool, width: int, most: int | None) -> str:
    captions = [one_line(c) for c in sample.captions] or [""] * len(sample.images)
    good = list(sample.good) or [True] * len(captions)
    marked = [caption if fine else f"{WRONG} {caption}" for caption, fine in zip(captions, good, strict=True)]
    if not colour:
        shown = [f"{i + 1}. {caption}".rstrip() for i, caption in enumerate(marked)]
        return _in_columns(shown, width) or "(no images)"
    below = int(any(marked))
    high = None if most is None else 2 * max(1, most - below - 1)
    pictures = [fitted(rgb(image), width, high) for image in sample.images]
    cell = max([p.shape[1] for p in pictures] + [min(len(caption), CAPTION) for caption in marked], default=1)
    across = max(1, min(sample.columns, (width + 1) // (cell + 1)))
    rows = [
        _image_row(pictures[i : i + across], marked[i : i + across], good[i : i + across], cell)
        for i in range(0, len(pictures), across)
    ]
    there = len(rows) if most is None or not rows else max(1, (most - 1) // (rows[0].count("\n") + 1))
    more = len(pictures) - across * there
    return "\n".join([*rows[:there], *([f"… and {more} more"] if more > 0 else [])]) or "(no images)"


def _image_row(pictures: Sequence[Pixels], captions: Sequence[str], good: Sequence[bool], cell: int) -> str:
    gaps = [" " * (cell + 1 - p.shape[1]) for p in pictures]
    rows = zip(*map(half_blocks, pictures), strict=True)
    lines = ["".join(part + gap for part, gap in zip(parts, gaps, strict=True)).rstrip() for parts in rows]
    if any(captions):
        cells = [_cut(caption, cell).ljust(cell) for caption in captions]
        lines.append(" ".join(c if fine else _styled(c, 31) for c, fine in zip(cells, good, strict=True)))
    return "\n".join(lines)


def _boxes(sample: Boxes, colour: bool, width: int, most: int | None) -> str:
    lines = [_box_line(box) for box in sample.boxes] or ["(no boxes)"]
    if not colour:
        return "\n".join(_cut(line, width) for line in lines)
    full = rgb(np.asarray(sample.image))
    picture = fitted(full, width, None if most is None else 2 * max(1, most - min(len(lines), most // 2))).copy()
    for box in sample.boxes:
        _draw(picture, box, picture.shape[1] / full.shape[1])
    painted = [
        _styled(_cut(line, width), 38, 2, *ROLE_COLOURS.get(box.role, (255, 255, 255)))
        for line, box in zip(lines, sample.boxes, strict=False)
    ]
    return "\n".join([*half_blocks(picture), *(painted or lines)])


def _box_line(box: Box) -> str:
    x1, y1, x2, y2 = box.corners
    score = "" if box.score is None else f" {box.score:.2f}"
    return f"{one_line(box.role):9} {one_line(box.label)}{score} ({x1:.0f}, {y1:.0f})–({x2:.0f}, {y2:.0f})"


def _draw(picture: Pixels, box: Box, scale: float) -> None:
    height, width = picture.shape[:2]
    limits = np.array([width - 1, height - 1] * 2)
    x1, y1, x2, y2 = np.clip(np.rint(np.array(box.corners) * scale).astype(int), 0, limits)
    shade = ROLE_COLOURS.get(box.role, (255, 255, 255))
    picture[[y1, y2], x1 : x2 + 1] = shade
    picture[y1 : y2 + 1, [x1, x2]] = shade


def _text(sample: Text, colour: bool, width: int, most: int | None) -> str:
    prompt = clean(sample.prompt)
    if prompt and not colour:
        return f"prompt: {_wrapped(prompt, width - 8)}\n{_wrapped(clean(sample.text), width)}"
    head = f"{_styled(_wrapped(prompt, width), 2)}\n" if prompt else ""
    return head + _wrapped(clean(sample.text), width)


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.fill(line, max(10, width), replace_whitespace=False) for line in text.split("\n"))


def _shaded(sample: Shaded, colour: bool, width: int, most: int | None) -> str:
    found = shades([clean(piece) for piece in sample.pieces], sample.values, (sample.limits[0], sample.limits[1]))
    scale = f"from {number(sample.limits[0])} to {number(sample.limits[1])} {one_line(sample.unit)}".rstrip()
    if not colour:
        return f"{_wrapped(''.join(shade.marked for shade in found), width)}\n{_cut(f'[…]: {scale}', width)}"
    return f"{_coloured(found, width)}\n{_styled(_cut(scale, width), 2)}"


def _coloured(found: Iterable[Shade], width: int) -> str:
    """Lines of at most ``width`` characters; a line end has the colour of its piece, as a sign."""
    made, column = [], 0
    for shade in found:
        for character in shade.text.replace("\n", "↵\n"):
            if character != "\n":
                if column == width:
                    made.append("\n")
                    column = 0
                on = shade.background
                made.append(character if on is None else _styled(character, 38, 2, *BLACK, 48, 2, *on))
                column += 1
            else:
                made.append("\n")
                column = 0
    return "".join(made).rstrip("\n")


def _table(sample: Table | Pairs, colour: bool, width: int, most: int | None) -> str:
    headers = [one_line(header) for header in sample.headers]
    # A damaged file may have rows of any width.
    wide = [[*row, *[""] * len(headers)][: len(headers)] for row in barred(sample)]
    rows = [[one_line(c) if isinstance(c, str) else _plain(c) for c in row] for row in wide]
    if not rows:
        return "  ".join(headers) + "\n(no rows)"
    room = _room(headers, rows, width)
    cut = [[_cut(c, w) if isinstance(c, str) else c for c, w in zip(row, room, strict=True)] for row in rows]
    return "\n".join(_cut(line, width) for line in table(headers, cut).split("\n"))


def _pairs(sample: Pairs, colour: bool, width: int, most: int | None) -> str:
    """As a table; of two columns that are compared, words of the second that the first lacks are in brackets."""
    if not sample.compared:
        return _table(sample, colour, width, most)
    one, other = sample.compared
    rows = [list(row) for row in sample.rows]
    for row in rows:
        row[other] = "".join(f"[{word}]" if differs else word for word, differs in compared(row[one], row[other])[1])
    return _table(replace(sample, rows=rows), colour, width, most)


def _confusion(sample: ConfusionMatrix, colour: bool, width: int, most: int | None) -> str:
    found = confusion.lines(sample, colour=colour)
    fits = [line for line in found if sum(len(text) for text, *_ in line) <= width]
    if len(fits) == len(found):
        return "\n".join(_painted(line) if colour else "".join(text for text, *_ in line) for line in found)
    counts = [(count, true, there) for true, row in enumerate(sample.counts) for there, count in enumerate(row)]
    worst = sorted((cell for cell in counts if cell[0] and cell[1] != cell[2]), reverse=True)
    rows = [(sample.classes[true], sample.classes[there], count) for count, true, there in worst]
    return _table(Table(name="", headers=["true", "predicted", "count"], rows=rows), colour, width, most)


def _plain(cell: object) -> object:
    return cell.item() if isinstance(cell, np.generic) else cell


def _room(headers: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> list[int]:
    """How wide each column may be: the widest give way first, until all fit."""
    room = [max([len(h), *(len(cell) for r in rows if isinstance(cell := r[i], str))]) for i, h in enumerate(headers)]
    while sum(room) + 2 * (len(room) - 1) > width and max(room) > 8:
        room[room.index(max(room))] -= 1
    return room


def _curve(sample: Curve, colour: bool, width: int, most: int | None) -> str:
    labels = one_line(sample.x_label), one_line(sample.y_label)
    lines = {one_line(name): values for name, values in sample.lines.items()}
    return plot.curve(sample.x, lines, labels, colour=colour, width=width, height=_plot_height(most))


def _scatter(sample: Scatter, colour: bool, width: int, most: int | None) -> str:
    labels = one_line(sample.x_label), one_line(sample.y_label)
    names = [one_line(name) for name in sample.labels]
    return plot.scatter(sample.x, sample.y, names, labels, colour=colour, width=width, height=_plot_height(most))


def _plot_height(most: int | None) -> int:
    """Lines of a plot between its legend and its axis."""
    return plot.HEIGHT if most is None else max(3, min(plot.HEIGHT, most - 4))


def _plane(sample: Plane, colour: bool, width: int, most: int | None) -> str:
    if colour:
        runs = plane.drawn(sample, min(width, _WIDEST), _HIGHEST if most is None else min(most, _HIGHEST))
        return "\n".join(_painted(line) for line in runs)
    return plane.in_black_and_white(sample, min(width, _WIDEST), _LINES if most is None else min(most, _LINES))


def _painted(line: Sequence[plane.Run]) -> str:
    """One line; the colours end with it."""
    text, last = [], (plane.OWN, plane.OWN)
    for characters, *colours in line:
        codes = [
            f"{code};2;{now >> 16};{now >> 8 & 255};{now & 255}" if now != plane.OWN else own
            for now, before, code, own in zip(colours, last, (38, 48), ("39", "49"), strict=True)
            if now != before
        ]
        text.append(f"\x1b[{';'.join(codes)}m{characters}" if codes else characters)
        last = colours[0], colours[1]
    return "".join(text) + ("\x1b[0m" if last != (plane.OWN, plane.OWN) else "")


_WIDEST, _HIGHEST, _LINES = 100, 40, 20
"""Columns and lines of a plane, for a window of any size; lines of one without colour."""


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _in_columns(items: Sequence[str], width: int) -> str:
    """Short items side by side, row by row."""
    cell = min(width, max(map(len, items), default=0) + 2)
    across = max(1, width // cell) if cell else 1
    rows = [items[i : i + across] for i in range(0, len(items), across)]
    return "\n".join("".join(_cut(item, cell).ljust(cell) for item in row).rstrip() for row in rows)


_RENDERERS: dict[str, Callable[[Any, bool, int, int | None], str]] = {
    "images": _images,
    "boxes": _boxes,
    "text": _text,
    "shaded": _shaded,
    "pairs": _pairs,
    "confusion": _confusion,
    "table": _table,
    "curve": _curve,
    "scatter": _scatter,
    "plane": _plane,
}

"""What is said of images that had to be converted: how many, the first, and the option that says otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlkit.data.names import shown_path
from dlkit.data.pixel_rules import BY_TYPE, DROP, Kind, Origin, Range, guessed
from dlkit.data.pixels import Conversion

Told = tuple[str, Conversion]
"""A file's name, or what an image is called, and what was decided of it."""


def conversion_notes(told: Iterable[Told], section: str) -> list[str]:
    """A line a kind of conversion. ``section`` stands before the names of options: ``dataset.``, ``--inference.``."""
    told = [(shown_path(name), conversion) for name, conversion in told]
    return [
        *_see_through([one for one in told if one[1].see_through], section),
        *_ranges([one for one in told if one[1].kind], section),
        *_frames([name for name, conversion in told if conversion.frames]),
    ]


def _see_through(told: Sequence[Told], section: str) -> list[str]:
    if not told:
        return []
    (first, conversion), what = told[0], _count(len(told), "image has", "images have")
    where = "is dropped" if conversion.see_through == DROP else f"is laid on {conversion.see_through}"
    otherwise = f"{section}background = white, black, grey, #rrggbb or drop says otherwise"
    return [f"{what} transparent pixels (first: {first}); their transparency {where}; {otherwise}"]


def _ranges(told: Sequence[Told], section: str) -> list[str]:
    groups: dict[tuple[Kind, Range, Origin], list[Told]] = {}
    for name, one in told:
        assert one.kind
        groups.setdefault((one.kind, one.span, one.origin), []).append((name, one))
    return [line for (kind, span, origin), some in groups.items() for line in _range(kind, span, origin, some, section)]


def _range(kind: Kind, span: Range, origin: Origin, told: Sequence[Told], section: str) -> list[str]:
    # Of all images at once: what one of them looks like says little, and a line for each would be read by nobody.
    low, high = min(one.low for _, one in told), max(one.high for _, one in told)
    values = {"16-bit": "16-bit values", "32-bit": "32-bit values", "float": "float values"}[kind]
    what = f"{_count(len(told), 'image of', 'images of')} {values}, {_text((low, high))} (first: {told[0][0]})"
    option = f"{section}value_range = LOW..HIGH says otherwise"
    if _is_news(kind, span, origin, low, high):
        return [f"{what}: {_text(span)} is taken for black … white{_BY[origin]}; {option}"]
    cut_off = [name for name, one in told if one.low < span[0] or one.high > span[1]]
    outside = f"{_count(len(cut_off), 'image has', 'images have')} values outside {_text(span)}"
    return [f"{outside} (first: {cut_off[0]}), which are cut off; {option}"] if cut_off else []


_BY = {"guess": "", "training": ", as in training", "type": ", by the values' type", "file": "", "option": ""}


def _is_news(kind: Kind, span: Range, origin: Origin, low: float, high: float) -> bool:
    """Whether a range has to be said: it was guessed, or the values make one think of another."""
    if origin in ("option", "file") or low == high == 0:  # of black alone, every range says the same
        return False
    likely = guessed(kind, low, high) == span
    return not likely or (origin == "guess" and (kind, span) != ("16-bit", BY_TYPE["16-bit"]))


def _frames(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    what = _count(len(names), "file holds", "files hold")
    return [f"{what} several images (first: {names[0]}): the first of them counts"]


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _text(span: Range) -> str:
    return f"{span[0]:.6g} … {span[1]:.6g}"

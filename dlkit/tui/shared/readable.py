"""Every text can be read: whatever a theme, a widget, NO_COLOR or dimming makes of its colours.

WCAG 2.2, success criterion 1.4.3: the relative luminances of text and background, (L1 + 0.05) / (L2 + 0.05), are at
least 4.5. Bars, curves, pictures and frames are no text, and stay as they are drawn.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rich.color import Color as RichColor
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter, dim_color

LEAST = 4.5
_DRAWN = re.compile(r"[\s\u2500-\u25ff\u2800-\u28ff\U0001fb00-\U0001fbff]*")
"""Lines, blocks, shapes and braille: what charts, pictures and frames are drawn with."""
_NO_DIM = Style(dim=False)
_STEPS = 32
"""Between a colour and black or white: the first of these that can be read is taken."""

Rgb = tuple[int, int, int] | ColorTriplet


class Readable(LineFilter):
    """The last of the filters: it sees the colours that reach the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [self._readable(segment, background) for segment in segments]

    def _readable(self, segment: Segment, background: Color) -> Segment:
        text, style, control = segment
        if style is None or control or _is_drawn(text):
            return segment
        fitting = readable_style(style, background.rich_color)
        return segment if fitting is style else Segment(text, fitting)


READABLE = Readable()


@lru_cache(4096)
def _is_drawn(text: str) -> bool:
    return _DRAWN.fullmatch(text) is not None


@lru_cache(4096)
def readable_style(style: Style, background: RichColor) -> Style:
    """The same style if its text can be read, else with the nearest colour towards black or white that can.

    Colours of the terminal's own (the theme textual-ansi) are left alone: nobody here knows what they are.
    """
    behind = style.bgcolor if style.bgcolor is not None and not style.bgcolor.is_default else background
    if style.color is None or style.color.triplet is None or behind.triplet is None:
        return style
    color = dim_color(behind, style.color) if style.dim else style.color
    assert color.triplet is not None
    found = readable_color(color.triplet, behind.triplet)
    if found == style.color.triplet and not style.dim:
        return style
    return style + Style.from_color(RichColor.from_rgb(*found)) + _NO_DIM


def readable_color(color: Rgb, behind: Rgb) -> Rgb:
    """The colour, moved as little as it takes towards black or white, whichever stands out more."""
    end = max((0, 0, 0), (255, 255, 255), key=lambda one: contrast(one, behind))
    steps = (_mixed(color, end, step / _STEPS) for step in range(_STEPS + 1))
    return next((one for one in steps if contrast(one, behind) >= LEAST), end)


def contrast(one: Rgb, other: Rgb) -> float:
    """How far apart two colours are in lightness: from 1 (equal) to 21 (black and white)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _mixed(color: Rgb, end: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, end, strict=True))
    return red, green, blue


def _luminance(color: Rgb) -> float:
    """WCAG's relative luminance of an sRGB colour, from 0 to 1."""
    red, green, blue = (_linear(value / 255) for value in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

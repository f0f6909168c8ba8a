"""What is drawn cannot steer the terminal, whichever widget drew it.

Two nets. Every ``Text`` and ``Content`` shows what would steer as ``�`` from the start (``clean_every_text``), so that
widths count it; widgets that draw their own lines do the same. ``FitLines`` catches what somebody forgot.
"""

from __future__ import annotations

import rich.text
import textual.content
from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from dlkit.steering import without_steering


class FitLines(LineFilter):
    """Every line of every widget goes through here on its way to the screen.

    Textual writes a widget's text to the terminal as it is: its own ``Text`` takes out bells and backspaces, and lets
    escape through. A filter sees what no widget can forget; pictures, which are escape sequences, are control segments.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if all(segment.text.isprintable() for segment in segments):  # nearly always: a pass in C
            return segments
        return [s if s.control or s.text.isprintable() else Segment(_fit(s.text), s.style) for s in segments]


FIT_LINES = FitLines()
_STRIPPERS = ((rich.text, "strip_control_codes"), (textual.content, "_strip_control_codes"))
"""What Rich and Textual have all texts go through when they are made: five characters go, escape stays."""


def clean_every_text() -> None:
    """From now on texts are made without what would steer the terminal."""
    for module, name in _STRIPPERS:
        assert callable(getattr(module, name)), f"{module.__name__} has no {name} any more"
        setattr(module, name, without_steering)


def _fit(text: str) -> str:
    """As many cells as before: the widget has counted on them. What has no width leaves no trace."""
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if without_steering(letter) == letter and letter not in "\t\n":
        return letter
    return "�" * cell_len(letter)

"""What Textual does wrong, mended in one place; each with what somebody did who met it."""

from __future__ import annotations

from textual.widgets import OptionList

_move_page = OptionList._move_page


def mend_textual() -> None:
    """From now on page up and page down do nothing in a list of which no line is seen: the palette in a window of a few
    lines, or before it is laid out. Textual looks up the line of the highlighted option: KeyError."""
    OptionList._move_page = _move_page_of_what_is_seen  # type: ignore[method-assign]


def _move_page_of_what_is_seen(self: OptionList, direction: int) -> None:
    if self.scrollable_content_region:
        _move_page(self, direction)  # type: ignore[arg-type]

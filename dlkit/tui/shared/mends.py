"""What Textual does wrong, mended in one place; each with what somebody met."""

from __future__ import annotations

from textual.notifications import Notifications
from textual.widgets import OptionList
from textual.widgets._toast import Toast, ToastHolder, ToastRack

_move_page = OptionList._move_page
_show = ToastRack.show


def mend_textual() -> None:
    """From now on

    - page up and page down do nothing in a list of which no line is seen: the palette in a window of a few lines, or
      before it is laid out. Textual looks up the line of the highlighted option: KeyError;
    - nothing is left of a notice that ended while another screen was shown. Textual takes it out of its holder, which
      stays, and keeps the notice too: two widgets each, until the screen is closed, which an area's first never is.
    """
    OptionList._move_page = _move_page_of_what_is_seen  # type: ignore[method-assign]
    ToastRack.show = _show_and_keep_no_holder  # type: ignore[method-assign]


def _move_page_of_what_is_seen(self: OptionList, direction: int) -> None:
    if self.scrollable_content_region:
        _move_page(self, direction)  # type: ignore[arg-type]


def _show_and_keep_no_holder(self: ToastRack, notifications: Notifications) -> None:
    for holder in self.query(ToastHolder):
        if all(toast._notification not in notifications for toast in holder.query(Toast)):
            holder.remove()
    _show(self, notifications)

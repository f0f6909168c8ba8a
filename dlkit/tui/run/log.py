"""A run's log, as it comes: what happened, what was measured, what it has printed, how it failed; searched."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static
from textual.worker import get_current_worker

from dlkit.monitor.run_log import LogLine, RunLog
from dlkit.monitor.view import RunView
from dlkit.present.numbers import counted
from dlkit.tui.run.pane import Pane
from dlkit.tui.shared.filter_line import FilterLine

HANG = 4
"""How far to the right a line goes on where it has no room in one."""


class LogPane(Pane):
    """The log with a line below it that says what it shows, and one to search in it."""

    DEFAULT_CSS = """
    LogPane { layout: vertical; }
    LogPane #log-state { height: 1; padding: 0 1; color: $text-muted; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "Search", key_display="/", id="log.search"),
        Binding("n", "match(1)", "Next match", show=False, id="log.next"),
        Binding("N", "match(-1)", "Previous match", show=False, id="log.previous"),
        Binding("f", "follow", "Follow", show=False, id="log.follow", tooltip="Stay at the newest line"),
        Binding("escape", "leave_search", "end search", show=False, id="log.leave"),
    ]

    class Told(Message):
        """The log in words; what cannot be told, as the error it is."""

        def __init__(self, lines: Sequence[LogLine], error: Exception | None = None) -> None:
            self.lines, self.error = lines, error
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, LogPane.Told)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()
        self._log = RunLog()

    def compose(self) -> ComposeResult:
        yield Lines(id="lines")
        yield FilterLine("what to look for")
        yield Static(id="log-state", markup=False)

    @property
    def lines(self) -> Lines:
        return self.query_one(Lines)

    def show(self, view: RunView) -> None:
        new = (view.log, view.events, view.milestones, view.evaluations, view.printed, view.state)
        if self._shown and all(a is b for a, b in zip(new, self._shown, strict=True)):
            return
        self._shown = new
        self._read(view)

    @work(thread=True, exclusive=True, group="log", exit_on_error=False)
    def _read(self, view: RunView) -> None:
        """In a thread: ten thousand epochs are put into words once, and that takes a quarter of a second."""
        try:
            told = self.Told(self._log.lines(view))
        # The boundary to whatever a run's folder holds, as ``Pane.shield`` has it.
        except Exception as error:
            told = self.Told((), error)
        if not get_current_worker().is_cancelled:
            self.post_message(told)

    def on_log_pane_told(self, message: Told) -> None:
        def draw() -> None:
            if message.error is not None:
                raise message.error
            self.lines.show(message.lines)
            self._tell()

        self.shield(draw)

    def _tell(self) -> None:
        lines = self.lines
        follows = "following" if lines.following else "f follows the newest"
        parts = [counted(len(lines.lines), "line"), follows]
        if lines.pattern:
            found = len(lines.matches)
            which = f"{lines.match + 1} of " if 0 <= lines.match < found else ""
            parts.append(f"{lines.pattern!r}: {which}{counted(found, 'line')}; n next, N previous, escape ends")
        self.query_one("#log-state", Static).update("   ".join(parts))

    # Search

    def action_search(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self.lines.look_for(message.text)
        self._tell()

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        self.lines.focus()
        if message.kept and self.lines.match < 0:
            self.action_match(1)

    def action_match(self, by: int) -> None:
        self.lines.go_to_match(by)
        self._tell()

    def action_leave_search(self) -> None:
        self.query_one(FilterLine).leave()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """n, N and escape mean something else while nothing is searched for."""
        if action in ("match", "leave_search"):
            return any(line.is_open for line in self.query(FilterLine))
        return True

    # Following

    def action_follow(self) -> None:
        self.lines.follow(not self.lines.following)

    def on_lines_followed(self, _: Lines.Followed) -> None:
        self._tell()


class Lines(ScrollView, can_focus=True):
    """Lines of text, broken where the window ends, of which only those in view are drawn."""

    DEFAULT_CSS = """
    Lines { height: 1fr; padding: 0 0 0 1; background: $background; scrollbar-size-vertical: 1; }
    Lines > .lines--found { background: $warning; color: $background; text-style: bold; }
    Lines > .lines--head { text-style: bold; }
    Lines > .lines--best { color: $text-success; }
    Lines > .lines--note { color: $text-warning; }
    Lines > .lines--bad { color: $text-error; text-style: bold; }
    Lines > .lines--printed { color: $text-muted; }
    Lines > .lines--here { background: $surface-lighten-2; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "lines--found", "lines--here", "lines--head", "lines--best", "lines--note", "lines--bad", "lines--printed"
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k", "scroll_up", "up", show=False, id="log.up"),
        Binding("j", "scroll_down", "down", show=False, id="log.down"),
        Binding("g", "scroll_home", "first", show=False, id="log.first"),
        Binding("end,G", "follow_end", "last", show=False, id="log.last"),
    ]

    class Followed(Message):
        """Following was switched on or off."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.lines: Sequence[str] = ()
        self.told: Sequence[LogLine] = ()
        """The same with how they look."""
        self.following = True
        self.pattern = ""
        self.matches: list[int] = []
        """Which lines have the pattern in them, in any case of its letters."""
        self.match = -1
        """The one of ``matches`` that was gone to."""
        self._rows: list[tuple[int, int, int]] = []
        """What is drawn in a row: which line, from where to where."""
        self._width = 0

    def show(self, told: Sequence[LogLine]) -> None:
        """What was shown before and stands there still is not broken again: a log grows by a line at a time."""
        known = len(self.told)
        if known > len(told) or told[:known] != self.told:
            known = 0
        self.told, self.lines = told, [line.text for line in told]
        self._find()
        self._break(known)

    def look_for(self, pattern: str) -> None:
        self.pattern, self.match = pattern, -1
        self._find()
        self.refresh()

    def go_to_match(self, by: int) -> None:
        """The next match, or the one before; at first the nearest to what is in view."""
        if not self.matches:
            return
        if self.match < 0:
            self.match = self._nearest(by)
        else:
            self.match = (self.match + by) % len(self.matches)
        self.follow(False)
        line = self.matches[self.match]
        self.scroll_to(y=max(0, self._row_of(line) - self.size.height // 2), animate=False)
        self.refresh()

    def _nearest(self, by: int) -> int:
        top = self._rows[min(self.scroll_offset.y, len(self._rows) - 1)][0]
        ahead = [i for i, line in enumerate(self.matches) if line >= top]
        if by > 0:
            return ahead[0] if ahead else 0
        return (ahead[0] if ahead else len(self.matches)) - 1

    def _row_of(self, line: int) -> int:
        return bisect_left(self._rows, (line, 0, 0))

    # Following

    def follow(self, on: bool) -> None:
        if on != self.following:
            self.following = on
            self.post_message(self.Followed())
        if on:
            self._to_end()

    def action_follow_end(self) -> None:
        self.follow(True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value and new_value < self.max_scroll_y:
            self.follow(False)

    def _to_end(self) -> None:
        # By force: until the scrollbar stands, which it does after the next layout, Textual scrolls nothing.
        self.scroll_to(y=max(0, len(self._rows) - self.size.height), animate=False, force=True)

    def _stay_at_end(self) -> None:
        if self.following:
            self._to_end()

    # Drawing

    def on_resize(self) -> None:
        self._break()

    def _break(self, known: int = 0) -> None:
        """Into rows; those of the first ``known`` lines are there already, if the window is as wide as it was."""
        width = max(10, self.scrollable_content_region.width)
        if width != self._width:
            self._width, known = width, 0
        del self._rows[bisect_left(self._rows, (known, 0, 0)) :]
        more = enumerate(self.lines[known:], known)
        self._rows += [(i, *ends) for i, line in more for ends in broken(line, width, HANG)]
        self.virtual_size = Size(0, len(self._rows))
        self._stay_at_end()
        self.call_after_refresh(self._stay_at_end)  # what is laid out now may leave less room
        self.refresh()

    def _find(self) -> None:
        wanted = self.pattern.lower()
        here = self.matches[self.match] if 0 <= self.match < len(self.matches) else -1
        self.matches = [i for i, line in enumerate(self.lines) if wanted in line.lower()] if wanted else []
        self.match = self.matches.index(here) if here in self.matches else -1

    def render_line(self, y: int) -> Strip:
        place, base = y + self.scroll_offset.y, self.rich_style
        if place >= len(self._rows):
            return Strip.blank(self.size.width, base)
        line, start, end = self._rows[place]
        kind = self.told[line].kind
        if kind:
            base += self.get_component_rich_style(f"lines--{kind}", partial=True)
        if 0 <= self.match < len(self.matches) and self.matches[self.match] == line:
            base += self.get_component_rich_style("lines--here")
        text = self.lines[line].expandtabs()
        parts = [Segment(" " * HANG, base)] if start else []
        parts += [Segment(text[a:b], style) for a, b, style in self._spans(text, start, end, base)]
        return Strip(parts).adjust_cell_length(self.size.width, base)

    def _spans(self, line: str, start: int, end: int, base: Style) -> Iterator[tuple[int, int, Style]]:
        """The parts of a row, those that were searched for marked."""
        wanted, low, here = self.pattern.lower(), line.lower(), start
        mark = base + self.get_component_rich_style("lines--found")
        place = low.find(wanted, max(0, start - len(wanted) + 1)) if wanted else -1
        while 0 <= place < end:
            yield here, max(here, place), base
            here, after = max(here, place), min(end, place + len(wanted))
            yield here, after, mark
            here, place = after, low.find(wanted, place + len(wanted))
        yield here, end, base


def broken(line: str, width: int, hang: int = 0) -> list[tuple[int, int]]:
    """Where a line's rows begin and end, each at most ``width`` cells wide, ``hang`` less from the second on; an empty
    line has one."""
    text = line.expandtabs()
    if not text.isascii():
        return _broken_by_cells(text, width, hang)
    ends, start = [], 0
    while len(text) - start > width:
        space = text.rfind(" ", start + 2 * width // 3, start + width + 1)  # at a word's end, if one is near
        ends.append((start, space if space > 0 else start + width))
        start = space + 1 if space > 0 else start + width
        width -= hang if len(ends) == 1 else 0
    return [*ends, (start, len(text))]


def _broken_by_cells(text: str, width: int, hang: int) -> list[tuple[int, int]]:
    ends: list[tuple[int, int]] = []
    start = cells = 0
    for i, letter in enumerate(text):
        wide = cell_len(letter)
        if cells + wide > width:
            width -= 0 if ends else hang
            space = text.rfind(" ", start + 2 * (i - start) // 3, i)  # at a word's end, if one is near
            ends.append((start, space if space > 0 else i))
            start = space + 1 if space > 0 else i
            cells = cell_len(text[start:i])
        cells += wide
    return [*ends, (start, len(text))]

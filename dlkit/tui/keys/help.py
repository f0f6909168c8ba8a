"""``?``: what works here, in words."""

from __future__ import annotations

from typing import ClassVar, cast

from rich.table import Table as Grid
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from dlkit.tui.keys.palette import Key, keys_here
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.host import Host
from dlkit.tui.shared.settings import keys_file

FIRST_STEPS = (
    "On Home, Enter opens the launch form of a task; Enter once more starts a run with its defaults.",
    "The run's screen shows curves, samples and log while it trains. Close dlkit if you like: the run goes on.",
    "On Playground, Enter on a run lets you ask its model something.",
)


class HelpScreen(ModalScreen[None]):
    """All keys of the screen below, by where they work."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > Vertical { width: 90; max-width: 96%; height: auto; max-height: 94%; border: round $primary;
                            padding: 0 1; background: $surface; }
    HelpScreen VerticalScroll { height: auto; max-height: 100%; }
    HelpScreen Static { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "close", "Close", id="help.close", priority=True),
    ]

    def compose(self) -> ComposeResult:
        app = cast("Host", self.app)
        screen = app.screen_stack[-2] if len(app.screen_stack) > 1 else app.screen
        keys = keys_here(app, screen)
        here = sorted((key for key in keys if key.here), key=lambda key: not key.main)
        idle = [key for key in here if isinstance(screen, Area) and not screen.applies(key.action)]
        with Vertical() as box:
            box.border_title, box.border_subtitle = "Help", "escape: close"
            with VerticalScroll():
                yield Static(_grid("Here", [key for key in here if key not in idle]))
                if idle:
                    yield Static(_grid("Here, without use as things are now", idle))
                yield Static(_grid("Everywhere", [key for key in keys if not key.here]))
                yield Static(_steps())
                yield Static(Text(f"\nYour own keys: {keys_file()} (ctrl+p, Write keys file)", "dim"))

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def action_close(self) -> None:
        self.dismiss()


def _steps() -> Grid:
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.title, grid.title_justify, grid.title_style = Text("\nFirst steps"), "left", "bold"
    for number, text in enumerate(FIRST_STEPS, 1):
        grid.add_row(str(number), text)
    return grid


def _grid(title: str, keys: list[Key]) -> Grid:
    grid = Grid(
        box=None, padding=(0, 2, 0, 0), title=title, title_justify="left", title_style="bold", show_header=False
    )
    grid.add_column(no_wrap=True, style="bold", min_width=10)
    grid.add_column(no_wrap=True, min_width=14)
    grid.add_column(style="dim")
    for key in keys:
        grid.add_row(key.keys, key.title, key.detail)
    return grid

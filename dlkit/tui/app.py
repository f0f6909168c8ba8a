"""The app: which screen is shown, and what belongs to no screen: the poller, the plugins, themes, notices, keys."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen

from dlkit.catalog import Catalog
from dlkit.runs.folder import RunFolder
from dlkit.tui.poll import Poller, Trouble

FIRST = {
    "tasks": "dlkit.tui.tasks:TasksScreen",
    "runs": "dlkit.tui.runs:RunsScreen",
    "queue": "dlkit.tui.queue:QueueScreen",
    "playground": "dlkit.tui.playground:PlaygroundScreen",
}
"""The first screen of every area, imported when somebody goes there."""


def make(reference: str, *arguments: Any) -> Screen[Any]:
    """A screen by ``"module:Class"``."""
    module, _, name = reference.partition(":")
    screen: Screen[Any] = getattr(import_module(module), name)(*arguments)
    return screen


class DlkitApp(App[None]):
    """``workspace`` need not exist. ``poller`` looks at it; ``catalog`` is None until the plugins are loaded."""

    TITLE = "dlkit"
    DEFAULT_MODE = "tasks"
    MODES = {mode: partial(make, reference) for mode, reference in FIRST.items()}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "area('tasks')", "Tasks", show=False, id="area.tasks"),
        Binding("2", "area('runs')", "Runs", show=False, id="area.runs"),
        Binding("3", "area('queue')", "Queue", show=False, id="area.queue"),
        Binding("4", "area('playground')", "Playground", show=False, id="area.playground"),
        Binding("question_mark,f1", "help", "Help", key_display="?", id="help"),
        Binding("ctrl+q", "quit", "Quit", id="quit", priority=True),
    ]

    class PluginsLoaded(Message):
        """``app.catalog`` is there now. Screens that wait for it have a method ``plugins_loaded()``."""

        def __init__(self, catalog: Catalog) -> None:
            self.catalog = catalog
            super().__init__()

    def __init__(self, workspace: Path) -> None:
        super().__init__()
        self.workspace = workspace
        self.poller = Poller()
        self.catalog: Catalog | None = None
        self.animation_level = "none"

    def on_mount(self) -> None:
        self.poller.start()
        self._load_plugins()

    def on_unmount(self) -> None:
        self.poller.close()

    # Plugins

    @work(thread=True, group="plugins", exit_on_error=False)
    def _load_plugins(self) -> None:
        self.post_message(self.PluginsLoaded(Catalog.load_everything()))

    def on_dlkit_app_plugins_loaded(self, message: PluginsLoaded) -> None:
        self.catalog = message.catalog
        for screen in self.screen_stack:
            getattr(screen, "plugins_loaded", lambda: None)()

    def on_trouble(self, message: Trouble) -> None:
        self.notify(message.text, title="cannot be read", severity="error", markup=False)

    # Screens

    def action_area(self, mode: str) -> None:
        if not self.screen.is_modal:
            self.switch_mode(mode)

    def action_help(self) -> None:
        self.push_screen(make("dlkit.tui.help:HelpScreen"))

    def open_launch(self, task: str, preset: str = "") -> None:
        """The form that starts a run of a task."""
        self.push_screen(make("dlkit.tui.launch:LaunchScreen", task, preset))

    def open_run(self, run: RunFolder) -> None:
        """A run, in the runs' area."""
        self._show_in("runs", make("dlkit.tui.run:RunScreen", run))

    def open_compare(self, runs: list[RunFolder]) -> None:
        """Runs side by side."""
        self._show_in("runs", make("dlkit.tui.compare:CompareScreen", runs))

    def open_playground(self, run: RunFolder) -> None:
        """Ask a run's model something."""
        self._show_in("playground", make("dlkit.tui.playground:AskScreen", run))

    def _show_in(self, mode: str, screen: Screen[Any]) -> None:
        if self.current_mode != mode:
            self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.push_screen(screen)

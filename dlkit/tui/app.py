"""The app: which screen is shown, and what belongs to no screen: the poller, the plugins, themes, notices, keys."""

from __future__ import annotations

import asyncio
import gc
import os
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import work
from textual.app import ScreenStackError, SystemCommand
from textual.binding import Binding, BindingType
from textual.css.query import QueryError
from textual.filter import LineFilter
from textual.message import Message
from textual.screen import Screen
from textual.widget import MountError, Widget
from textual.worker import Worker, WorkerFailed, WorkerState

from dlkit.catalog import Catalog
from dlkit.errors import DlkitError
from dlkit.monitor.all_runs import AllRuns
from dlkit.monitor.installed import Change, Installed
from dlkit.monitor.pulse import Pulse
from dlkit.runs import mirrors
from dlkit.runs.folder import ENDED, RunFolder, Summary
from dlkit.tui.shared import looked, settings
from dlkit.tui.shared.fit_lines import FIT_LINES, clean_every_text
from dlkit.tui.shared.host import Host
from dlkit.tui.shared.mends import mend_textual
from dlkit.tui.shared.poll import Poller, Trouble
from dlkit.tui.shared.readable import READABLE
from dlkit.tui.shared.work_threads import WorkThreads

if TYPE_CHECKING:  # pydantic, which the first screen need not wait for
    from dlkit.monitor.form import Form

FIRST = {
    "home": "dlkit.tui.home.screen:HomeScreen",
    "runs": "dlkit.tui.runs.screen:RunsScreen",
    "queue": "dlkit.tui.queue.screen:QueueScreen",
    "playground": "dlkit.tui.playground.screen:PlaygroundScreen",
    "studies": "dlkit.tui.studies.screen:StudiesScreen",
}
"""The first screen of every area, imported when somebody goes there."""
SOON = (
    "dlkit.tui.run.screen",
    "dlkit.tui.run.curves",
    "dlkit.tui.run.samples",
    "dlkit.tui.launch.screen",
    "dlkit.tui.queue.screen",
    "dlkit.tui.compare.screen",
    "dlkit.tui.playground.screen",
    "dlkit.tui.studies.screen",
)
"""Modules of what somebody will open in a moment, imported when the first screen stands: NumPy alone takes 0.1 s."""
SOON_SECONDS = 0.3
COPY_SECONDS = 20.0
"""So long a run of another machine is waited for, when somebody opens it."""


def make(reference: str, *arguments: object) -> Screen[Any]:
    """A screen by ``"module:Class"``."""
    module, _, name = reference.partition(":")
    screen: Screen[Any] = getattr(import_module(module), name)(*arguments)
    return screen


def is_teardown_error(error: Exception) -> bool:
    """Whether a widget raised it that is being closed. One that is closed before it was complete (a screen left by the
    next key already) gets no children and misses them, in its ``on_mount`` or in what it put off: nobody else does. A
    palette that is left by two keys at once misses its own place, and what it looks for in a worker its list."""
    cause = error.error if isinstance(error, WorkerFailed) else error
    frames = [frame.f_locals.get("self") for frame, _ in traceback.walk_tb(cause.__traceback__)]
    widgets = [subject for subject in frames if isinstance(subject, Widget)]
    return isinstance(cause, QueryError | MountError | ScreenStackError) and any(map(_leaving, widgets))


def _leaving(widget: Widget) -> bool:
    return not widget.is_attached or any(
        node._pruning or node._closing or node._closed for node in widget.ancestors_with_self
    )


ALIVE = ("running", "paused")
Worker.StateChanged.bubble = True
"""Textual tells a worker's end to the widget that began it alone; the app is to hear of those that raised."""
clean_every_text()
mend_textual()
PLUGIN_SECONDS = 10.0
"""A plugin whose import takes longer is shown as broken; the others are there."""


class DlkitApp(Host):
    """Routes: which screen is shown, and who hears of what the poller and the workers have found."""

    TITLE = "dlkit"
    DEFAULT_MODE = "home"
    MODES = {mode: partial(make, reference) for mode, reference in FIRST.items()}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "area('home')", "Home", show=False, id="area.tasks"),
        Binding("2", "area('runs')", "Runs", show=False, id="area.runs"),
        Binding("3", "area('queue')", "Queue", show=False, id="area.queue"),
        Binding("4", "area('playground')", "Playground", show=False, id="area.playground"),
        Binding("5", "area('studies')", "Studies", show=False, id="area.studies"),
        Binding("question_mark", "help", "Help", key_display="?", id="help"),
        Binding("f1", "help", "Help", key_display="F1", id="help.typing", tooltip="Also while something is typed"),
        Binding("ctrl+q", "quit", "Quit", id="quit", priority=True),
    ]

    class PluginsLoaded(Message):
        """``app.catalog`` is there."""

        def __init__(self, catalog: Catalog) -> None:
            self.catalog = catalog
            super().__init__()

    class PluginsChanged(Message):
        """Somebody has installed plugins, or others than there were."""

        def __init__(self, change: Change) -> None:
            self.change = change
            super().__init__()

    class RunsChanged(Message):
        """``app.summaries`` are new."""

        def __init__(self, summaries: Sequence[Summary], pulses: Mapping[str, Pulse]) -> None:
            self.summaries, self.pulses = summaries, pulses
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, DlkitApp.RunsChanged)

    class Again(Message):
        """The form that makes a run again."""

        def __init__(self, form: Form, run: str) -> None:
            self.form, self.run = form, run
            super().__init__()

    def __init__(self, workspace: Path, greeting: str = "") -> None:
        super().__init__()
        self.workspace = workspace
        self._greeting = greeting
        self.crash: BaseException | None = None
        """An error of dlkit's own that ended the interface."""
        self.poller = Poller()
        self._runs = AllRuns(workspace)
        self.catalog = None
        self.summaries = ()
        self.pulses = {}
        self.since, self.seen = time.time(), set()
        self.looked = self.touring = False
        self.animation_level = "none"
        wanted = settings.theme(os.environ)
        self.theme = self._first_theme = wanted if wanted in self.available_themes else settings.DARK

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [FIT_LINES, *super().get_line_filters(), READABLE]

    def on_mount(self) -> None:
        asyncio.get_running_loop().set_default_executor(WorkThreads())
        self.since = looked.last(self.workspace)
        self._runs.open()
        self.poller.watch(self._runs.poll, lambda found: self.RunsChanged(found, self._runs.pulses), self)
        self.poller.watch(Installed().poll, self.PluginsChanged, self)
        self.poller.start()
        self._load_plugins()
        keymap, problems = settings.keymap()
        self.set_keymap(keymap)
        for problem in problems:
            self.notify(problem, title="keys", severity="warning", markup=False)
        if self._greeting:
            self.notify(self._greeting, severity="error", timeout=15, markup=False)

    def on_unmount(self) -> None:
        if self.summaries:
            looked.keep(self.workspace)
        self._runs.close()
        self.poller.close()

    # Plugins

    @work(thread=True, group="plugins", exit_on_error=False)
    def _load_plugins(self) -> None:
        self.post_message(self.PluginsLoaded(Catalog.load_everything(PLUGIN_SECONDS, self.workspace, lenient=True)))

    def on_dlkit_app_plugins_loaded(self, message: PluginsLoaded) -> None:
        self.catalog = message.catalog
        if self.catalog.trouble:
            self.notify(self.catalog.trouble, title="plugins", severity="error", markup=False)
        self._tell_screens("plugins_loaded")
        self.set_timer(SOON_SECONDS, self._import_soon)

    def on_dlkit_app_plugins_changed(self, message: PluginsChanged) -> None:
        new, stale = message.change.new, message.change.stale
        if new:
            self._load_plugins()
            self.notify(f"installed: {', '.join(new)}", title="plugins", markup=False)
        if stale:  # what was imported of them stays
            text = f"{', '.join(stale)}: not as it was. Open dlkit again to have it as it is now"
            self.notify(text, title="plugins", severity="warning", markup=False)

    @work(thread=True, group="imports", exit_on_error=False)
    def _import_soon(self) -> None:
        for module in SOON:
            import_module(module)
        if not self.is_headless:
            gc.freeze()  # what is there by now stays: going through all of it again and again took 40 ms each time

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker of the app, a screen or a widget that raised: the interface goes on, and says so."""
        if event.state is WorkerState.ERROR:
            self.notify(str(event.worker.error), title="something went wrong", severity="error", markup=False)

    def _tell_screens(self, method: str) -> None:
        for screen in self.screen_stack:
            if screen.is_mounted:  # one that is being made looks itself, once it is complete
                getattr(screen, method, lambda: None)()

    def _handle_exception(self, error: Exception) -> None:
        """Textual's way is a traceback over the terminal; ``command`` writes it down and opens the interface again."""
        if is_teardown_error(error):
            return
        if self.is_headless:  # a test is to fail
            super()._handle_exception(error)
            return
        self.crash = self.crash or error
        self._close_messages_no_wait()

    # Runs

    def on_dlkit_app_runs_changed(self, message: RunsChanged) -> None:
        if not self.looked:
            self.touring = not message.summaries
        before = {run.id: run.state for run in self.summaries}
        self.summaries, self.pulses, self.looked = message.summaries, message.pulses, True
        for run in message.summaries:
            if before.get(run.id) in ALIVE and run.state in (*ENDED, "interrupted"):
                self._tell_end(run)
        self._tell_screens("runs_changed")
        while self._runs.trouble:
            self.notify(self._runs.trouble.pop(0), title="remote", severity="warning", markup=False)

    def _tell_end(self, run: Summary) -> None:
        """A notice, the terminal's bell and its own notification."""
        from dlkit.present.notification import notification
        from dlkit.present.runs import titled

        good = run.state in ("completed", "stopped")
        text = f"{titled(run)}: {run.state}{f' ({run.reason})' if run.reason else ''}"
        self.notify(text, severity="information" if good else "error", markup=False)
        if self._driver is not None and not self.is_headless:
            self._driver.write(notification(f"{titled(run)}: {run.state}", os.environ))

    def on_trouble(self, message: Trouble) -> None:
        self.notify(message.text, title="cannot be read", severity="error", markup=False)

    # Commands

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action that has a key here, the tasks, the newest runs, and what has no key."""
        from dlkit.tui.keys.palette import commands

        yield from commands(self, screen)

    def action_command_palette(self) -> None:
        """Textual's gives every palette one id, which the one that is just being closed still has: ctrl+p, escape and
        ctrl+p in a hurry ended the interface."""
        from textual.command import CommandPalette

        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette())

    def watch_theme(self, theme: str) -> None:
        if self.is_running and theme != self._first_theme:
            self._first_theme = theme
            settings.keep("theme", theme)

    def write_keys(self) -> None:
        from dlkit.tui.keys.file import write_keys_file

        try:
            path, new = write_keys_file()
        except OSError as error:
            self.notify(f"the keys file cannot be written: {error}", severity="error", markup=False)
            return
        self.notify(f"{path}{'' if new else ' is there already'}", title="keys", markup=False)

    def save_picture(self) -> None:
        try:
            self.notify(f"saved {self.save_screenshot()}", markup=False)
        except OSError as error:
            self.notify(f"the picture cannot be written: {error}", severity="error", markup=False)

    # Screens

    def action_area(self, mode: str) -> None:
        if not self.screen.is_modal:
            self.switch_mode(mode)

    def action_help(self) -> None:
        self.push_screen(make("dlkit.tui.keys.help:HelpScreen"))

    def open_launch(self, task: str, preset: str = "") -> None:
        from dlkit.monitor.form import Form

        self._open_form(Form(task, preset))

    def open_again(self, run: RunFolder, *, fork: bool = False) -> None:
        if self.catalog is None:
            self.notify("the plugins are still being loaded", severity="warning")
        else:
            self._read_again(self.catalog, run, fork)

    @work(thread=True, exclusive=True, group="again", exit_on_error=False)
    def _read_again(self, catalog: Catalog, run: RunFolder, fork: bool) -> None:
        from dlkit.monitor.again import form_again, form_of_fork

        try:
            form = form_of_fork(catalog, run) if fork else form_again(catalog, run)
            self.post_message(self.Again(form, run.id))
        except DlkitError as error:
            self.notify(str(error), severity="error", markup=False)

    def on_dlkit_app_again(self, message: Again) -> None:
        self._open_form(message.form, message.run)

    def _open_form(self, form: Form, again: str = "") -> None:
        self.push_screen(make("dlkit.tui.launch.screen:LaunchScreen", form, again))

    def open_studies(self) -> None:
        self._go_to("studies")

    def open_machine(self) -> None:
        self._show_in("queue", make("dlkit.tui.queue.machine:MachineScreen"))

    def open_run(self, run: RunFolder) -> None:
        self.seen.add(mirrors.called(run.path))
        self._once_copied([run], lambda: self._show_in("runs", make("dlkit.tui.run.screen:RunScreen", run)))

    def open_compare(self, runs: list[RunFolder], by: str = "") -> None:
        self._once_copied(runs, lambda: self._show_in("runs", make("dlkit.tui.compare.screen:CompareScreen", runs, by)))

    def _once_copied(self, runs: Sequence[RunFolder], action: Callable[[], None]) -> None:
        """At once, of runs that lie here, or whose copies are here; else when these have come."""
        for run in runs:
            self._runs.watch(run)
        if missing := [run for run in runs if mirrors.name_of(run.path) and not run.record.exists()]:
            self.notify(f"fetching {mirrors.called(missing[0].path)} …", markup=False)
            self._await_copies(missing, action)
        else:
            action()

    @work(exclusive=True, group="copies", exit_on_error=False)
    async def _await_copies(self, missing: Sequence[RunFolder], action: Callable[[], None]) -> None:
        screen = self.screen
        for _ in range(int(COPY_SECONDS / 0.05)):
            if all(run.record.exists() for run in missing):
                if self.screen is screen:  # unless somebody has gone elsewhere meanwhile
                    action()
                return
            await asyncio.sleep(0.05)
        text = f"{mirrors.called(missing[0].path)} has not come within {COPY_SECONDS:g} s: dlkit remote check says why"
        self.notify(text, severity="error", markup=False)

    def open_playground(self, run: RunFolder) -> None:
        if name := mirrors.name_of(run.path):
            text = f"its checkpoints lie on {name}, and are not copied here: dlkit there asks its model"
            self.notify(text, severity="warning", markup=False)
            return
        self._show_in("playground", make("dlkit.tui.playground.ask:AskScreen", run))

    def _show_in(self, mode: str, screen: Screen[Any]) -> None:
        self._go_to(mode)
        self.push_screen(screen)

    def _go_to(self, mode: str) -> None:
        """To the first screen of an area."""
        if self.current_mode != mode:
            self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()

"""A run: how far and how good it is, its curves, samples, log, machine, configuration and events, and its controls."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from dlkit.errors import DlkitError
from dlkit.jobs.job_record import job_of
from dlkit.jobs.requests import PATIENCE, Pending
from dlkit.monitor import run_actions
from dlkit.monitor.run_tools import Tool, choices, tools_of
from dlkit.monitor.verdicts import Verdicts
from dlkit.monitor.view import RunView, follow_run
from dlkit.present.events import describe_answer
from dlkit.present.runs import undated
from dlkit.runs import mirrors
from dlkit.runs.folder import RunFolder
from dlkit.runs.labels import labels
from dlkit.tui.run.head import RunHead
from dlkit.tui.run.orders import why_not
from dlkit.tui.run.pane import Pane, Shield
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.command_dialog import CommandDialog
from dlkit.tui.shared.dialogs import Ask, Confirm, TextDialog
from dlkit.tui.shared.poll import Source

PANES = {
    "curves": ("c", "Curves", "dlkit.tui.run.curves:CurvesPane"),
    "samples": ("s", "Samples", "dlkit.tui.run.samples:SamplesPane"),
    "log": ("l", "Log", "dlkit.tui.run.log:LogPane"),
    "machine": ("m", "Machine", "dlkit.tui.run.machine:MachinePane"),
    "config": ("o", "Config", "dlkit.tui.run.config:ConfigPane"),
    "events": ("e", "Events", "dlkit.tui.run.events:EventsPane"),
}
"""Name → key, title and class of the panes, in their order; one is made when it is first looked at."""


class RunScreen(Shield, Area):
    """One run, followed while this is there."""

    area = "runs"
    tour = "3 of 4: P asks the model"
    ALLOW_IN_MAXIMIZED_VIEW = "MainKeys"
    DEFAULT_CSS = """
    RunScreen #panes { height: 1fr; }
    RunScreen #panes > * { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key, f"pane('{name}')", text, show=False, id=f"run.{name}")
            for name, (key, text, _) in PANES.items()
        ),
        Binding("left_square_bracket", "turn(-1)", "Previous pane", key_display="[", show=False, id="run.previous"),
        Binding("right_square_bracket", "turn(1)", "Next pane", key_display="]", show=False, id="run.next"),
        Binding("x", "stop", "Stop", id="run.stop", tooltip="After its step, checkpoint written; asks first"),
        Binding("p", "pause", "Pause", id="run.pause", tooltip="Or go on; it keeps its memory and its device"),
        Binding("r", "resume", "Resume", id="run.resume", tooltip="From the last checkpoint, in a worker of its own"),
        Binding("S", "set", "Set", id="run.set", tooltip="Change the learning rate, or another setting"),
        Binding("P", "playground", "Ask", id="run.ask", tooltip="Give it an input, in the playground"),
        Binding("a", "ask('sample')", "Sample now", show=False, id="run.sample"),
        Binding("b", "ask('checkpoint')", "Checkpoint now", show=False, id="run.checkpoint"),
        Binding("n", "again", "Again …", id="run.again", tooltip="The form filled from this run, to be changed"),
        Binding("F", "fork", "Fork …", show=False, id="run.fork", tooltip="On from a checkpoint, with other settings"),
        Binding("w", "tool", "Do …", id="run.tool", tooltip="Evaluate, sample, export"),
        Binding("W", "why", "Why", id="run.why", tooltip="Why it failed, whether it is any good: all verdicts"),
        Binding("N", "rename", "Rename", show=False, id="run.rename"),
        Binding("T", "tag", "Tag", show=False, id="run.tag", tooltip="Words by which runs are found: tag:baseline"),
        Binding("M", "note", "Note", show=False, id="run.note", tooltip="Write down what you think of it"),
    ]

    class Seen(Message):
        """The view has changed."""

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, RunScreen.Seen)

    class Tools(Message):
        """What else can be done with the run."""

        def __init__(self, tools: dict[str, Tool]) -> None:
            self.tools = tools
            super().__init__()

    class Sent(Message):
        """A command is in line."""

        def __init__(self, identity: str, action: str) -> None:
            self.identity, self.action = identity, action
            super().__init__()

    def __init__(self, run: RunFolder) -> None:
        super().__init__(mirrors.called(run.path), undated(run.id))
        self.run = run
        self.view: RunView = follow_run(run)
        self.verdicts = Verdicts(self.view)
        self.pane = "curves"
        self._told = -1
        self._pending = Pending()
        self._source: Source[int] | None = None
        self._named_state = ""

    def body(self) -> ComposeResult:
        yield RunHead()
        yield PaneNames()
        with Container(id="panes"):
            yield make_pane(self.pane)

    def on_mount(self) -> None:
        self._mark()
        self._source = self.dlkit.poller.watch(self._look, lambda _: self.Seen(), self)
        self.call_after_refresh(self._focus)

    def on_unmount(self) -> None:
        if self._source is not None:
            self._source.close()

    def _look(self) -> int | None:
        """In the poller's thread."""
        self.view.poll()
        if self.view.behind:
            self.dlkit.poller.nudge()
        if not self.verdicts.look() and self.view.version == self._told:
            return None
        self._told = self.view.version
        return self._told

    def on_run_screen_seen(self, _: Seen) -> None:
        self._show()
        for event in self._pending.answered(self.view.events):
            self.notify(describe_answer(event), severity="warning" if event.refused else "information", markup=False)
        if self.view.state in (*run_actions.RESUMABLE, "completed"):
            self._pending.drop()

    def on_screen_resume(self) -> None:
        self._show()

    def _show(self) -> None:
        """Have what can be seen show what is."""
        if self not in self.app.screen_stack or not self.view.version:
            return
        if self.view.state != self._named_state:
            self._named_state = self.view.state
            self.refresh_bindings()
        self.shield(partial(self.query_one(RunHead).show, self.view, self.verdicts.headline))
        for pane in self.query_one("#panes").children:
            if isinstance(pane, Pane) and pane.display and pane.is_mounted:
                pane.shield(partial(pane.show, self.view))

    def applies(self, action: str) -> bool:
        state = self.view.state
        name = action.partition("(")[0]
        if name == "resume":
            return state in (*run_actions.RESUMABLE, "completed")
        if name in ("stop", "pause", "set"):
            return state in run_actions.ALIVE or (name == "stop" and state in ("queued", "foreign"))
        return True

    # Panes

    async def action_pane(self, name: str) -> None:
        """Show a pane."""
        holder = self.query_one("#panes")
        self.pane = name
        if not holder.query_children(f"#{name}"):
            await holder.mount(make_pane(name))
        for child in holder.children:
            child.display = child.id == name
        self._mark()
        self._show()
        self._focus()

    async def action_turn(self, by: int) -> None:
        names = list(PANES)
        await self.action_pane(names[(names.index(self.pane) + by) % len(names)])

    def _mark(self) -> None:
        for tab in self.query(PaneName):
            tab.set_class(tab.pane == self.pane, "here")

    def _focus(self) -> None:
        """To what takes keys in the pane that is shown."""
        pane = self.query_one(f"#{self.pane}")
        target = next((widget for widget in (pane, *pane.walk_children(Widget)) if widget.focusable), None)
        if target is not None:
            target.focus()

    # Controls

    def action_stop(self) -> None:
        state = self.view.state
        if state == "foreign" or (state == "queued" and job_of(self.view.record).get("queued")):
            question, detail = f"Take {self.run.id} out of the queue?", ""
            do: Callable[[], object] = partial(self._do, run_actions.stop)
        else:
            if self._refused("stop"):
                return
            question, detail = f"Stop {self.run.id}?", "It writes a checkpoint first; r goes on later."
            do = partial(self._send, "stop")

        def take(yes: bool | None) -> None:
            if yes:
                do()

        self.app.push_screen(Confirm(question, detail, "Stop"), take)

    def action_pause(self) -> None:
        self.action_ask("unpause" if self.view.state == "paused" else "pause")

    def action_ask(self, action: str) -> None:
        if not self._refused(action):
            self._send(action)

    def action_set(self) -> None:
        if self._refused("set"):
            return
        if self.dlkit.catalog is None:
            self.notify("the plugins are still being loaded", severity="warning")
            return
        from dlkit.tui.run.set_dialog import SetDialog

        def take(change: tuple[str, object] | None) -> None:
            if change is not None:
                self._send("set", *change)

        self.app.push_screen(SetDialog(self.dlkit.catalog, self.view), take)

    def action_resume(self) -> None:
        state = self.view.state
        if state == "paused":
            self.action_ask("unpause")
        elif state == "completed":
            self.app.push_screen(Ask("It is complete. Train until how many epochs in all?"), self._train_longer)
        elif state in run_actions.RESUMABLE:
            self._resume(None)
        else:
            self.notify(f"{self.run.id} is {state}: there is nothing to resume", severity="warning", markup=False)

    def _train_longer(self, text: str | None) -> None:
        if not text:
            return
        if text.strip().isdecimal():
            self._resume({"epochs": int(text)})
        else:
            self.notify(f"{text!r} is not a number of epochs", severity="error", markup=False)

    def _resume(self, overrides: dict[str, object] | None) -> None:
        catalog = self.dlkit.catalog
        if catalog is None:
            self.notify("the plugins are still being loaded", severity="warning")
        else:
            self._do(lambda run: run_actions.resume(catalog, run, overrides=overrides))

    def action_playground(self) -> None:
        self.dlkit.open_playground(self.run)

    def action_tool(self) -> None:
        """Choose what else to do with the run; it is done by the command that does it anywhere."""
        if self._lies_elsewhere("does that"):
            return
        self._list_tools()

    @work(thread=True, exclusive=True, group="tools", exit_on_error=False)
    def _list_tools(self) -> None:
        """In a thread: how often test was looked at is in other runs' folders."""
        self.post_message(self.Tools(tools_of(self.run, Path.cwd() / "exports")))

    def on_run_screen_tools(self, message: Tools) -> None:
        tools = message.tools

        def take(name: str | None) -> None:
            if name is not None:
                self.app.push_screen(CommandDialog(f"{name}: {self.run.id}", [tools[name].words]), tell)

        def tell(_: bool | None) -> None:
            self.dlkit.poller.nudge()

        self.app.push_screen(ChooseDialog("With this run", choices(tools), ""), take)

    def action_why(self) -> None:
        self.app.push_screen(TextDialog(f"why: {self.run.id}", self.verdicts.text(int(0.95 * self.size.width) - 5)))

    def action_again(self) -> None:
        self.dlkit.open_again(self.run)

    def action_fork(self) -> None:
        self.dlkit.open_again(self.run, fork=True)

    def action_rename(self) -> None:
        def take(name: str | None) -> None:
            if name is not None:
                self._do(partial(run_actions.rename, text=name))

        self.app.push_screen(Ask(f"A name for {self.run.id}", str(self.view.record.get("name") or "")), take)

    def action_tag(self) -> None:
        def take(words: str | None) -> None:
            if words is not None:
                self._do(partial(run_actions.retag, words=words))

        now = " ".join(labels(self.run.path).tags)
        self.app.push_screen(Ask(f"Tags of {self.run.id}, with spaces between them", now), take)

    def action_note(self) -> None:
        def take(text: str | None) -> None:
            if text is not None and text.strip():
                self._do(partial(run_actions.note, text=text))

        self.app.push_screen(Ask(f"A note on {self.run.id}", ""), take)

    def _lies_elsewhere(self, deed: str) -> bool:
        """Whether the run's checkpoints are on another machine; then it is said who does it."""
        name = mirrors.name_of(self.run.path)
        if name:
            text = f"its checkpoints lie on {name}, and are not copied here: dlkit there {deed}"
            self.notify(text, severity="warning", markup=False)
        return bool(name)

    def _refused(self, action: str) -> bool:
        """Whether the run cannot be asked that now; then it is said why."""
        text = why_not(self.view, action)
        if text:
            self.notify(text, severity="warning", markup=False)
        return bool(text)

    @work(thread=True, group="send", exit_on_error=False)
    def _send(self, action: str, key: str = "", value: object = None) -> None:
        try:
            identity = run_actions.ask(self.run, action, key, value)
        except DlkitError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.post_message(self.Sent(identity, action))

    def on_run_screen_sent(self, message: Sent) -> None:
        self._pending.sent(message.identity, message.action, time.monotonic() + PATIENCE)
        self.set_timer(PATIENCE + 0.1, self._tell_overdue)
        self.dlkit.poller.nudge()
        self.on_run_screen_seen(self.Seen())  # the answer may have been seen before this

    def _tell_overdue(self) -> None:
        for action in self._pending.overdue(time.monotonic()):
            text = f"{self.run.id} has not answered to {action} yet; the command stays in line"
            self.notify(text, severity="warning", markup=False)

    @work(thread=True, group="do", exit_on_error=False)
    def _do(self, action: Callable[[RunFolder], str]) -> None:
        try:
            text, severity = action(self.run), "information"
        except (DlkitError, OSError, ValueError) as error:
            text, severity = str(error), "error"
        self.notify(text, severity=severity, markup=False)  # type: ignore[arg-type]
        self.dlkit.poller.nudge()


def make_pane(name: str) -> Pane:
    """A pane by its name, which is its id."""
    module, _, kind = PANES[name][2].partition(":")
    pane: Pane = getattr(import_module(module), kind)()
    pane.id = name
    return pane


class PaneNames(Horizontal):
    """The names of the panes, with their keys."""

    DEFAULT_CSS = """
    PaneNames { height: 1; background: $panel; }
    PaneNames > PaneName { width: auto; padding: 0 1; color: $text-muted; }
    PaneNames > PaneName.here { color: $text; text-style: bold reverse; }
    """

    def compose(self) -> ComposeResult:
        for name, (key, text, _) in PANES.items():
            yield PaneName(name, f"{key} {text}")


class PaneName(Static):
    """A click shows its pane."""

    def __init__(self, pane: str, text: str) -> None:
        super().__init__(text, markup=False)
        self.pane = pane

    async def on_click(self) -> None:
        await self.run_action(f"screen.pane('{self.pane}')")

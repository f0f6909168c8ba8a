"""Launch: the form that starts a run, every option of its components with its widget, and the command that does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import DescendantFocus
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Static
from textual.worker import get_current_worker

from dlkit.catalog import Catalog
from dlkit.monitor.form import Checked, Form
from dlkit.monitor.form_check import check
from dlkit.present.commands import tool
from dlkit.tui.launch.estimate_line import EstimateLine
from dlkit.tui.launch.field_list import FieldList
from dlkit.tui.launch.fields import FieldRow, Pick, about
from dlkit.tui.launch.parts import FittedText, PartChoice, PartChoices
from dlkit.tui.launch.section import Heading
from dlkit.tui.launch.start_bar import HELP as START_HELP
from dlkit.tui.launch.start_bar import StartBar
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.dialogs import Confirm
from dlkit.tui.shared.filter_line import FilterLine

TYPING_SECONDS = 0.15
"""How long a form is left alone while somebody types, before it is checked."""
_HELP = {
    **START_HELP,
    "copy": ("Enter copies the command line that does the same as this form.",),
    "filter": (
        "Type a word of a field's name or description.",
        "Enter goes to the first field found; escape shows all fields again.",
    ),
}


class LaunchScreen(Area):
    """The form of a task. Plugin code (option classes, validators) runs in a thread; its answer is ``Looked``."""

    area = "home"
    tour = "2 of 4: Enter trains"
    DEFAULT_CSS = """
    LaunchScreen #title { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    LaunchScreen #general { height: auto; max-height: 5; padding: 0 1; color: $text-error; display: none; }
    LaunchScreen FieldList { margin-top: 1; }
    LaunchScreen #about { padding: 0 1; background: $surface; color: $text-muted; }
    LaunchScreen #bottom { height: auto; padding: 0 1; background: $panel; }
    LaunchScreen #command { width: 1fr; }
    LaunchScreen #bottom Button { min-width: 8; margin-left: 1; }
    LaunchScreen.-wide PartChoices { grid-size: 3; }
    LaunchScreen.-wide FieldRow Editor { width: 40; }
    LaunchScreen.-wide FieldRow Input { width: 40; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start(False)", "Start", id="launch.start", tooltip="Start the run now"),
        Binding("ctrl+o", "start(True)", "Queue", id="launch.queue", tooltip="Start it when a device is free"),
        Binding("slash", "filter", "Filter", id="launch.filter", tooltip="Find a field", key_display="/"),
        Binding("f3", "filter", "Filter", id="launch.find", tooltip="Also while something is typed", key_display="F3"),
        Binding("f2", "estimate", "How long?", id="launch.estimate", tooltip="Tries a few steps", key_display="F2"),
        Binding("ctrl+y", "copy", "Copy command", id="launch.copy"),
        Binding("ctrl+r", "reset", "Reset", id="launch.reset", tooltip="Back to the field's default"),
        Binding("ctrl+g", "problem", "Next problem", show=False, id="launch.problem"),
        Binding("up", "app.focus_previous", "Field above", show=False, id="launch.up"),
        Binding("down", "app.focus_next", "Field below", show=False, id="launch.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="launch.pageup"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="launch.pagedown"),
    ]

    class Looked(Message):
        """The form has been checked."""

        def __init__(self, checked: Checked) -> None:
            self.checked = checked
            super().__init__()

    def __init__(self, form: Form, again: str = "") -> None:
        """``again``: the run that the form was filled from."""
        filled = f"{'fork of' if form.fork is not None else 'again, with changes:'} {again}"
        super().__init__(filled if again else f"start a run of {form.task}")
        self._first = self._form = form
        self._copy_wanted = self._estimate_wanted = False
        """Copy the command, or try a few steps, as soon as what was typed last has been read."""
        self._checked: Checked | None = None
        self._timer: Timer | None = None
        self._wanted: bool | None = None
        """Start as soon as the form has been read: True for the queue."""

    def body(self) -> ComposeResult:
        yield Static(self._form.task, id="title", markup=False)
        yield StartBar()
        yield EstimateLine()
        yield PartChoices()
        yield Static(id="general", markup=False)
        yield FilterLine("a word of a field's name or description")
        yield FieldList()
        yield FittedText(2, 4, id="about")
        with Horizontal(id="bottom"):
            yield FittedText(1, 3, id="command")
            yield Button("Copy", id="copy", compact=True)

    def on_mount(self) -> None:
        self.query_one("#start", Button).focus()
        if self.dlkit.catalog is not None:
            self.plugins_loaded()

    @property
    def _bar(self) -> StartBar:
        return self.query_one(StartBar)

    @property
    def _estimate(self) -> EstimateLine:
        return self.query_one(EstimateLine)

    @property
    def _fields(self) -> FieldList:
        return self.query_one(FieldList)

    @property
    def checked(self) -> Checked | None:
        """The form as it stands; None until its options have been read, or if something was typed since."""
        return self._checked if self._checked is not None and self._checked.form is self._form else None

    # Checking

    def plugins_loaded(self) -> None:
        self._bar.say("reading the options …")
        self._look_soon(0)

    def _change(self, form: Form, after: float = TYPING_SECONDS) -> None:
        self._form = form
        self._estimate.forget()
        self._look_soon(after)

    def _look_soon(self, after: float) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if after:
            self._timer = self.set_timer(after, self._look_now)
        else:
            self._look_now()

    def _look_now(self) -> None:
        if self.dlkit.catalog is not None:
            self._look(self._form, self.dlkit.catalog, self.workspace)

    @work(thread=True, exclusive=True, group="form", exit_on_error=False)
    def _look(self, form: Form, catalog: Catalog, workspace: Path) -> None:
        checked = check(form, catalog, workspace)
        if not get_current_worker().is_cancelled:
            self.post_message(self.Looked(checked))

    async def on_launch_screen_looked(self, message: Looked) -> None:
        await self._take(message.checked)
        if self._copy_wanted and self.checked is not None:
            self.action_copy()
        if self._estimate_wanted and self.checked is not None:
            self.action_estimate()
        if self._wanted is not None and self._checked is not None:
            wanted, self._wanted = self._wanted, None
            self.action_start(wanted)

    async def _take(self, checked: Checked) -> None:
        """Show what was found, unless somebody has typed on: then another look follows."""
        if checked.asked is not self._form:
            return
        if checked.dropped:
            names = ", ".join(checked.dropped)
            self.notify(f"{names}: not an option of what is chosen now; dropped", markup=False)
        self._checked, self._form = checked, checked.form
        await self._show(checked)

    async def _show(self, checked: Checked) -> None:
        title = f"{checked.title}. {checked.summary}" if checked.title else self._form.task
        self.query_one("#title", Static).update(title, layout=False)
        self._show_general(checked.general)
        await self.query_one(PartChoices).show(checked)
        self._fields.show(checked.sections)
        self.query_one("#command", FittedText).say(f"$ {self._command(checked)}")
        self._bar.say_state(checked)
        self._tell_about()

    def _show_general(self, problems: Sequence[str]) -> None:
        """What is wrong and belongs to no field."""
        general = self.query_one("#general", Static)
        if problems or general.display:
            general.update("\n".join(f"! {line}" for line in problems))
            general.display = bool(problems)

    def _command(self, checked: Checked) -> str:
        return checked.command(self.workspace, queued=bool(checked.priority or checked.after), tool=tool())

    # Editing

    def on_field_row_edited(self, message: FieldRow.Edited) -> None:
        self._change(self._form.set(message.key, message.text))

    def on_field_row_reset(self, message: FieldRow.Reset) -> None:
        self._reset(message.key)

    def on_part_choice_chosen(self, message: PartChoice.Chosen) -> None:
        form, part = self._form, message.part
        new = replace(form, preset=message.name) if part == "preset" else form.choose(part, message.name)
        self._change(new, 0)

    def action_reset(self) -> None:
        """The focused field, or component, back to its default."""
        focused, row = self.focused, self._fields.row()
        if row is not None:
            self._reset(row.field.key)
        elif isinstance(focused, Pick) and isinstance(focused.parent, PartChoice):
            focused.parent.reset()

    def _reset(self, key: str) -> None:
        self._change(self._form.reset(key), 0)
        self._fields.reset(key)

    def action_copy(self) -> None:
        """The command line into the clipboard, as far as the terminal has one; with what is being typed in a field."""
        self._copy_wanted = self.checked is None
        if self.checked is None:
            self._look_soon(0)
            return
        command = self._command(self.checked)
        self.app.copy_to_clipboard(command)
        self.notify(f"copied: {command}", markup=False)

    def action_estimate(self) -> None:
        """Try a few steps, as soon as what was typed last has been read."""
        self._estimate_wanted = self.checked is None
        if self.checked is None:
            self._look_soon(0)
        elif self.checked.problems:
            self.action_problem()
        else:
            self._estimate.ask(self.checked, self.workspace)

    # Moving about

    def action_page(self, by: int) -> None:
        self._fields.page(by)

    def action_problem(self) -> None:
        """To the next field that is refused."""
        self._fields.go_to_problem()

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        self._tell_about()

    def _tell_about(self) -> None:
        """What the focused thing is, in two lines."""
        lines = _HELP["start"] if self.focused is None else _about(self.focused)
        self.query_one("#about", FittedText).say("\n".join(lines))

    def action_filter(self) -> None:
        self.query_one(FilterLine).open()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        self._fields.find(message.text)

    def on_filter_line_left(self, message: FilterLine.Left) -> None:
        """To the first field found; without the filter, somebody who has gone to a field stays there."""
        if message.kept:
            self._fields.go_to_first()
        elif self._fields.row() is None:
            self.query_one("#start", Button).focus()

    def on_input_submitted(self) -> None:
        """Enter in a field goes to the next one."""
        self.focus_next()

    # Starting

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "copy":
            self.action_copy()
        elif event.button.id == "machine":
            self._bar.choose_machine()
        else:
            self.action_start(event.button.id == "queue")

    def action_start(self, queued: bool) -> None:
        """Start now, or queue; once the options have been read."""
        catalog = self.dlkit.catalog
        if self._checked is None or catalog is None:
            self._wanted = queued
            self._bar.say("starts when the options are read …")
        else:
            form = replace(self._form, estimate=self._estimate.known(self._form))
            self._estimate.forget()  # a run that begins has all cores
            self._bar.start(form, catalog, self.workspace, queued=queued)

    def on_start_bar_fetched(self, message: StartBar.Fetched) -> None:
        self.action_start(message.queued)

    async def on_start_bar_refused(self, message: StartBar.Refused) -> None:
        await self._take(message.checked)
        self.notify(message.reason, title="not started", severity="error", markup=False)
        self.action_problem()

    def on_start_bar_done(self, message: StartBar.Done) -> None:
        """To the run, unless somebody has gone elsewhere meanwhile."""
        run, queued, reason = message.submitted
        here = self.app.screen is self
        if queued:
            self.notify(f"{run.id} is queued{f': {reason}' if reason else ''}", markup=False)
        elif not here:
            self.notify(f"{run.id} is started", markup=False)
        if here:
            app = self.dlkit
            app.pop_screen()
            app.open_run(run)

    def on_start_bar_begun(self, message: StartBar.Begun) -> None:
        """To the studies, unless somebody has gone elsewhere meanwhile."""
        self.notify(f"{message.runs} runs are queued, as study {message.study}", markup=False)
        if self.app.screen is self:
            self.app.pop_screen()
            self.dlkit.open_studies()

    # Leaving

    def action_back(self) -> None:
        """Out of the filter; out of the form, which asks if there is something to lose."""
        if self.query_one(FilterLine).leave():
            return
        if self._changed():
            self.app.push_screen(Confirm("Leave this form?", "What you changed is lost.", yes="Leave"), self._leave)
        else:
            super().action_back()

    def _changed(self) -> bool:
        """Whether anything differs from the form as it was opened; text that was typed and taken back does not."""
        form, first = self._form, self._first
        if (form.preset, form.names) != (first.preset, first.names):
            return True
        if form.settings == first.settings:
            return False
        same = {field.key for field in self.checked.fields() if not field.changed} if self.checked else ()
        return any(key not in same for key in form.settings)

    def _leave(self, sure: bool | None) -> None:
        if sure:
            super().action_back()


def _about(focused: Widget) -> Sequence[str]:
    for widget in focused.ancestors_with_self:
        if isinstance(widget, FieldRow):
            return about(widget.field)
        if isinstance(widget, PartChoice | Heading):
            return widget.about()
    return _HELP.get(focused.id or "", ())

"""Launch: the form that starts a run, every option of its components with its widget, and the command that does it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.events import DescendantFocus
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Button, Input, Static
from textual.worker import get_current_worker

from dlkit.catalog import Catalog
from dlkit.cli.common import size
from dlkit.cli.ending import tool
from dlkit.errors import DlkitError
from dlkit.monitor.form import Checked, Form
from dlkit.monitor.form_check import check
from dlkit.monitor.form_fields import Field, Section
from dlkit.monitor.form_submit import Submitted, hand_in
from dlkit.tui.area import Area
from dlkit.tui.dialogs import Confirm
from dlkit.tui.fields import FieldRow, Pick, about
from dlkit.tui.launch_parts import PartChoice, PartChoices
from dlkit.tui.launch_section import SectionBox

TYPING_SECONDS = 0.15
"""How long a form is left alone while somebody types, before it is checked."""
_START_HELP = (
    "Enter starts the run as it is; or go down and change something first.",
    "It runs in a process of its own, which goes on when this one is closed.",
)


class LaunchScreen(Area):
    """The form of a task. Plugin code (option classes, validators) runs in a thread; its answer is ``Looked``."""

    area = "tasks"
    DEFAULT_CSS = """
    LaunchScreen #title { height: 1; padding: 0 1; text-wrap: nowrap; text-overflow: ellipsis; }
    LaunchScreen #actions { height: 1; padding: 0 1; }
    LaunchScreen #actions Button { margin-right: 1; min-width: 10; }
    LaunchScreen #status { width: 1fr; text-align: right; text-wrap: nowrap; text-overflow: ellipsis; }
    LaunchScreen #status.wrong { color: $text-error; text-style: bold; }
    LaunchScreen #general { height: auto; max-height: 5; padding: 0 1; color: $text-error; display: none; }
    LaunchScreen #filter { display: none; margin: 0 1; width: 1fr; }
    LaunchScreen #fields { height: 1fr; overflow-y: auto; padding: 0 1; margin-top: 1; scrollbar-size-vertical: 1; }
    LaunchScreen #about { height: 2; padding: 0 1; background: $surface; color: $text-muted; }
    LaunchScreen #bottom { height: auto; max-height: 3; padding: 0 1; background: $panel; }
    LaunchScreen #command { width: 1fr; height: auto; max-height: 3; }
    LaunchScreen.-wide PartChoices { grid-size: 3; }
    LaunchScreen.-wide FieldRow Editor { width: 40; }
    LaunchScreen.-wide FieldRow Input { width: 40; }
    LaunchScreen #bottom Button { min-width: 8; margin-left: 1; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start(False)", "Start", id="launch.start", tooltip="Start the run now"),
        Binding("ctrl+o", "start(True)", "Queue", id="launch.queue", tooltip="Start it when a device is free"),
        Binding("slash,f3", "filter", "Filter", id="launch.filter", tooltip="Find a field", key_display="/"),
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

    class Refused(Message):
        """It was not started."""

        def __init__(self, reason: str) -> None:
            self.reason = reason
            super().__init__()

    class Lacking(Message):
        """It was not started, for its data must be fetched first."""

        def __init__(self, checked: Checked, queued: bool) -> None:
            self.checked, self.queued = checked, queued
            super().__init__()

    class Done(Message):
        """A run was handed over."""

        def __init__(self, submitted: Submitted) -> None:
            self.submitted = submitted
            super().__init__()

    def __init__(self, task: str, preset: str = "") -> None:
        super().__init__(f"start a run of {task}")
        self._first = self._form = Form(task, preset)
        self._checked: Checked | None = None
        self._boxes: dict[str, SectionBox] = {}
        self._complete = False
        """All sections are there."""
        self._timer: Timer | None = None
        self._wanted: bool | None = None
        """Start as soon as the form has been read: True for the queue."""
        self._busy = False

    def body(self) -> ComposeResult:
        yield Static(self._form.task, id="title", markup=False)
        with Horizontal(id="actions"):
            yield Button("Start (ctrl+s)", id="start", variant="primary", compact=True)
            yield Button("Queue (ctrl+o)", id="queue", compact=True)
            yield Static("loading the plugins …", id="status", markup=False)
        yield PartChoices()
        yield Static(id="general", markup=False)
        yield Input(placeholder="a word of a field's name or description", compact=True, id="filter")
        yield Vertical(id="fields")
        yield Static(id="about", markup=False)
        with Horizontal(id="bottom"):
            yield Static(id="command", markup=False)
            yield Button("Copy", id="copy", compact=True)

    def on_mount(self) -> None:
        self.query_one("#start", Button).focus()
        if self.dlkit.catalog is not None:
            self.plugins_loaded()

    # Checking

    def plugins_loaded(self) -> None:
        self._say("reading the options …")
        self._look_soon(0)

    def _change(self, form: Form, after: float = TYPING_SECONDS) -> None:
        self._form = form
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
        checked = message.checked
        if checked.asked is not self._form:  # somebody has typed on: another look follows
            return
        if checked.dropped:
            names = ", ".join(checked.dropped)
            self.notify(f"{names}: not an option of what is chosen now; dropped", markup=False)
        self._checked, self._form = checked, checked.form
        await self._show(checked)
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self.action_start(wanted)

    # Showing

    async def _show(self, checked: Checked) -> None:
        title = f"{checked.title}. {checked.summary}" if checked.title else self._form.task
        self.query_one("#title", Static).update(title)
        general = self.query_one("#general", Static)
        general.update("\n".join(f"! {line}" for line in checked.general))
        general.display = bool(checked.general)
        await self.query_one(PartChoices).show(checked)
        await self._show_sections()
        self.query_one("#command", Static).update("$ " + self._command(checked))
        self._say_state(checked)
        self._tell_about()

    async def _show_sections(self) -> None:
        """Those with the same fields as before stay, with what is typed and focused in them; of the others one is made
        at a time, so that the screen is drawn in between."""
        sections = self._checked.sections if self._checked else ()
        for key in self._boxes.keys() - {section.key for section in sections}:
            await self._boxes.pop(key).remove()
        before: SectionBox | None = None
        for section in sections:
            box = self._boxes.get(section.key)
            if box is None or not box.fits(section):
                await self._make(section, before)
                self.call_after_refresh(self._show_sections)
                return
            box.show(section)
            before = box
        self._complete = True

    async def _make(self, section: Section, before: SectionBox | None) -> None:
        old = self._boxes.get(section.key)
        new = self._boxes[section.key] = SectionBox(section, opened=old.opened if old else section.main)
        new.set_word(self._word)
        if old is not None:
            await old.remove()
        fields = self.query_one("#fields", Vertical)
        if before is None and len(fields.children):
            await fields.mount(new, before=0)
        else:
            await fields.mount(new, after=before)

    def _command(self, checked: Checked) -> str:
        return checked.command(self.workspace, queued=bool(checked.priority or checked.after), tool=tool())

    def _say_state(self, checked: Checked) -> None:
        count, need = checked.problems, checked.data
        if count:
            self._say(f"{count} problem{'s' * (count > 1)} (ctrl+g)", wrong=True)
        elif need.sources:
            self._say(f"data: {size(need.size)} to be downloaded first")
        else:
            self._say({"yours": "data: your own files", "unknown": "data: unknown"}.get(need.state, "ready"))

    def _say(self, text: str, *, wrong: bool = False) -> None:
        status = self.query_one("#status", Static)
        status.update(text)
        status.set_class(wrong, "wrong")

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
        focused, row = self.focused, self._row()
        if row is not None:
            self._reset(row.field.key)
        elif isinstance(focused, Pick) and isinstance(focused.parent, PartChoice):
            focused.parent.reset()

    def _row(self) -> FieldRow | None:
        """The field that has the focus."""
        return next((a for a in self.focused.ancestors if isinstance(a, FieldRow)), None) if self.focused else None

    def _reset(self, key: str) -> None:
        self._change(self._form.reset(key), 0)
        for box in self._boxes.values():
            if key in box.rows:
                row = box.rows[key]
                default = row.field.default
                row.show(_as_default(row), over_typing=True)
                if isinstance(row.editor, Input):
                    row.editor.cursor_position = len(default)

    def action_page(self, by: int) -> None:
        fields = self.query_one("#fields", Vertical)
        fields.scroll_relative(y=by * max(1, fields.size.height - 1), animate=False)

    # The field that is focused

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        self._tell_about()

    def _tell_about(self) -> None:
        """What the focused thing is, in two lines."""
        lines: tuple[str, ...] | list[str] = _START_HELP
        focused = self.focused
        for parent in focused.ancestors_with_self if focused else ():
            if isinstance(parent, FieldRow):
                lines = list(about(parent.field))
            elif isinstance(parent, PartChoice):
                lines = list(parent.about())
        self.query_one("#about", Static).update("\n".join(lines))

    def action_problem(self) -> None:
        """To the next field that is refused."""
        self.run_worker(self._to_problem(), group="problem", exclusive=True, exit_on_error=False)

    async def _to_problem(self) -> None:
        wrong = [field.key for field in self._checked.fields() if field.problem] if self._checked else []
        if not wrong:
            return
        here = (
            next((a.field.key for a in self.focused.ancestors if isinstance(a, FieldRow)), "") if self.focused else ""
        )
        key = wrong[(wrong.index(here) + 1) % len(wrong)] if here in wrong else wrong[0]
        box = next((box for box in self._boxes.values() if box.has(key)), None)
        if box is None:
            return
        await box.open()
        box.rows[key].editor.focus()

    # Filter

    @property
    def _word(self) -> str:
        return self.query_one("#filter", Input).value.strip()

    def action_filter(self) -> None:
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    async def on_input_changed(self, event: Input.Changed) -> None:
        if event.input.id == "filter":
            await self._find(self._word)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the filter goes to the first field found; in a field, to the next one."""
        if event.input.id == "filter":
            rows = [row for row in self.query(FieldRow) if row.display and row.editor.region.height]
            if rows:
                rows[0].editor.focus()
        else:
            self.focus_next()

    async def _find(self, word: str) -> None:
        for box in self._boxes.values():
            if word and not box.opened and any(field.matches(word) for field in box.section.fields):
                await box.open()
            box.set_word(word)

    async def _stop_filter(self) -> None:
        box = self.query_one("#filter", Input)
        with self.prevent(Input.Changed):
            box.value = ""
        box.display = False
        self.query_one("#start", Button).focus()
        await self._find("")

    # Starting

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.action_start(event.button.id == "queue")

    def action_copy(self) -> None:
        """The command line into the clipboard, as far as the terminal has one."""
        if self._checked is not None:
            self.app.copy_to_clipboard(self._command(self._checked))
            self.notify("the command is copied")

    def action_start(self, queued: bool) -> None:
        """Start now, or queue; first what must be first: reading the options, fetching the data."""
        if self._busy:
            return
        if self._checked is None or self.dlkit.catalog is None:
            self._wanted = queued
            self._say("starts when the options are read …")
            return
        self._busy = True
        self._say("starting …")
        self._start(self._form, self.dlkit.catalog, self.workspace, queued)

    @work(thread=True, exclusive=True, group="start", exit_on_error=False)
    def _start(self, form: Form, catalog: Catalog, workspace: Path, queued: bool) -> None:
        checked = check(form, catalog, workspace)
        self.post_message(self.Looked(checked))
        if checked.problems:
            self.post_message(self.Refused(_first_problem(checked)))
        elif checked.data.sources:
            self.post_message(self.Lacking(checked, queued))
        else:
            self.post_message(_handed_in(checked, catalog, workspace, queued))

    def on_launch_screen_refused(self, message: Refused) -> None:
        self._busy = False
        self.notify(message.reason, title="not started", severity="error", markup=False)
        if self._checked is not None:
            self._say_state(self._checked)
            self.action_problem()

    def on_launch_screen_lacking(self, message: Lacking) -> None:
        from dlkit.tui.fetch import FetchDialog

        self._busy = False
        need, queued = message.checked.data, message.queued
        self._say_state(message.checked)

        def go_on(fetched: bool | None) -> None:
            if fetched:
                self.action_start(queued)

        def fetch(wanted: bool | None) -> None:
            if wanted:
                self.app.push_screen(FetchDialog(need.sources, need.size, self.workspace), go_on)

        question = f"Download {', '.join(need.sources)} ({size(need.size)}) first?"
        detail = "The data set is not here yet. The run starts when it is."
        self.app.push_screen(Confirm(question, detail, yes="Download and start"), fetch)

    def on_launch_screen_done(self, message: Done) -> None:
        run, queued, reason = message.submitted
        app, self._busy = self.dlkit, False
        if queued:
            self.notify(f"{run.id} is queued{f': {reason}' if reason else ''}", markup=False)
        if app.screen is self:
            app.pop_screen()
            app.open_run(run)

    # Leaving

    def action_back(self) -> None:
        """Out of the filter; out of the form, which asks if there is something to lose."""
        if self.query_one("#filter", Input).display:
            self.run_worker(self._stop_filter(), group="filter", exit_on_error=False)
        elif self._form == self._first:
            super().action_back()
        else:
            self.app.push_screen(Confirm("Leave this form?", "What you changed is lost.", yes="Leave"), self._leave)

    def _leave(self, sure: bool | None) -> None:
        if sure:
            super().action_back()


def _as_default(row: FieldRow) -> Field:
    return replace(row.field, text=row.field.default, changed=False, problem="")


def _first_problem(checked: Checked) -> str:
    """The first thing that is wrong, in a line."""
    wrong = [f"{field.key}: {field.problem}" for field in checked.fields() if field.problem]
    return [*checked.general, *wrong][0]


def _handed_in(checked: Checked, catalog: Catalog, workspace: Path, queued: bool) -> Message:
    try:
        return LaunchScreen.Done(hand_in(checked, catalog, workspace, queued=queued))
    except DlkitError as error:
        return LaunchScreen.Refused(str(error))
    except OSError as error:
        return LaunchScreen.Refused(f"{workspace}: {error.strerror or error}")

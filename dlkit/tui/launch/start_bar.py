"""Starting from the form: its buttons, how it stands in a word, the data fetched first, the run handed in."""

from __future__ import annotations

from pathlib import Path

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Button, Static

from dlkit.catalog import Catalog
from dlkit.errors import DlkitError
from dlkit.jobs.handover import HandedOver
from dlkit.monitor.data_state import BY_HAND
from dlkit.monitor.form import Checked, Form
from dlkit.monitor.form_check import check
from dlkit.monitor.form_study import begin
from dlkit.monitor.form_submit import hand_in
from dlkit.present.numbers import size
from dlkit.tui.shared.choose import ChooseDialog
from dlkit.tui.shared.dialogs import Confirm
from dlkit.tui.shared.elsewhere import HERE, hand_in_there, machines

HELP = {
    "start": (
        "Enter starts the run as it is; or go down and change something first.",
        "It runs in a process of its own, which goes on when this one is closed.",
    ),
    "queue": (
        "Enter queues the run: it starts by itself when a device is free.",
        "The last section has its priority, and runs that must be completed before.",
    ),
    "machine": (
        "Enter chooses the machine that starts it: this one, or another (dlkit remote list).",
        "There its own plugins, data and devices count; a folder in a field is one over there.",
    ),
}
"""What the buttons do, by their id."""


class StartBar(Horizontal):
    """Start, Queue, and at the right how things stand. ``start`` does it; what comes of it are messages."""

    DEFAULT_CSS = """
    StartBar { height: 1; padding: 0 1; }
    StartBar Button { margin-right: 1; min-width: 10; }
    StartBar #status { width: 1fr; text-align: right; text-wrap: nowrap; text-overflow: ellipsis; }
    StartBar #status.wrong { color: $text-error; text-style: bold; }
    """

    class Refused(Message):
        """It was not started; ``checked`` has the problems, if the form has some."""

        def __init__(self, checked: Checked, reason: str) -> None:
            self.checked, self.reason = checked, reason
            super().__init__()

    class Lacking(Message):
        """It was not started, for its data must be fetched first."""

        def __init__(self, checked: Checked, workspace: Path, queued: bool) -> None:
            self.checked, self.workspace, self.queued = checked, workspace, queued
            super().__init__()

    class Fetched(Message):
        """The data is here: go on."""

        def __init__(self, queued: bool) -> None:
            self.queued = queued
            super().__init__()

    class Done(Message):
        """A run was handed over."""

        def __init__(self, submitted: HandedOver) -> None:
            self.submitted = submitted
            super().__init__()

    class Begun(Message):
        """A study was begun: many runs are queued, one after the other."""

        def __init__(self, study: str, runs: int) -> None:
            self.study, self.runs = study, runs
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._busy = False
        self.machine = HERE
        """Where the run is started: another machine's name, or this one."""

    def compose(self) -> ComposeResult:
        yield Button("Start (ctrl+s)", id="start", variant="primary", compact=True)
        yield Button("Queue (ctrl+o)", id="queue", compact=True)
        if len(machines()) > 1:
            yield Button(f"On {self.machine}", id="machine", compact=True)
        yield Static("loading the plugins …", id="status", markup=False)

    def choose_machine(self) -> None:
        """Ask where it is to be started."""

        def take(name: str | None) -> None:
            if name is not None:
                self.machine = name
                self.query_one("#machine", Button).label = f"On {name}"

        self.app.push_screen(ChooseDialog("Start on", tuple((name, name) for name in machines()), self.machine), take)

    def say(self, text: str, *, wrong: bool = False) -> None:
        status = self.query_one("#status", Static)
        status.update(text, layout=False)
        status.set_class(wrong, "wrong")

    def say_state(self, checked: Checked) -> None:
        """How many problems the form has, else what becomes of its data."""
        if self._busy:
            return
        if checked.problems:
            key = " (ctrl+g)" if any(field.problem for field in checked.fields()) else ""
            self.say(f"{checked.problems} problem{'s' * (checked.problems > 1)}{key}", wrong=True)
        elif checked.data.sources:
            by_hand = checked.data.state == BY_HAND
            amount = f"{size(checked.data.size) if checked.data.size else 'files'} to be downloaded first"
            self.say(f"data: {'to be fetched by hand' if by_hand else amount}")
        else:
            data = {"yours": "data: your own files", "unknown": "data: unknown"}.get(checked.data.state, "")
            self.say(checked.ready if checked.form.fork is not None else data or checked.ready)

    def start(self, form: Form, catalog: Catalog, workspace: Path, *, queued: bool) -> None:
        """Have the run started, or queued; while that is being done, nothing."""
        if not self._busy:
            self._busy = True
            self.say("starting …")
            self._hand_in(form, catalog, workspace, queued, self.machine)

    @work(thread=True, exclusive=True, group="start", exit_on_error=False)
    def _hand_in(self, form: Form, catalog: Catalog, workspace: Path, queued: bool, machine: str) -> None:
        """What was typed last may not have been checked yet."""
        checked = check(form, catalog, workspace)
        if checked.problems:
            self.post_message(self.Refused(checked, first_problem(checked)))
        elif checked.data.sources and machine == HERE:  # of another machine, its own data count
            self.post_message(self.Lacking(checked, workspace, queued))
        else:
            self.post_message(_handed_in(checked, catalog, workspace, queued, machine))

    def on_start_bar_refused(self, message: Refused) -> None:
        self._busy = False
        self.say_state(message.checked)

    def on_start_bar_done(self, message: Done) -> None:
        self._busy = False
        self.say("queued" if message.submitted.queued else "started")

    def on_start_bar_begun(self, message: Begun) -> None:
        self._busy = False
        self.say(f"{message.runs} runs queued")

    def on_start_bar_lacking(self, message: Lacking) -> None:
        """Offer to fetch the data; then the run is started."""
        from dlkit.tui.shared.fetch import FetchDialog

        self._busy = False
        self.say_state(message.checked)
        need = message.checked.data

        def go_on(fetched: bool | None) -> None:
            if fetched:
                self.post_message(self.Fetched(message.queued))

        def fetch(wanted: bool | None) -> None:
            if wanted:
                self.app.push_screen(FetchDialog(need.sources, need.size, message.workspace, stays=False), go_on)

        names, what = ", ".join(need.sources), "queue" if message.queued else "start"
        amount = f" ({size(need.size)})" if need.size else ""
        question, yes = f"Download {names}{amount} first?", f"Download and {what}"
        if need.state == BY_HAND:
            question, yes = f"{names} is fetched by hand. Show how?", "Show"
        detail = f"The data set is not here yet. The run {what}s when it is."
        self.app.push_screen(Confirm(question, detail, yes=yes), fetch)


def first_problem(checked: Checked) -> str:
    """The first thing that is wrong, in a line."""
    wrong = [f"{field.key}: {field.problem}" for field in checked.fields() if field.problem]
    return [*checked.general, *wrong][0]


def _handed_in(checked: Checked, catalog: Catalog, workspace: Path, queued: bool, machine: str) -> Message:
    try:
        if machine != HERE:
            return StartBar.Done(hand_in_there(checked, workspace, machine, queued=queued))
        if checked.plan is not None:
            return StartBar.Begun(begin(checked.plan, workspace).id, checked.plan.trials)
        return StartBar.Done(hand_in(checked, catalog, workspace, queued=queued))
    except DlkitError as error:
        return StartBar.Refused(checked, str(error))
    except OSError as error:
        return StartBar.Refused(checked, f"{workspace}: {error.strerror or error}")
    # The boundary to a thread: whatever it was, the form must not say "starting …" for ever.
    except Exception as error:
        return StartBar.Refused(checked, f"{type(error).__name__}: {error}")

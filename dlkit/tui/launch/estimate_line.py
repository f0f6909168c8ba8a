"""The line of the form that says whether its run fits and how long it takes, once somebody asks."""

from __future__ import annotations

from pathlib import Path

from textual import work
from textual.message import Message

from dlkit.monitor.form import Checked, Form
from dlkit.monitor.form_estimate import FormEstimate, Known
from dlkit.runs.estimates import Estimate
from dlkit.tui.launch.parts import FittedText


class EstimateLine(FittedText):
    """Not there until it is asked for: a few steps take seconds of all cores, which other runs may need.

    What is said is of the form as it was asked about: ``forget`` when that is changed, left, or started.
    """

    DEFAULT_CSS = """
    EstimateLine { padding: 0 1; display: none; color: $text-muted; }
    EstimateLine.wrong { color: $text-error; }
    """

    class Found(Message):
        """An answer, to the question that was ``asked``."""

        def __init__(self, asked: FormEstimate, known: Known) -> None:
            self.asked, self.known = asked, known
            super().__init__()

    class Stage(Message):
        """What is being tried now."""

        def __init__(self, asked: FormEstimate, text: str) -> None:
            self.asked, self.text = asked, text
            super().__init__()

    def __init__(self) -> None:
        super().__init__(1, 3, id="estimate")
        self._asked: FormEstimate | None = None
        self._known: Known | None = None

    def ask(self, checked: Checked, workspace: Path) -> None:
        """Find out, in a process beside this one."""
        self.forget()
        self._asked = FormEstimate()
        self.display = True
        self.say("trying a few steps …")
        self._find(self._asked, checked, workspace)

    def forget(self) -> None:
        """End what is being tried; what was known is of another form."""
        if self._asked is not None:
            self._asked.end()
        self._asked = self._known = None
        self.remove_class("wrong")
        self.display = False

    def known(self, form: Form) -> Estimate | None:
        """What was found of this form."""
        return self._known.estimate if self._known is not None and self._known.form == form else None

    def on_unmount(self) -> None:
        if self._asked is not None:
            self._asked.end()

    @work(thread=True, exclusive=True, group="estimate", exit_on_error=False)
    def _find(self, asked: FormEstimate, checked: Checked, workspace: Path) -> None:
        known = asked.find(checked, workspace, lambda stage: self._tell(asked, stage))
        if not asked.ended:
            self.post_message(self.Found(asked, known))

    def _tell(self, asked: FormEstimate, stage: str) -> None:
        if not asked.ended:
            self.post_message(self.Stage(asked, stage))

    def on_estimate_line_stage(self, message: Stage) -> None:
        message.stop()
        if message.asked is self._asked and self._known is None:
            self.say(f"trying a few steps: {message.text} …")

    def on_estimate_line_found(self, message: Found) -> None:
        message.stop()
        if message.asked is self._asked:  # else the form has been changed meanwhile
            self._known = message.known
            self.set_class(not message.known.fits, "wrong")
            self.say(message.known.text)

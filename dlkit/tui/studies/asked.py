"""What can be asked of a study, wherever one is chosen: stop, go on, more seeds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import ClassVar, TypeVar

from textual import work
from textual.binding import Binding, BindingType
from textual.message import Message

from dlkit.errors import DlkitError
from dlkit.monitor import studies
from dlkit.monitor.studies import OneStudy
from dlkit.studies.folder import StudyFolder
from dlkit.studies.results import Results
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.dialogs import Ask, Confirm

T = TypeVar("T")


class AskedStudies(Area):
    """Base of the screens of studies: ``chosen`` is the study meant, ``found`` what is known of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "x", "stop", "Stop", id="studies.stop", tooltip="No more trials; those that run stop, checkpoints stay"
        ),
        Binding("r", "resume", "Go on", id="studies.resume", tooltip="Nothing that has ended trains again"),
        Binding("plus,equals_sign", "more", "More seeds", key_display="+", id="studies.more"),
    ]

    class Done(Message):
        def __init__(self, text: str, *, bad: bool = False) -> None:
            self.text, self.bad = text, bad
            super().__init__()

    def __init__(self, where: str = "") -> None:
        super().__init__(where)
        self._doing = threading.Lock()

    @property
    def chosen(self) -> StudyFolder | None:
        raise NotImplementedError

    @property
    def found(self) -> Results | None:
        raise NotImplementedError

    # Looking

    def keep_looking(self, look: Callable[[], T | None], tell: Callable[[T], Message]) -> None:
        """Have something looked at for as long as this screen is shown."""
        self.while_shown(self.dlkit.poller.watch(look, tell, self))

    # Doing

    def applies(self, action: str) -> bool:
        state = self.found.state if self.found is not None else ""
        if action == "stop":
            return state in ("running", "starting", "interrupted")
        if action == "resume":
            return state in ("stopped", "interrupted")
        return bool(state) if action in ("more", "choose") else True

    def action_stop(self) -> None:
        study = self.chosen
        if study is None or not self.applies("stop"):
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(partial(studies.stop, study))

        detail = "No more trials are started; those that run write a checkpoint and stop. r goes on."
        self.app.push_screen(Confirm(f"Stop {study.id}?", detail, yes="Stop", no="Let it go on"), answered)

    def action_resume(self) -> None:
        if self.chosen is not None and self.applies("resume"):
            self.do(partial(studies.go_on, self.chosen))

    def action_more(self) -> None:
        study, found = self.chosen, self.found
        if study is None or found is None:
            return

        def take(text: str | None) -> None:
            if text is not None:
                self.do(partial(studies.more_seeds, study, text))

        more = found.verdict.more or 1
        self.app.push_screen(Ask("How many more seeds for each setting?", str(min(more, 1000))), take)

    @work(thread=True, group="studies", exit_on_error=False)
    def do(self, action: Callable[[], str]) -> None:
        """In a thread; what came of it is a notice."""
        try:
            with self._doing:
                self.post_message(self.Done(action()))
        except (DlkitError, OSError, ValueError) as error:
            self.post_message(self.Done(str(error), bad=True))

    def on_asked_studies_done(self, message: Done) -> None:
        self.notify(message.text, severity="error" if message.bad else "information", markup=False)
        self.dlkit.poller.nudge()


class OfOneStudy(AskedStudies):
    """Base of the screens of one study: it is looked at for as long as the screen is shown, which
    ``show_found`` brings up to date."""

    class Looked(Message):
        """What is known of it now."""

        def __init__(self, results: Results) -> None:
            self.results = results
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, OfOneStudy.Looked)

    def __init__(self, study: StudyFolder) -> None:
        super().__init__(study.id)
        self._study = study
        self._results: Results | None = None

    @property
    def chosen(self) -> StudyFolder:
        return self._study

    @property
    def found(self) -> Results | None:
        return self._results

    def on_screen_resume(self) -> None:
        self.keep_looking(OneStudy(self._study).poll, self.Looked)

    def on_of_one_study_looked(self, message: Looked) -> None:
        self._results = message.results
        self.show_found(message.results)
        self.refresh_bindings()

    def show_found(self, found: Results) -> None:
        """There is something new."""
        raise NotImplementedError

"""What can be done with runs of the list: stopped, resumed, made again, named, removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from textual import work
from textual.message import Message

from dlkit.errors import DlkitError
from dlkit.monitor import run_actions
from dlkit.present.numbers import size
from dlkit.present.runs import titled
from dlkit.runs.folder import RunFolder, Summary
from dlkit.tui.shared.dialogs import Ask, Confirm
from dlkit.tui.shared.run_list import RunList

_WAITING = ("queued", "foreign")


class RunDeeds(RunList):
    """``chosen``: the runs that are meant; ``run``: that under the cursor."""

    class Done(Message):
        """What came of something that took its time."""

        def __init__(self, text: str, *, bad: bool = False) -> None:
            self.text, self.bad = text, bad
            super().__init__()

    @property
    def run(self) -> Summary | None:
        raise NotImplementedError

    @property
    def chosen(self) -> list[Summary]:
        raise NotImplementedError

    def action_stop(self) -> None:
        there = [run for run in self.chosen if run.state in (*run_actions.ALIVE, *_WAITING)]
        if not there:
            self.notify("nothing to stop: it neither runs nor waits", severity="warning")
            return
        names = ", ".join(map(titled, there))
        waiting = all(run.state in _WAITING for run in there)
        question = f"Stop {_runs(there)}? A checkpoint is written first."
        if waiting:
            question = f"Take {_runs(there)} out of the queue?"
        self._after(Confirm(question, names, "Stop"), lambda: self._do(there, run_actions.stop))

    def action_resume(self) -> None:
        there = [run for run in self.chosen if run.state in run_actions.RESUMABLE]
        catalog = self.dlkit.catalog
        if not there or catalog is None:
            self.notify("nothing to resume: only what was stopped, failed or interrupted can go on", severity="warning")
            return
        several = len(there) > 1
        self._do(there, lambda run: run_actions.resume(catalog, run, queued=several))

    def action_remove(self) -> None:
        there = self.chosen
        if any(run.state in run_actions.ALIVE for run in there):
            self.notify("a running job cannot be removed: stop it first", severity="warning")
            return
        if there:
            question = f"Remove {_runs(there)}, {size(sum(run.size for run in there))}? This cannot be undone."
            detail = "\n".join(map(titled, there[:8])) + (f"\n… {len(there) - 8} more" if len(there) > 8 else "")

            self._after(Confirm(question, detail, "Remove"), lambda: self._do(there, run_actions.remove))

    def action_again(self) -> None:
        if self.run is not None:
            self.dlkit.open_again(self.folder(self.run.id))

    def action_fork(self) -> None:
        if self.run is not None:
            self.dlkit.open_again(self.folder(self.run.id), fork=True)

    def action_rename(self) -> None:
        run = self.run
        if run is None:
            return

        def take(name: str | None) -> None:
            if name is not None:
                self._do([run], partial(run_actions.rename, text=name))

        self.app.push_screen(Ask(f"A name for {run.id}", run.name), take)

    def action_tag(self) -> None:
        there = self.chosen
        if not there:
            return
        now = " ".join(dict.fromkeys(word for run in there for word in run.tags.split()))

        def take(words: str | None) -> None:
            if words is not None:
                self._do(there, partial(run_actions.retag, words=words))

        self.app.push_screen(Ask(f"Tags of {_runs(there)}, with spaces between them", now), take)

    def action_note(self) -> None:
        there = self.chosen

        def take(text: str | None) -> None:
            if text is not None and text.strip():
                self._do(there, partial(run_actions.note, text=text))

        if there:
            self.app.push_screen(Ask(f"A note on {_runs(there)}", ""), take)

    def _after(self, question: Confirm, action: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                action()

        self.app.push_screen(question, answered)

    @work(thread=True, group="runs", exit_on_error=False)
    def _do(self, runs: Sequence[Summary], action: Callable[[RunFolder], str]) -> None:
        """The same to each; what is wrong with one does not keep the others from it."""
        told = []
        for run in runs:
            try:
                told.append(action(self.folder(run.id)))
            except (DlkitError, OSError, ValueError) as error:
                self.post_message(self.Done(str(error), bad=True))
        if told:
            dropped = [line for text in told for line in text.splitlines()[1:]]  # of foreign runs: never left unsaid
            first = told[0].splitlines()[0]
            text = first if len(told) == 1 else f"{first}; and {len(told) - 1} more"
            self.post_message(self.Done("\n".join([text, *dropped])))

    def on_run_deeds_done(self, message: Done) -> None:
        self.notify(message.text, severity="error" if message.bad else "information", markup=False)
        self.table.marked.clear()
        self.dlkit.poller.nudge()


def _runs(runs: Sequence[Summary]) -> str:
    return "this run" if len(runs) == 1 else f"{len(runs)} runs"

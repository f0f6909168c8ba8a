"""The studies of a workspace, and one of them, looked at again and again: only what has changed is read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dlkit.errors import DAMAGE, in_words
from dlkit.jobs.follow import LOST, state_now
from dlkit.jobs.requests import Refused, refusal, send
from dlkit.monitor import run_actions
from dlkit.runs.folder import RunFolder
from dlkit.studies import control
from dlkit.studies.folder import StudyFolder, list_studies
from dlkit.studies.results import Look, Results, Row
from dlkit.studies.state import Trial
from dlkit.studies.waking import run_of, wake

WAKE_SECONDS = 5.0
"""Between two looks whether somebody decides what a study does next."""
ENDED = ("finished", "stopped")


class Entry(NamedTuple):
    """A study in the list. ``problem``: why there is nothing to show of it."""

    study: StudyFolder
    results: Results | None
    problem: str = ""


class OneStudy:
    """``poll()`` gives its results if they have changed. Whoever looks has its driver started, if it has none."""

    def __init__(self, study: StudyFolder) -> None:
        self.study = study
        self._look: Look | None = None
        self._seen: tuple[object, ...] = ()
        self._woke = -1e9

    def poll(self) -> Results | None:
        """RunError: what is stored cannot be read."""
        if self._seen and self._seen == self._signature():  # a study that goes on has a log that grows
            return None
        self._look = self._look or Look(self.study)
        signature = self._signature()
        found = self._look.results()
        if time.monotonic() - self._woke >= WAKE_SECONDS:
            self._woke = time.monotonic()
            wake(self.study, self._look.state)
        # Of one that goes on, its trials' progress changes without its log.
        self._seen = signature if found.state in ENDED else ()
        return found

    def _signature(self) -> tuple[object, ...]:
        status = self.study.log.stat()
        return status.st_mtime_ns, status.st_size, status.st_ino


class Studies:
    """``poll()``, called by one thread, gives all studies, newest first, if any has changed."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._known: dict[str, OneStudy] = {}
        self._entries: dict[str, Entry] = {}
        self._told: Sequence[Entry] | None = None

    def poll(self) -> Sequence[Entry] | None:
        there = {study.id: study for study in list_studies(self._workspace)}
        for gone in self._known.keys() - there.keys():
            del self._known[gone], self._entries[gone]
        for name, study in there.items():
            self._look(name, study)
        found = [self._entries[name] for name in there]
        if found == self._told:
            return None
        self._told = found
        return found

    def _look(self, name: str, study: StudyFolder) -> None:
        one = self._known.setdefault(name, OneStudy(study))
        try:
            results = one.poll()
        except DAMAGE as error:  # one that is damaged hides no other
            self._entries[name] = Entry(study, None, in_words(error))
            return
        if results is not None:
            self._entries[name] = Entry(study, results)


def runs_of(study: StudyFolder, rows: Sequence[Row]) -> list[RunFolder]:
    """Those of settings' trials that are there."""
    return [run for row in rows for trial in row.trials if (run := run_of(study, trial)).path.is_dir()]


def stop(study: StudyFolder) -> str:
    """What came of it, in words; the errors of ``control``."""
    look = Look(study)
    control.stop(look, by="the interface")
    wake(study, look.state)
    return f"{study.id}: its trials stop, their checkpoints stay"


def go_on(study: StudyFolder, trial: Trial | None = None) -> str:
    """The study, or one trial of it that was stopped or failed."""
    said: list[str] = []
    look = Look(study)
    look.results()
    trials = None if trial is None else [trial.number]
    again = control.go_on(study, look.state, by="the interface", trials=trials, say=said.append)
    wake(study)
    return "; ".join([*said, f"{study.id} goes on" + (f", {again} trials from where they were" if again else "")])


def stop_trial(study: StudyFolder, trial: Trial) -> str:
    """The study goes on with the others."""
    return run_actions.stop(run_of(study, trial))


def pause_trial(study: StudyFolder, trial: Trial) -> str:
    """Pause one that runs, have a paused one go on; RunError: it does neither."""
    run = run_of(study, trial)
    state = state_now(run)
    action = "unpause" if state == "paused" else "pause"
    if (found := refusal(state, {} if state in LOST else run.read(), action)) is not None:
        raise Refused(run, found)
    send(run, action)
    return f"{run.id}: asked to {'go on' if action == 'unpause' else 'pause; it keeps its device'}"


def more_seeds(study: StudyFolder, text: str) -> str:
    """``text`` as typed: how many; ValueError: it is no number of seeds."""
    if not text.strip().isdigit() or not 1 <= int(text) <= 1000:
        raise ValueError(f"{text!r} is no number of seeds: give a whole number, at least 1")
    said: list[str] = []
    look = Look(study)
    found = look.results()
    lines, words = control.more_seeds(look, found, int(text))
    control.extend(look, found, lines, trials=0, by="the interface", say=said.append)
    wake(study)
    return "; ".join([*said, f"{study.id}: {words}"])


def remove(study: StudyFolder) -> str:
    control.check_ended(study)
    control.remove(study)
    return f"{study.id} removed; its runs are there"

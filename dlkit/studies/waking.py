"""Starting the process that decides what a study does next: whoever looks at one does, and needs no plugin for it.

``python -m dlkit.studies.waking WORKSPACE`` looks at all of them, as ``dlkit.jobs.service`` has it done at boot.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from dlkit.errors import DAMAGE
from dlkit.jobs.detach import detach
from dlkit.jobs.follow import state_now
from dlkit.runs import opening
from dlkit.runs.folder import RunFolder
from dlkit.studies import folder
from dlkit.studies.folder import StudyFolder, list_studies
from dlkit.studies.state import State, Trial, state_of

LIVE = ("queued", "running", "paused")


def wake(study: StudyFolder, state: State | None = None) -> bool:
    """Start the study's driver, detached, if there is something left to decide and there is none. Two of them are no
    harm: one ends at once. A study that was brought from elsewhere starts nothing."""
    if folder.driver(study) is not None or not folder.is_own(study):
        return False
    state = state if state is not None else state_of(study)
    if state.finished or (state.stopped and not any(_is_live(study, trial) for trial in state.open)):
        return False
    output = os.fdopen(opening.open_beside(study.output.resolve(), opening.APPEND), "ab")
    detach("dlkit.studies.driver", [str(study.path.resolve())], output)
    return True


def _is_live(study: StudyFolder, trial: Trial) -> bool:
    return trial.state != "settled" and state_now(run_of(study, trial)) in LIVE


def run_of(study: StudyFolder, trial: Trial) -> RunFolder:
    return RunFolder(study.workspace / "runs" / trial.run)


def main(argv: list[str]) -> int:
    for study in list_studies(Path(argv[0])):
        with suppress(*DAMAGE):  # one that makes no sense keeps no other waiting
            wake(study)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""``dlkit study watch S``: a study while it goes on, redrawn in place on a terminal."""

from __future__ import annotations

import shutil
import signal
import sys

from dlkit.cli.bell import tell_ended
from dlkit.cli.study_choice import chosen_study, next_words, say_remarks, study_parser, text
from dlkit.errors import STOPPED
from dlkit.interrupt import Interrupts
from dlkit.present.commands import in_workspace
from dlkit.present.output import print_json, print_result, say
from dlkit.studies.document import document
from dlkit.studies.folder import StudyFolder
from dlkit.studies.results import Look, Results
from dlkit.studies.telling import headline
from dlkit.studies.waking import wake

LOOK_SECONDS = 0.5
WAKE_LOOKS = 6
"""Looks between two questions whether somebody decides what comes next."""


def main(argv: list[str]) -> int:
    parser = study_parser("watch", "Look on until the study has its answer. Ctrl-C leaves; the study goes on.")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout, when it has ended")
    parser.add_argument("--quiet", action="store_true", help="nothing on stderr but what goes wrong")
    options = parser.parse_args(argv)
    return watch(chosen_study(options), as_json=options.json, quiet=options.quiet)


def watch(study: StudyFolder, *, as_json: bool = False, quiet: bool = False) -> int:
    """Until the study is over: 0 if it is finished, 130 if it was stopped, or left by Ctrl-C: 0, it goes on."""
    look, drawing = Look(study), _Drawing(quiet=quiet or as_json)
    with Interrupts(signal.SIGINT, insistent=True) as interrupts:
        looks = 0
        while True:
            found = look.results()
            if found.state in ("interrupted", "starting") and looks % WAKE_LOOKS == 0:
                wake(study, look.state)
            looks += 1
            if found.state in ("finished", "stopped"):
                break
            drawing.show(found)
            interrupts.wait(LOOK_SECONDS)
            if interrupts.take():
                drawing.clear()
                again, stop = (in_workspace(study.workspace, f"study {w} {study.short}") for w in ("watch", "stop"))
                say(f"\n{study.id} goes on ({again} looks again, {stop} ends it)")
                return 0
    drawing.clear()
    _tell(found, as_json=as_json, quiet=quiet, waited=looks > 20)
    return 0 if found.state == "finished" else STOPPED


def _tell(found: Results, *, as_json: bool, quiet: bool, waited: bool) -> None:
    if as_json:
        print_json(document(found))
        return
    print_result(text(found), flush=True)
    if not quiet:
        say_remarks(found)
        say("\n".join(["", "next:", *(f"  {word}" for word in next_words(found))]))
        if waited:
            tell_ended(f"{found.study.id}: {found.state}")


class _Drawing:
    """On a terminal the table in place; elsewhere a line whenever a trial has ended."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty()
        self._lines = 0
        self._ended = -1

    def show(self, found: Results) -> None:
        if self._quiet:
            return
        if not self._live:
            if found.ended != self._ended:
                say(headline(found))
            self._ended = found.ended
            return
        self.clear()
        width, height = shutil.get_terminal_size()
        lines = [line[: width - 1] for line in text(found).splitlines()[: height - 2]]
        self._lines = len(lines)
        say("\n".join(lines))

    def clear(self) -> None:
        """Take away what was drawn."""
        if self._lines:
            sys.stderr.write(f"\x1b[{self._lines}A\x1b[J")
            sys.stderr.flush()
            self._lines = 0

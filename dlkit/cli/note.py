"""``dlkit note RUN [TEXT]``: what somebody thinks of a run, kept with it."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from dlkit.bounded import SETTINGS
from dlkit.cli.choice import chosen_run, run_parser
from dlkit.errors import UsageError
from dlkit.present.numbers import when
from dlkit.present.output import print_json, print_result, say
from dlkit.runs.folder import RunFolder
from dlkit.runs.labelling import note
from dlkit.runs.labels import Labels, Note, checked_note, labels
from dlkit.steering import one_line

_ABOVE = "# A note on {}. Lines that begin with # are left out; an empty note changes nothing.\n"


def main(argv: list[str]) -> int:
    parser = run_parser("note", "Add a note to a run; without TEXT in $VISUAL or $EDITOR. Earlier notes stay.")
    parser.add_argument("text", metavar="TEXT", nargs="?", help="the note; -: from standard input")
    parser.add_argument("--show", action="store_true", help="print the notes that there are, and add none")
    options = parser.with_json().parse_args(argv)
    if options.show and options.text is not None:
        raise UsageError("--show adds no note: give it without TEXT")
    if options.text not in (None, "-"):
        checked_note(options.text)  # before the run is looked for
    run = chosen_run(options)
    if options.show:
        found = labels(run.path)
    else:
        text = _written(run) if options.text is None else sys.stdin.read() if options.text == "-" else options.text
        found = note(run, text)
    if options.json:
        print_json({"run": run.id, "notes": [entry._asdict() for entry in found.notes]})
    elif options.show:
        print_result("\n\n".join(map(told, found.notes)) or f"{run.id} has no notes")
    else:
        say(f"{run.id}: noted")
    return 0


def told(entry: Note) -> str:
    """A note as people read it: when and by whom, and what."""
    return f"{when(entry.time, '%Y-%m-%d %H:%M')} {one_line(entry.by)}\n{entry.text}"


def _written(run: RunFolder) -> str:
    """What somebody writes in an editor; UsageError where there is no terminal, or it fails."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("nobody to write a note here: give TEXT, or - to read it from standard input")
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory(prefix="dlkit-note-") as folder:
        path = Path(folder) / "note.md"
        path.write_text(f"\n{_ABOVE.format(run.id)}{_earlier(labels(run.path))}", encoding="utf-8")
        try:
            done = subprocess.run([*shlex.split(editor), str(path)], check=False)
        except (OSError, ValueError) as error:
            raise UsageError(f"the editor {editor!r} cannot be started: {error}") from error
        if done.returncode:
            raise UsageError(f"the editor {editor!r} ended with {done.returncode}: nothing is noted")
        lines = path.read_bytes()[:SETTINGS].decode("utf-8", "replace").splitlines()
    return "\n".join(line for line in lines if not line.startswith("#"))


def _earlier(found: Labels) -> str:
    return "".join(
        f"#\n# {line}\n" if i == 0 else f"# {line}\n"
        for n in found.notes
        for i, line in enumerate(told(n).splitlines())
    )

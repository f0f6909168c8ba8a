"""Samples that leave as files: which form is asked for, and in a browser they are downloaded."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.app import App

from dlkit.errors import DlkitError, in_words
from dlkit.events import Sampled
from dlkit.monitor.sample_export import GIF, HTML, PNG, export
from dlkit.runs.folder import RunFolder
from dlkit.steering import one_line
from dlkit.tui.shared.choose import ChooseDialog

FORMS = {
    PNG: "PNG  what is shown, a picture",
    GIF: "GIF  this sample through the training, a film",
    HTML: "HTML  all samples at all steps, a page with a slider",
}


@dataclass(frozen=True)
class Shown:
    """What can be written: the samples of a run, the step and the name of the one that is shown."""

    run: RunFolder
    sampled: Sequence[Sampled]
    place: int
    name: str


def ask(app: App[None], done: Callable[[str | None], None]) -> None:
    """Which form; None: none."""
    app.push_screen(ChooseDialog("Write samples as", tuple(FORMS.items()), GIF), done)


def write(app: App[None], shown: Shown, way: str) -> None:
    """In a thread. They lie below the current folder, as ``dlkit show`` leaves them; a browser gets them itself."""
    sampled = [shown.sampled[shown.place]] if way == PNG else shown.sampled
    only = "" if way == HTML else shown.name
    folder = Path(tempfile.mkdtemp(prefix="dlkit-")) if app.is_web else Path(f"{shown.run.id}-samples")
    try:
        made = export(shown.run, sampled, folder, way, only=only)
    except (DlkitError, OSError) as error:
        app.notify(in_words(error), severity="error", markup=False)
        return
    for note in made.notes:
        app.notify(one_line(note), severity="warning", markup=False)
    if app.is_web:
        for path in made.files:
            app.call_from_thread(app.deliver_binary, path)
    else:
        app.notify(f"saved {', '.join(map(str, made.files))}", markup=False)

"""The newest sample of a run, small, beside what is said of it."""

from __future__ import annotations

from pathlib import Path

from textual import work
from textual.message import Message

from dlkit.runs.folder import RunFolder, Summary
from dlkit.tui.sample import Shown, read
from dlkit.tui.sample.view import SampleView


class NewestSample(SampleView):
    """Takes no keys, and no room where there is no sample."""

    DEFAULT_CSS = """
    NewestSample { width: 45%; max-width: 70; height: 100%; padding: 0 1; display: none; overflow: hidden hidden; }
    NewestSample.there { display: block; }
    """

    class Loaded(Message):
        """A sample has been read."""

        def __init__(self, wanted: tuple[str, str], sample: Shown) -> None:
            self.wanted, self.sample = wanted, sample
            super().__init__()

    def __init__(self) -> None:
        super().__init__(can_focus=False)
        self._wanted = ("", "")

    def show_newest(self, run: Summary | None, file: str, workspace: Path) -> None:
        """Show this one; a file that is shown already is not read again."""
        wanted = (run.id if run else "", file)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if run is None or not file:
            self.set_class(False, "there")
        else:
            self._load(RunFolder(workspace / "runs" / run.id), wanted)

    @work(thread=True, exclusive=True, group="newest", exit_on_error=False)
    def _load(self, run: RunFolder, wanted: tuple[str, str]) -> None:
        self.post_message(self.Loaded(wanted, read(run, wanted[1])))

    def on_newest_sample_loaded(self, message: Loaded) -> None:
        if message.wanted == self._wanted:
            self.set_class(True, "there")
            self.call_after_refresh(self.show, [message.sample])

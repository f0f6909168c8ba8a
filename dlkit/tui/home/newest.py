"""The newest sample of a run, small, beside what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Container
from textual.message import Message

from dlkit.runs.folder import RunFolder, Summary, folder_of

if TYPE_CHECKING:
    from dlkit.tui.sample import Shown
    from dlkit.tui.sample.view import SampleView


class NewestSample(Container):
    """Takes no keys, and no room where there is no sample. What shows samples takes NumPy, 0.1 s of imports: it is
    loaded with the first of them, in a thread, and the first screen does not wait for it."""

    DEFAULT_CSS = """
    NewestSample { width: 45%; max-width: 70; height: 100%; padding: 0 1; display: none; }
    NewestSample.there { display: block; }
    NewestSample > SampleView { overflow: hidden hidden; }
    """

    class Loaded(Message):
        """A sample has been read."""

        def __init__(self, wanted: tuple[str, str], sample: Shown) -> None:
            self.wanted, self.sample = wanted, sample
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self._wanted = ("", "")
        self._view: SampleView | None = None

    def show_newest(self, run: Summary | None, file: str, workspace: Path) -> None:
        """Show this one; a file that is shown already is not read again."""
        wanted = (run.id if run else "", file)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if run is None or not file:
            self.set_class(False, "there")
        else:
            self._load(folder_of(workspace, run.id), wanted)

    @work(thread=True, exclusive=True, group="newest", exit_on_error=False)
    def _load(self, run: RunFolder, wanted: tuple[str, str]) -> None:
        from dlkit.tui.sample import read, view  # noqa: F401  # the widget's module too, so that it is there at once

        self.post_message(self.Loaded(wanted, read(run, wanted[1])))

    async def on_newest_sample_loaded(self, message: Loaded) -> None:
        if message.wanted != self._wanted:
            return
        if self._view is None:
            from dlkit.tui.sample.view import SampleView

            self._view = SampleView(can_focus=False)
            await self.mount(self._view)
        self.set_class(True, "there")
        self._view.show([message.sample])

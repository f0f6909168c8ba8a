"""What is asked: the line, of a table's row one field a column, and the options."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input, Label

from dlkit.monitor.model_process import Hello
from dlkit.monitor.questions import other_seeds
from dlkit.monitor.row_words import fields_of, row_of
from dlkit.present.text import clean
from dlkit.tui.playground.open_file import OpenFile
from dlkit.tui.playground.options import OptionGrid, OptionInput
from dlkit.tui.playground.row_grid import RowGrid
from dlkit.tui.shared.prompt import Prompt

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"})


class QuestionBox(Vertical):
    """``introduce`` shows how a model is asked; ``text`` and ``options`` are what is to be asked now."""

    DEFAULT_CSS = """
    QuestionBox { height: auto; }
    QuestionBox #line { height: 1; padding: 0 1; }
    QuestionBox #line Label { padding-right: 1; text-style: bold; }
    QuestionBox #line Input { width: 1fr; }
    QuestionBox #line Button { margin-left: 1; min-width: 5; width: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._hello: Hello | None = None
        self._example = ""

    def compose(self) -> ComposeResult:
        with Horizontal(id="line"):
            yield Label("input", id="label", markup=False)
            yield Prompt(id="question")
            yield Button("Open …", id="open", compact=True)
            yield Button("Ask", id="ask", variant="primary", compact=True)
        yield RowGrid()
        yield OptionGrid("options")

    def on_mount(self) -> None:
        self.query_one("#open").display = False

    @property
    def line(self) -> Prompt:
        return self.query_one("#question", Prompt)

    @property
    def _grid(self) -> OptionGrid:
        return self.query_one(OptionGrid)

    @property
    def text(self) -> str:
        return self.line.value.strip()

    @property
    def options(self) -> dict[str, str]:
        """Those that differ from what holds if nothing is said."""
        return self._grid.changed()

    def introduce(self, hello: Hello) -> None:
        """Another model, or component, is asked from now on; what was typed stays where it means the same to it."""
        before, self._hello = self._hello, hello
        if before is not None and before.asks != hello.asks:
            self.line.begin("")
        self.query_one("#label", Label).update(clean(hello.label))
        self.line.placeholder = clean(hello.placeholder or hello.usage)
        self.query_one("#open").display = self.takes_files
        same = before is None or before.inference == hello.inference
        self._grid.show(hello.options, self._grid.changed() if same else {})
        self._show_row()

    def put(self, text: str, options: Mapping[str, str]) -> None:
        """A question of before."""
        self.line.begin(text)
        self._grid.fill(options)

    # Examples

    def leave(self) -> None:
        """What stands here is to be replaced by the next example."""
        self._example = self.line.value

    def offer(self, example: str) -> None:
        """An example, unless somebody has typed something."""
        if self.line.value in ("", self._example):
            self.line.begin(example)
            self._example = example

    # A table's row

    @on(Input.Changed, "#question")
    def _show_row(self) -> None:
        is_row = self._hello is not None and self._hello.asks == "row"
        self.query_one(RowGrid).show(fields_of(self.line.value) if is_row else ())

    def on_row_grid_edited(self, message: RowGrid.Edited) -> None:
        message.stop()
        self.line.begin(row_of(message.fields))

    # Options

    @property
    def has_more(self) -> bool:
        """Whether there are options that are shown on demand."""
        return self._grid.has_more

    def toggle(self) -> None:
        self._grid.toggle()

    @property
    def _seed(self) -> OptionInput | None:
        return next((line for line in self.query(OptionInput) if line.option.name == "seed"), None)

    @property
    def is_drawn(self) -> bool:
        """Whether there may be another answer to the same question."""
        return self._seed is not None or (self._hello is not None and self._hello.asks == "seed")

    def draw_again(self) -> None:
        """Another seed."""
        if self._seed is not None:
            self._seed.begin(str(secrets.randbelow(10_000)))
        else:
            self.line.begin(other_seeds(self.line.value))

    # Files

    @property
    def takes_files(self) -> bool:
        return self._hello is not None and self._hello.asks in ("image", "row")

    def look_for_file(self) -> None:
        suffixes = IMAGES if self._hello is not None and self._hello.asks == "image" else frozenset[str]()
        self.app.push_screen(OpenFile(self._folder(), suffixes), self._opened)

    def _folder(self) -> Path:
        """Where the file is that is named now, unless it is an example: those lie in a folder of their own."""
        path = Path(self.line.value)
        return path.parent if self.line.value not in ("", self._example) and path.is_file() else Path.cwd()

    def _opened(self, path: Path | None) -> None:
        if path is not None:
            self.line.begin(str(path))
            self.line.focus()

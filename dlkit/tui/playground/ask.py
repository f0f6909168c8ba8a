"""A question to a run's model, and its answer. The model lives in a process of its own
(``dlkit.monitor.model_process``)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Button, Input, Label, Static

from dlkit.errors import DlkitError
from dlkit.monitor.model_process import Answered, Hello, ModelGone, ModelProcess, Offered
from dlkit.present.numbers import duration
from dlkit.present.text import clean
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from dlkit.steering import one_line
from dlkit.tui.playground.open_file import OpenFile
from dlkit.tui.playground.options import OptionGrid
from dlkit.tui.sample.view import PictureLine, SampleView
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.choose import ChooseDialog

HISTORY = 200
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"})
LOADING, LOOKING, THINKING = "loading the model", "looking for an example", "answering"
ASKING, CHANGING = "looking what else can ask it", "asking otherwise"


class AskScreen(Area):
    """Enter asks; before the model is loaded, it asks as soon as it is."""

    area = "playground"
    DEFAULT_CSS = """
    AskScreen #about { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    AskScreen #line { height: 1; padding: 0 1; }
    AskScreen #line Label { padding-right: 1; text-style: bold; }
    AskScreen #line Input { width: 1fr; }
    AskScreen #line Button { margin-left: 1; min-width: 5; width: auto; }
    AskScreen #status { height: auto; max-height: 5; padding: 0 1; background: $surface; }
    AskScreen #status.bad { text-style: bold; color: $text-error; }
    AskScreen SampleView, AskScreen PictureLine { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "Ask", id="ask.ask"),
        Binding("ctrl+e", "example", "Example", id="ask.example", priority=True, tooltip="Another input to try"),
        Binding("ctrl+o", "open", "Open file", id="ask.open", priority=True),
        Binding("ctrl+k", "checkpoint", "Best/last", id="ask.checkpoint", priority=True, tooltip="Which checkpoint"),
        Binding(
            "ctrl+n", "inference", "Ask by …", id="ask.inference", priority=True, tooltip="Another inference component"
        ),
        Binding("up", "past(-1)", "Earlier", show=False, id="ask.earlier", tooltip="The question before"),
        Binding("down", "past(1)", "Later", show=False, id="ask.later"),
        Binding("i", "pictures", "Pictures", show=False, id="ask.pictures", tooltip="Kitty, Sixel or half-cells"),
    ]

    class Told(Message):
        """Something came from the process that ``asked`` started."""

        def __init__(self, asked: ModelProcess) -> None:
            self.asked = asked
            super().__init__()

    class Ready(Told):
        def __init__(self, asked: ModelProcess, hello: Hello) -> None:
            self.hello = hello
            super().__init__(asked)

    class Example(Told):
        def __init__(self, asked: ModelProcess, words: Sequence[str], trouble: str = "") -> None:
            self.words, self.trouble = words, trouble
            super().__init__(asked)

    class Answer(Told):
        def __init__(self, asked: ModelProcess, answered: Answered) -> None:
            self.answered = answered
            super().__init__(asked)

    class Offers(Told):
        """What else can ask the model."""

        def __init__(self, asked: ModelProcess, offered: Sequence[Offered]) -> None:
            self.offered = offered
            super().__init__(asked)

    class Failed(Told):
        """``gone``: the process that holds the model has ended."""

        def __init__(self, asked: ModelProcess, text: str, *, gone: bool) -> None:
            self.text, self.gone = text, gone
            super().__init__(asked)

    def __init__(self, run: RunFolder, checkpoint: str = "best") -> None:
        super().__init__(run.id)
        self.run, self.checkpoint = run, checkpoint
        self.inference = ""
        """The component that asks, where it is not the run's own."""
        self.asked: ModelProcess | None = None
        self.hello: Hello | None = None
        self.answered: Answered | None = None
        self.busy = ""
        """What is waited for; empty: nothing."""
        self._since = 0.0
        self._wanted = False
        """Enter was pressed before it could be done."""
        self._example = ""
        self._past: list[tuple[str, dict[str, str]]] = []
        self._place = 0
        self._timer: Timer | None = None

    def body(self) -> ComposeResult:
        yield Static("", id="about", markup=False)
        with Horizontal(id="line"):
            yield Label("input", id="label", markup=False)
            yield Input(id="question", compact=True)
            yield Button("Open …", id="open", compact=True)
            yield Button("Ask", id="ask", variant="primary", compact=True)
        yield OptionGrid("options")
        yield Static("", id="status", markup=False)
        view = SampleView()
        yield view
        yield PictureLine(view, "tab, i")

    def on_mount(self) -> None:
        self.query_one("#open").display = False
        self._question.focus()
        self._timer = self.set_interval(0.5, self._tick)
        self._start()

    def on_unmount(self) -> None:
        if self.asked is not None:
            self.asked.close()

    @property
    def _question(self) -> Input:
        return self.query_one("#question", Input)

    # The process

    def _start(self) -> None:
        if self.asked is not None:
            self.asked.close()
        self.asked, self.hello = ModelProcess(self.run, self.checkpoint, self.inference), None
        self._wait(LOADING)
        self._load(self.asked)

    @work(thread=True, group="ask", exit_on_error=False)
    def _load(self, asked: ModelProcess) -> None:
        try:
            choose(self.run.path, self.checkpoint)  # without one there is nothing to start
            self.post_message(self.Ready(asked, asked.start()))
        except (DlkitError, OSError) as error:
            asked.close()
            self.post_message(self.Failed(asked, str(error), gone=True))
            return
        self._find_example(asked)

    def _find_example(self, asked: ModelProcess) -> None:
        try:
            self.post_message(self.Example(asked, asked.example()))
        except ModelGone as error:
            self.post_message(self.Failed(asked, str(error), gone=True))
        except DlkitError as error:
            self.post_message(self.Example(asked, [], str(error)))

    @work(thread=True, group="ask", exit_on_error=False)
    def _another(self, asked: ModelProcess) -> None:
        self._find_example(asked)

    @work(thread=True, group="ask", exit_on_error=False)
    def _look_around(self, asked: ModelProcess) -> None:
        try:
            self.post_message(self.Offers(asked, asked.offered()))
        except DlkitError as error:
            self.post_message(self.Failed(asked, str(error), gone=isinstance(error, ModelGone)))

    @work(thread=True, group="ask", exit_on_error=False)
    def _ask_by(self, asked: ModelProcess, name: str) -> None:
        try:
            self.post_message(self.Ready(asked, asked.ask_by(name)))
        except DlkitError as error:
            self.post_message(self.Failed(asked, str(error), gone=isinstance(error, ModelGone)))
            return
        self._find_example(asked)

    @work(thread=True, group="ask", exit_on_error=False)
    def _ask(self, asked: ModelProcess, words: Sequence[str], options: Mapping[str, object]) -> None:
        try:
            self.post_message(self.Answer(asked, asked.ask(words, options)))
        except (DlkitError, OSError, ValueError) as error:  # the last two: its samples cannot be read
            self.post_message(self.Failed(asked, str(error), gone=isinstance(error, ModelGone)))

    # What it says

    def on_ask_screen_ready(self, message: Ready) -> None:
        if message.asked is not self.asked:
            return
        hello, grid = message.hello, self.query_one(OptionGrid)
        same = self.hello is None or self.hello.inference == hello.inference
        if self.hello is not None and self.hello.asks != hello.asks:
            self._set_question("")  # what was typed means nothing to the other
        self.hello = hello
        self.inference = hello.inference
        which = "best checkpoint" if self.checkpoint == "best" else "last checkpoint"
        about = f"{hello.task} · {which}, step {hello.step} · by {hello.inference} · {hello.usage}"
        self.query_one("#about", Static).update(clean(about).replace("\n", " "))
        self.query_one("#label", Label).update(clean(hello.label))
        self._question.placeholder = clean(hello.placeholder or hello.usage)
        self.query_one("#open").display = hello.asks in ("image", "row")
        grid.show(hello.options, grid.changed() if same else {})  # those of before stay as they were typed
        self._wait(LOOKING)

    def on_ask_screen_example(self, message: Example) -> None:
        if message.asked is not self.asked:
            return
        asked_for = self._wanted
        self._done(self._hint(message))
        if message.words and self._question.value in ("", self._example):
            self._set_question(message.words[0])
            self._example = message.words[0]
        if asked_for and self._question.value.strip():
            self.action_ask()

    def _hint(self, message: Example) -> str:
        if message.trouble:
            return f"no example: {message.trouble}"
        return "enter asks" if message.words else f"no example here; {self._hint_to_ask()}"

    def _hint_to_ask(self) -> str:
        return f"input: {self.hello.usage if self.hello else ''}"

    def on_ask_screen_answer(self, message: Answer) -> None:
        if message.asked is not self.asked:
            return
        self.answered = message.answered
        self._done(f"answered in {duration(message.answered.seconds)}" if message.answered.seconds >= 0.1
                   else f"answered in {1000 * message.answered.seconds:.0f} ms")  # fmt: skip
        plain = [json.dumps(dict(answer), ensure_ascii=False, indent=1) for answer in message.answered.answers]
        self.query_one(SampleView).show(message.answered.samples or plain)
        self.query_one(PictureLine).tell()

    def on_ask_screen_offers(self, message: Offers) -> None:
        if message.asked is not self.asked or self.hello is None:
            return
        self._done(self._hint_to_ask())
        choices = tuple((o.name, f"{o.name}  {one_line(_told(o))}") for o in message.offered)
        self.app.push_screen(ChooseDialog("Ask by", choices, self.hello.inference), self._chosen)

    def _chosen(self, name: str | None) -> None:
        if name is None or self.asked is None or self.hello is None or self.busy or name == self.hello.inference:
            return
        self._wait(CHANGING)
        self._ask_by(self.asked, name)

    def on_ask_screen_failed(self, message: Failed) -> None:
        if message.asked is not self.asked:
            return
        again = "\nenter tries again" if message.gone else ""
        self._done(f"{clean(message.text)}{again}", bad=True)
        if message.gone:
            message.asked.close()
            self.asked = None

    # Waiting

    def _wait(self, what: str) -> None:
        self.busy, self._since = what, time.monotonic()
        self._tick()

    def _tick(self) -> None:
        if self.busy:
            then = ", then asks" if self._wanted and self.busy != THINKING else ""
            self._say(f"{self.busy} … {int(time.monotonic() - self._since)} s{then}")

    def _done(self, text: str, *, bad: bool = False) -> None:
        self.busy, self._wanted = "", False
        self._say(text, bad=bad)

    def _say(self, text: str, *, bad: bool = False) -> None:
        status = self.query_one("#status", Static)
        status.set_class(bad, "bad")
        status.update(f"✗ {text}" if bad else text)

    # Asking

    def action_ask(self) -> None:
        if self.asked is None:
            self._wanted = True
            self._start()
        elif self.busy:
            self._wanted = self.busy != THINKING
            self._tick()
        elif not self._question.value.strip():
            self._say(self._hint_to_ask())
        else:
            text, options = self._question.value.strip(), self.query_one(OptionGrid).changed()
            if not self._past or self._past[-1] != (text, options):
                self._past = [*self._past, (text, options)][-HISTORY:]
            self._place = len(self._past)
            self._wait(THINKING)
            self._ask(self.asked, [text], options)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_ask()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "open":
            self.action_open()
        else:
            self.action_ask()

    def action_example(self) -> None:
        if self.asked is not None and not self.busy:
            self._example = self._question.value
            self._wait(LOOKING)
            self._another(self.asked)

    def action_checkpoint(self) -> None:
        """The other of best and last, in a new process; the question stays."""
        self.checkpoint = "last" if self.checkpoint == "best" else "best"
        self._start()

    def action_inference(self) -> None:
        """Choose what asks the model, of all that fit the run."""
        if self.asked is not None and self.hello is not None and not self.busy:
            self._wait(ASKING)
            self._look_around(self.asked)

    def action_open(self) -> None:
        self.app.push_screen(OpenFile(self._folder(), self._suffixes()), self._opened)

    def _suffixes(self) -> frozenset[str]:
        return IMAGES if self.hello is not None and self.hello.asks == "image" else frozenset()

    def _folder(self) -> Path:
        """Where the file is that is named now, unless it is an example: those lie in a folder of their own."""
        path = Path(self._question.value)
        return path.parent if self._question.value not in ("", self._example) and path.is_file() else Path.cwd()

    def _opened(self, path: Path | None) -> None:
        if path is not None:
            self._set_question(str(path))
            self._question.focus()

    def _set_question(self, text: str) -> None:
        self._question.value = text
        self._question.cursor_position = len(text)

    # Options and history

    def action_past(self, by: int) -> None:
        if isinstance(self.focused, SampleView):
            self.focused.scroll_relative(y=2 * by, animate=False)
            return
        place = self._place + by
        if 0 <= place < len(self._past):
            self._place = place
            text, options = self._past[place]
            self._set_question(text)
            self.query_one(OptionGrid).fill(options)

    def action_pictures(self) -> None:
        self.query_one(PictureLine).next_way()


def _told(offered: Offered) -> str:
    return f"not here: {offered.lacks}" if offered.lacks else offered.summary

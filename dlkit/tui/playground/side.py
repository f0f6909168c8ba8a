"""One model that is asked, and what it answers: the whole of the playground, or one side of two."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from dlkit.errors import DlkitError
from dlkit.monitor.model_process import Answered, Hello, ModelGone, ModelProcess, Offered
from dlkit.monitor.questions import chances
from dlkit.present.text import clean
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from dlkit.samples import Sample, Text
from dlkit.tui.sample.view import SampleView

LOADING, THINKING = "loading the model", "answering"
ASKING, CHANGING = "looking what else can ask it", "asking otherwise"


class Side(Vertical):
    """``start`` loads the model in a process of its own; whatever comes of that and of questions are messages, which
    name the process that they are of: one that has been closed meanwhile may still have said something."""

    DEFAULT_CSS = """
    Side { width: 1fr; height: 1fr; }
    Side > .name { height: 1; padding: 0 1; color: $text-muted; text-style: bold; display: none; text-wrap: nowrap;
                   text-overflow: ellipsis; }
    Side.beside > .name { display: block; }
    """

    class Told(Message):
        """Something came from the process that ``asked`` started."""

        def __init__(self, side: Side, asked: ModelProcess) -> None:
            self.side, self.asked = side, asked
            super().__init__()

        @property
        def void(self) -> bool:
            """Whether it is of a process that is asked no more."""
            return self.asked is not self.side.asked

    class Ready(Told):
        def __init__(self, side: Side, asked: ModelProcess, hello: Hello) -> None:
            self.hello = hello
            super().__init__(side, asked)

    class Example(Told):
        def __init__(self, side: Side, asked: ModelProcess, words: Sequence[str], trouble: str = "") -> None:
            self.words, self.trouble = words, trouble
            super().__init__(side, asked)

    class Written(Told):
        """So far of an answer that comes piece by piece, and the seconds since it began."""

        def __init__(self, side: Side, asked: ModelProcess, text: str, seconds: float) -> None:
            self.text, self.seconds = text, seconds
            super().__init__(side, asked)

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, Side.Written) and message.side is self.side

    class Answer(Told):
        def __init__(self, side: Side, asked: ModelProcess, answered: Answered) -> None:
            self.answered = answered
            super().__init__(side, asked)

    class Offers(Told):
        """What else can ask the model."""

        def __init__(self, side: Side, asked: ModelProcess, offered: Sequence[Offered]) -> None:
            self.offered = offered
            super().__init__(side, asked)

    class Failed(Told):
        """``gone``: the process that holds the model has ended."""

        def __init__(self, side: Side, asked: ModelProcess, text: str, *, gone: bool) -> None:
            self.text, self.gone = text, gone
            super().__init__(side, asked)

    def __init__(self, run: RunFolder, checkpoint: str = "best", inference: str = "") -> None:
        super().__init__()
        self.run, self.checkpoint = run, checkpoint
        self.inference = inference
        """The component that asks, where it is not the run's own."""
        self.asked: ModelProcess | None = None
        self.hello: Hello | None = None
        self.answered: Answered | None = None
        self.busy = ""
        """What is waited for; empty: nothing, and it can be asked."""
        self.since = 0.0
        self.pending: tuple[str, Mapping[str, object]] | None = None
        """What is to be asked as soon as the model is loaded."""
        self.view = SampleView()

    def compose(self) -> ComposeResult:
        yield Static("", classes="name", markup=False)
        yield self.view

    def on_unmount(self) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self.asked is not None:
            self.asked.close()
            self.asked = None

    @property
    def where(self) -> str:
        """Which model of the run this is."""
        which = f"{self.checkpoint}, " if not self.checkpoint.isdigit() else ""
        return f"{which}step {self.hello.step if self.hello else self.checkpoint}"

    @property
    def title(self) -> str:
        return f"{self.where} · {self.run.id}"

    def tell(self, text: str) -> None:
        """What is to be said of this side, where there are two."""
        line = clean(f"{self.where} · {text} · {self.run.id}").replace("\n", " ")
        self.query_one(".name", Static).update(line, layout=False)

    def wait(self, what: str) -> None:
        self.busy, self.since = what, time.monotonic()

    # The process

    def start(self) -> None:
        """Load the model, anew if it was; a question to another component goes with it."""
        self.close()
        self.asked, self.hello = ModelProcess(self.run, self.checkpoint, self.inference), None
        self.wait(LOADING)
        self._load(self.asked)

    @work(thread=True, group="ask", exit_on_error=False)
    def _load(self, asked: ModelProcess) -> None:
        try:
            choose(self.run.path, self.checkpoint)  # without one there is nothing to start
            self.post_message(self.Ready(self, asked, asked.start()))
        except (DlkitError, OSError) as error:
            asked.close()
            self.post_message(self.Failed(self, asked, str(error), gone=True))

    def find_example(self) -> None:
        if self.asked is not None:
            self._find_example(self.asked)

    @work(thread=True, group="example", exit_on_error=False)
    def _find_example(self, asked: ModelProcess) -> None:
        try:
            self.post_message(self.Example(self, asked, asked.example()))
        except ModelGone as error:
            self.post_message(self.Failed(self, asked, str(error), gone=True))
        except DlkitError as error:
            self.post_message(self.Example(self, asked, [], str(error)))

    def look_around(self) -> None:
        self.wait(ASKING)
        self._in_thread(lambda asked: self.Offers(self, asked, asked.offered()))

    def ask_by(self, name: str) -> None:
        self.wait(CHANGING)
        self._in_thread(lambda asked: self.Ready(self, asked, asked.ask_by(name)))

    def ask(self, text: str, options: Mapping[str, object]) -> None:
        """``options`` that this side's component does not know are left out."""
        known = {option.name for option in self.hello.options} if self.hello is not None else set()
        chosen, began, pieces = {k: v for k, v in options.items() if k in known}, time.monotonic(), list[str]()

        def answer(asked: ModelProcess) -> Message:
            def heard(piece: str) -> None:
                pieces.append(piece)
                self.post_message(self.Written(self, asked, "".join(pieces), time.monotonic() - began))

            return self.Answer(self, asked, asked.ask([text], chosen, heard=heard))

        self.pending = None
        self.wait(THINKING)
        self._in_thread(answer)

    def _in_thread(self, request: Callable[[ModelProcess], Message]) -> None:
        if self.asked is not None:
            self._request(self.asked, request)

    @work(thread=True, group="ask", exit_on_error=False)
    def _request(self, asked: ModelProcess, request: Callable[[ModelProcess], Message]) -> None:
        try:
            self.post_message(request(asked))
        except (DlkitError, OSError, ValueError) as error:  # the last two: its samples cannot be read
            self.post_message(self.Failed(self, asked, str(error), gone=isinstance(error, ModelGone)))

    # What it says

    def on_side_written(self, message: Written) -> None:
        if not message.void and self.busy == THINKING:
            self.view.show([Text(name="written", title="Written", text=message.text)])
            self.view.scroll_end(animate=False)

    def show(self, answered: Answered) -> None:
        """An answer: its samples, its probabilities as bars; where it has neither, as it is."""
        plain = [json.dumps(dict(answer), ensure_ascii=False, indent=1) for answer in answered.answers]
        bars = chances(answered.answers[0]) if len(answered.answers) == 1 else ""
        found: list[Sample | str] = [*answered.samples] or [*plain]
        self.view.show([*found, *([Text(name="chances", title="Probabilities", text=bars)] if bars else [])])

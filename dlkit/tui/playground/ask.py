"""A question to a run's model, and its answer; beside it another's, of another step or another run. The models live in
processes of their own (``dlkit.monitor.model_process``)."""

from __future__ import annotations

import time
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Static

from dlkit.monitor.model_process import Answered, Hello, ModelProcess, Offered
from dlkit.monitor.questions import beside_choices, checkpoint_choices
from dlkit.present.numbers import counted, duration
from dlkit.present.runs import undated
from dlkit.present.text import clean
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder
from dlkit.steering import one_line
from dlkit.tui.playground.past import Asked, Past
from dlkit.tui.playground.question import QuestionBox
from dlkit.tui.playground.side import THINKING, Side
from dlkit.tui.sample.view import PictureLine, SampleView
from dlkit.tui.shared.area import Area
from dlkit.tui.shared.choose import ChooseDialog

LOOKING = "looking for an example"


class AskScreen(Area):
    """Enter asks; before the model is loaded, it asks as soon as it is."""

    area = "playground"
    tour = "4 of 4: Enter, the answer"
    DEFAULT_CSS = """
    AskScreen #about { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    AskScreen #status { height: auto; max-height: 5; padding: 0 1; background: $surface; }
    AskScreen #status.bad { text-style: bold; color: $text-error; }
    AskScreen #answers { height: 1fr; }
    AskScreen SampleView, AskScreen PictureLine { padding: 0 1; }
    AskScreen.-wide Past.some { display: block; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "ask", "Ask", id="ask.ask"),
        Binding("f2", "example", "Example", id="ask.example", key_display="F2", tooltip="Another input to try"),
        Binding("f3", "seed", "New seed", id="ask.seed", key_display="F3", tooltip="Draw another answer"),
        Binding("f4", "checkpoint", "Checkpoint", id="ask.checkpoint", key_display="F4", tooltip="Best, last, a step"),
        Binding("f7", "beside", "Beside …", id="ask.beside", key_display="F7", tooltip="Another step or run beside it"),
        Binding("f6", "inference", "Ask by …", id="ask.inference", key_display="F6", tooltip="By another component"),
        Binding("f8", "all_options", "Options", id="ask.options", key_display="F8", tooltip="All, or the usual ones"),
        Binding("ctrl+o", "open", "Open file", id="ask.open", priority=True),
        Binding("ctrl+r", "history", "History", show=False, id="ask.history", tooltip="What was asked before"),
        Binding("up", "past(-1)", "Earlier", show=False, id="ask.earlier", tooltip="The question before"),
        Binding("down", "past(1)", "Later", show=False, id="ask.later"),
        Binding("i", "pictures", "Pictures", show=False, id="ask.pictures", tooltip="Kitty, Sixel or half-cells"),
    ]

    def __init__(self, run: RunFolder, checkpoint: str = "best") -> None:
        super().__init__(run.id, undated(run.id))
        self.run = run
        self.side = Side(run, checkpoint)
        self.other: Side | None = None
        """What is asked beside it."""
        self.looking = False
        """Whether an example is being looked for, beside whatever else goes on."""
        self._wanted = False
        """Enter was pressed before it could be done."""
        self._said = ""

    def body(self) -> ComposeResult:
        yield Static("", id="about", markup=False)
        yield QuestionBox()
        yield Static("", id="status", markup=False)
        with Horizontal(id="answers"):
            yield Past()
            yield self.side
        yield PictureLine(self.side.view, "tab, i")

    def on_mount(self) -> None:
        self._question.line.focus()
        self.set_interval(0.5, self._tick)
        self._start()

    @property
    def _question(self) -> QuestionBox:
        return self.query_one(QuestionBox)

    @property
    def _past(self) -> Past:
        return self.query_one(Past)

    @property
    def hello(self) -> Hello | None:
        return self.side.hello

    @property
    def busy(self) -> str:
        """What is waited for; empty: nothing, and it can be asked."""
        return self.side.busy

    @property
    def asked(self) -> ModelProcess | None:
        return self.side.asked

    @property
    def answered(self) -> Answered | None:
        return self.side.answered

    def _start(self) -> None:
        self.looking = False
        self.side.start()
        self._tick()

    # What the models say

    def on_side_ready(self, message: Side.Ready) -> None:
        side = message.side
        if message.void:
            return
        hello = side.hello = message.hello
        side.busy, side.inference = "", hello.inference
        if side is not self.side:
            side.tell("enter asks both")
            if side.pending is not None:
                side.ask(*side.pending)
            return
        about = f"{hello.task} · {side.where} · by {hello.inference} · {hello.usage}"
        self.query_one("#about", Static).update(clean(about).replace("\n", " "))
        self._question.introduce(hello)
        self.refresh_bindings()
        wanted, self._wanted, self.looking = self._wanted, False, True
        self._say(f"{LOOKING} …")
        side.find_example()
        if wanted:
            self.action_ask()
        self._tick()

    def on_side_example(self, message: Side.Example) -> None:
        if message.void or message.side is not self.side:
            return
        wanted, self.looking, self._wanted = self._wanted, False, False
        if message.words:
            self._question.offer(message.words[0])
        if self._said.startswith(LOOKING):  # what was answered or refused meanwhile stays to be read
            self._say(self._hint(message))
        if wanted and self._question.text:
            self.action_ask()

    def _hint(self, message: Side.Example) -> str:
        if message.trouble:
            return f"no example: {message.trouble}"
        return "enter asks" if message.words else f"no example here; {self._hint_to_ask()}"

    def _hint_to_ask(self) -> str:
        return f"input: {self.hello.usage if self.hello else ''}"

    def on_side_written(self, message: Side.Written) -> None:
        if not message.void and message.seconds > 0:
            pace = f"{len(message.text) / message.seconds:.0f} letters/s"
            self._tell(message.side, f"writing … {counted(len(message.text), 'letter')}, {pace}")

    def on_side_answer(self, message: Side.Answer) -> None:
        side, answered = message.side, message.answered
        if message.void:
            return
        side.busy, side.answered = "", answered
        self.end_tour(self.run.id)
        side.show(answered)
        self._tell(side, _took(answered))
        if side is self.side:
            self._past.answered(answered)
            self.query_one(PictureLine).tell()

    def on_side_offers(self, message: Side.Offers) -> None:
        if message.void or self.hello is None:
            return
        self.side.busy = ""
        self._say(self._hint_to_ask())
        choices = tuple((o.name, f"{o.name}  {one_line(_told(o))}") for o in message.offered)
        self.app.push_screen(ChooseDialog("Ask by", choices, self.hello.inference), self._chosen)

    def _chosen(self, name: str | None) -> None:
        if name is not None and self.hello is not None and not self.busy and name != self.hello.inference:
            self.side.ask_by(name)
            self._tick()

    def on_side_failed(self, message: Side.Failed) -> None:
        side = message.side
        if message.void:
            return
        side.busy, self._wanted = "", False
        if side is self.side:
            self.looking = self.looking and not message.gone
        self._tell(side, f"{clean(message.text)}{chr(10) * message.gone}{'enter tries again' * message.gone}", bad=True)
        if message.gone:
            side.close()

    # Saying it

    def _tell(self, side: Side, text: str, *, bad: bool = False) -> None:
        """Of the one model in the line of the status, of two at the head of each."""
        if self.other is not None:
            side.tell(f"✗ {text}" if bad else text)
        if side is self.side:
            self._say(text, bad=bad)

    def _tick(self) -> None:
        then = ", then asks" if self._wanted else ""
        for side in filter(None, (self.side, self.other)):
            if side.busy and not (side.busy == THINKING and self._said.startswith("writing")):
                self._tell(side, f"{side.busy} … {int(time.monotonic() - side.since)} s{then}")
        if self.looking and not self.busy and self._said.startswith(LOOKING):
            self._say(f"{LOOKING} …{then or '; enter asks'}")

    def _say(self, text: str, *, bad: bool = False) -> None:
        self._said = text
        status = self.query_one("#status", Static)
        status.set_class(bad, "bad")
        status.update(f"✗ {text}" if bad else text)

    # Asking

    def action_ask(self) -> None:
        text, options = self._question.text, self._question.options
        if self.asked is None:
            self._wanted = True
            self._start()
        elif self.busy:
            self._wanted = self.busy != THINKING
            self._tick()
        elif not text:
            self._wanted = self.looking
            self._say(f"{LOOKING} …, then asks" if self.looking else self._hint_to_ask())
        else:
            self._past.ask(Asked(text, options, self.side.where))
            for side in filter(None, (self.side, self.other)):
                if side.hello is not None and not side.busy:
                    side.ask(text, options)
                else:
                    side.pending = text, options
            self._tick()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        self.action_ask()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "open":
            self.action_open()
        else:
            self.action_ask()

    def action_example(self) -> None:
        if self.asked is not None and not self.busy and not self.looking:
            self.looking = True
            self._question.leave()
            self._say(f"{LOOKING} …")
            self.side.find_example()

    def action_seed(self) -> None:
        """Ask the same once more, to be drawn otherwise."""
        if self.hello is None or self.busy:
            return
        if self._question.is_drawn:
            self._question.draw_again()
            self.action_ask()
        else:
            self._say(f"{self.hello.inference} draws nothing: it would answer the same")

    def action_all_options(self) -> None:
        self._question.toggle()

    def action_open(self) -> None:
        if self._question.takes_files:
            self._question.look_for_file()

    def applies(self, action: str) -> bool:
        question = next(iter(self.query(QuestionBox)), None)
        needs = {"all_options": "has_more", "seed": "is_drawn", "open": "takes_files"}
        return question is not None and (action not in needs or bool(getattr(question, needs[action])))

    # Which model

    @property
    def checkpoint(self) -> str:
        return self.side.checkpoint

    @property
    def inference(self) -> str:
        return self.side.inference

    def action_checkpoint(self) -> None:
        """Choose another, in a new process; the question stays."""

        def take(which: str | None) -> None:
            if which is not None and which != self.checkpoint:
                self.side.checkpoint = which
                self._start()

        self.app.push_screen(
            ChooseDialog("Which checkpoint", checkpoint_choices(complete(self.run.path)), self.checkpoint), take
        )

    def action_inference(self) -> None:
        """Choose what asks the model, of all that fit the run."""
        if self.asked is not None and self.hello is not None and not self.busy:
            self.side.look_around()
            self._tick()

    def action_beside(self) -> None:
        """Ask another step, or the best of another run of the task, the same; again: no longer."""
        if self.other is not None:
            self.other.remove()
            self.other = None
            self.side.remove_class("beside")
            return
        task = self.hello.task if self.hello is not None else ""
        others = [run for run in self.dlkit.summaries if run.task == task and run.id != self.run.id]
        choices = beside_choices(complete(self.run.path), others)
        self.app.push_screen(ChooseDialog("Ask beside it", choices, ""), self._put_beside)

    def _put_beside(self, which: str | None) -> None:
        if which is None:
            return
        step, _, run = which.partition(" ")
        folder = RunFolder(self.run.path.parent / run) if run else self.run
        self.other = Side(folder, step, "" if run else self.inference)
        for side in (self.side, self.other):
            side.add_class("beside")
        self.query_one("#answers").mount(self.other)
        self.call_after_refresh(self.other.start)
        self._tell(self.side, "enter asks both")

    # What was asked before

    def action_past(self, by: int) -> None:
        if isinstance(self.focused, SampleView):
            self.focused.scroll_relative(y=2 * by, animate=False)
            return
        found = self._past.step(by)
        if found is not None:
            self._question.put(found.text, found.options)

    def on_past_chosen(self, message: Past.Chosen) -> None:
        """A question of before, and what was answered then."""
        self._question.put(message.asked.text, message.asked.options)
        if message.asked.answered is not None and not self.busy:
            self.side.show(message.asked.answered)
            self._say(f"answered before, at {message.asked.where}; enter asks again")
        self._question.line.focus()

    def action_history(self) -> None:
        self._past.open()

    def action_pictures(self) -> None:
        self.query_one(PictureLine).next_way()


def _took(answered: Answered) -> str:
    seconds = answered.seconds
    took = f"answered in {duration(seconds)}" if seconds >= 0.1 else f"answered in {1000 * seconds:.0f} ms"
    if answered.letters and seconds > 0:
        return f"{took}, {counted(answered.letters, 'letter')}, {answered.letters / seconds:.0f} a second"
    return took


def _told(offered: Offered) -> str:
    return f"not here: {offered.lacks}" if offered.lacks else offered.summary

"""The samples of a run: step by step, name by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Click, MouseDown, MouseMove, MouseUp
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from dlkit.events import Sampled, SampleRef
from dlkit.monitor.view import RunView
from dlkit.present.text import clean
from dlkit.runs.contents import stored_sections
from dlkit.runs.folder import ENDED, RunFolder
from dlkit.tui.run.pane import Pane
from dlkit.tui.sample import Shown, read
from dlkit.tui.sample.view import PictureLine, SampleView

KEPT = 12
"""Samples that are kept in memory once they were shown."""


def thousands(count: int) -> str:
    return f"{count:,}".replace(",", " ")


class Scrubber(Widget):
    """``step 1 200 · 3 of 8 ├──●─────┤``: a click or a drag on the line goes there."""

    DEFAULT_CSS = "Scrubber { height: 1; width: 1fr; margin: 0 1; }"

    class Moved(Message):
        """To the step at this place, counted from 0."""

        def __init__(self, place: int) -> None:
            self.place = place
            super().__init__()

    def __init__(self) -> None:
        super().__init__()
        self.steps: Sequence[int] = ()
        self.place = 0
        self.following = True
        self._held = False

    def show(self, steps: Sequence[int], place: int, *, following: bool) -> None:
        """``following``: the newest is shown, and whatever is newer when it comes."""
        now = steps, place, following
        if now != (self.steps, self.place, self.following):
            self.steps, self.place, self.following = now
            self.refresh()

    def render(self) -> Text:
        if not self.steps:
            return Text("")
        line = ["─"] * self._length
        line[self._at(self.place)] = "●"
        text = Text(self._label, no_wrap=True)
        return text.append(f"├{''.join(line)}┤").append(" newest" if self.following else "       ", "italic")

    @property
    def _label(self) -> str:
        widest = len(thousands(self.steps[-1])), len(str(len(self.steps)))
        step, place = thousands(self.steps[self.place]), self.place + 1
        return f"step {step:>{widest[0]}} · {place:>{widest[1]}} of {len(self.steps)} "

    @property
    def _length(self) -> int:
        return max(1, self.size.width - len(self._label) - 9)

    def _at(self, place: int) -> int:
        return round(place * (self._length - 1) / max(1, len(self.steps) - 1)) if len(self.steps) > 1 else 0

    def on_mouse_down(self, event: MouseDown) -> None:
        self._held = True
        self.capture_mouse()
        self._go(event.x)

    def on_mouse_move(self, event: MouseMove) -> None:
        if self._held:
            self._go(event.x)

    def on_mouse_up(self, event: MouseUp) -> None:
        self._held = False
        self.release_mouse()

    def _go(self, x: int) -> None:
        if self.steps:
            share = (x - len(self._label) - 1) / max(1, self._length - 1)
            place = max(0, min(len(self.steps) - 1, round(share * (len(self.steps) - 1))))
            if place != self.place:
                self.post_message(self.Moved(place))


class Name(Static):
    """One of the samples made at a step; a click chooses it."""

    def __init__(self, name: str, *, chosen: bool) -> None:
        shown = clean(name)
        super().__init__(f"[{shown}]" if chosen else f" {shown} ", classes="chosen" if chosen else "", markup=False)
        self._sample = name

    def on_click(self, event: Click) -> None:
        event.stop()
        self.post_message(SamplesPane.Named(self._sample))


class SamplesPane(Pane, can_focus=True):
    """The newest samples until somebody goes back; then that step's, under the same name as far as it has one."""

    DEFAULT_CSS = """
    SamplesPane { height: 1fr; layout: vertical; }
    SamplesPane > Horizontal { height: 1; padding: 0 1; }
    SamplesPane > SampleView { padding: 0 1; }
    SamplesPane Name { width: auto; height: 1; margin-right: 1; color: $text-muted; }
    SamplesPane Name.chosen { color: $text; text-style: bold reverse; }
    SamplesPane #gap { width: 1fr; }
    SamplesPane #none { padding: 1 2; height: auto; }
    SamplesPane:focus Scrubber { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,less_than_sign,comma", "go(-1)", "Earlier", key_display="←", id="samples.earlier"),
        Binding("right,greater_than_sign", "go(1)", "Later", key_display="→", id="samples.later"),
        Binding("home", "first", "first step", show=False, id="samples.first"),
        Binding("end,full_stop", "follow", "newest", show=False, id="samples.newest", tooltip="Follow the newest"),
        Binding("up,k", "name(-1)", "previous sample", show=False, id="samples.previous"),
        Binding("down,j", "name(1)", "next sample", show=False, id="samples.next"),
        Binding("pageup", "page(-1)", "page up", show=False, id="samples.pane-up"),
        Binding("pagedown", "page(1)", "page down", show=False, id="samples.pane-down"),
        Binding("shift+left", "sideways(-8)", "scroll left", show=False, id="samples.pane-left"),
        Binding("shift+right", "sideways(8)", "scroll right", show=False, id="samples.pane-right"),
        Binding("i", "pictures", "Pictures", id="samples.pictures", tooltip="Kitty, Sixel or half-cells"),
    ]

    class Named(Message):
        """A sample's name was clicked."""

        def __init__(self, name: str) -> None:
            self.chosen = name
            super().__init__()

    class Loaded(Message):
        """A sample is there, or the line that says why not; ``key`` is (run, file)."""

        def __init__(self, key: tuple[str, str], sample: Shown) -> None:
            self.key, self.sample = key, sample
            super().__init__()

    class Expected(Message):
        """When samples are made, as the run's configuration has it."""

        def __init__(self, run: str, every: str) -> None:
            self.run, self.every = run, every
            super().__init__()

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self.run: RunFolder | None = None
        self.sampled: Sequence[Sampled] = ()
        self.place = 0
        self.following = True
        self.chosen = ""
        """Name of the sample that is wanted, at whatever step."""
        self._state = ""
        self._every = ""
        self._names: tuple[tuple[str, ...], str] = ((), "")
        self._kept: dict[tuple[str, str], Shown] = {}
        self._shown: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        yield Scrubber()
        with Horizontal():
            yield Horizontal(id="names")
            view = SampleView(can_focus=False)
            yield PictureLine(view, "i")
        yield Static("", id="none", markup=False)
        yield view

    # What there is

    def show(self, view: RunView) -> None:
        if self.run != view.run:
            self._begin(view.run)
        self._state = view.state
        if self.sampled != view.sampled:
            step = self.step
            self.sampled = view.sampled
            steps = [event.step for event in self.sampled]
            self.following = self.following or step not in steps
            self.place = max(0, len(steps) - 1) if self.following else steps.index(step)
        self._update()

    def _begin(self, run: RunFolder) -> None:
        self.run, self.sampled, self.place, self.following = run, (), 0, True
        self.chosen = self._every = ""
        self._kept.clear()
        self._shown = None
        self._expect(run)

    @property
    def step(self) -> int:
        """The step that is shown; -1 while there is none."""
        return self.sampled[self.place].step if self.place < len(self.sampled) else -1

    @property
    def ref(self) -> SampleRef | None:
        """The sample that is shown."""
        there = self.sampled[self.place].samples if self.place < len(self.sampled) else ()
        return next((ref for ref in there if ref.name == self.chosen), there[0] if there else None)

    def on_mount(self) -> None:
        self._update()

    def _update(self) -> None:
        if not self.is_mounted:  # what is known by then is shown when it is
            return
        ref = self.ref
        nothing = self.query_one("#none", Static)
        nothing.display = ref is None
        self.query_one(SampleView).display = ref is not None
        self.query_one(Scrubber).show([e.step for e in self.sampled], self.place, following=self.following)
        if ref is None:
            nothing.update(self._nothing())
        else:
            self._show_names(ref.name)
            self._show_sample(ref)

    def _nothing(self) -> str:
        if self._state in ENDED or self._state in ("interrupted", "damaged"):
            return "No samples: none were made before the run ended."
        when = {
            "": "",
            "never": "This run makes none by itself (engine.sample_every = never).\n",
            "end": "The first samples come at the end of the run (engine.sample_every = end).\n",
        }
        plan = f"The first samples come after {self._every} (engine.sample_every).\n"
        return f"No samples yet.\n{when.get(self._every, plan)}a asks for some now."

    # Names

    def _show_names(self, chosen: str) -> None:
        names = tuple(ref.name for ref in self.sampled[self.place].samples)
        if (names, chosen) == self._names:
            return
        self._names = names, chosen
        row = self.query_one("#names")
        row.remove_children()
        row.mount(*[Name(name, chosen=name == chosen) for name in names])

    def on_samples_pane_named(self, message: Named) -> None:
        self.chosen = message.chosen
        self.shield(self._update)

    def action_name(self, by: int) -> None:
        names = self._names[0]
        if len(names) < 2:
            self.query_one(SampleView).scroll_relative(y=2 * by, animate=False)
            return
        self.chosen = names[(names.index(self._names[1]) + by) % len(names)]
        self._update()

    # Steps

    def action_go(self, by: int) -> None:
        self._go(self.place + by)

    def action_first(self) -> None:
        self._go(0)

    def action_follow(self) -> None:
        self._go(len(self.sampled) - 1)

    def on_scrubber_moved(self, message: Scrubber.Moved) -> None:
        self._go(message.place)

    def _go(self, place: int) -> None:
        """At the newest it stays with the newest."""
        if not self.sampled:
            return
        last = len(self.sampled) - 1
        self.place = max(0, min(last, place))
        self.following = self.place >= last
        if not self.chosen and self._names[1]:
            self.chosen = self._names[1]
        self._update()

    # The sample itself

    def _show_sample(self, ref: SampleRef) -> None:
        assert self.run is not None
        key = self.run.id, ref.file
        if key == self._shown:
            return
        self._shown = key
        if key in self._kept:
            self._present(key)
        else:
            self._load(self.run, ref.file)

    @work(thread=True, exclusive=True, group="sample", exit_on_error=False)
    def _load(self, run: RunFolder, file: str) -> None:
        self.post_message(self.Loaded((run.id, file), read(run, file)))

    def on_samples_pane_loaded(self, message: Loaded) -> None:
        if self.run is None or message.key[0] != self.run.id:
            return
        self._kept[message.key] = message.sample
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept)))
        if message.key == self._shown:
            self.shield(partial(self._present, message.key))

    def _present(self, key: tuple[str, str]) -> None:
        self.query_one(SampleView).show([self._kept[key]])
        self.query_one(PictureLine).tell()

    @work(thread=True, exclusive=True, group="expected", exit_on_error=False)
    def _expect(self, run: RunFolder) -> None:
        engine = stored_sections(run).get("engine", {})  # the run's other panes say what is wrong with the file
        self.post_message(self.Expected(run.id, str(engine.get("sample_every", ""))))

    def on_samples_pane_expected(self, message: Expected) -> None:
        if self.run is not None and message.run == self.run.id:
            self._every = message.every
            self.shield(self._update)

    # Looking around

    def action_page(self, by: int) -> None:
        view = self.query_one(SampleView)
        view.scroll_relative(y=by * max(1, view.size.height - 1), animate=False)

    def action_sideways(self, by: int) -> None:
        self.query_one(SampleView).scroll_relative(x=by, animate=False)

    def action_pictures(self) -> None:
        self.query_one(PictureLine).next_way()

"""The samples of a run: step by step, name by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from dlkit.events import Sampled, SampleRef
from dlkit.monitor import sample_looks
from dlkit.monitor.view import RunView
from dlkit.runs.contents import stored_sections
from dlkit.runs.folder import RunFolder
from dlkit.samples import Boxes
from dlkit.tui.run import sample_files
from dlkit.tui.run.pane import Pane
from dlkit.tui.run.playing import Player
from dlkit.tui.run.sample_reading import Key, many_steps, read_all
from dlkit.tui.run.scrubber import Name, Scrubber
from dlkit.tui.sample import Shown
from dlkit.tui.sample.matrices import Matrix
from dlkit.tui.sample.view import PictureLine, SampleView

KEPT = 12
"""Samples that are kept in memory once they were shown."""


class SamplesPane(Pane, can_focus=True):
    """The newest samples until somebody goes back; then that step's, under the same name as far as it has one."""

    ALLOW_MAXIMIZE = True
    DEFAULT_CSS = """
    SamplesPane { height: 1fr; layout: vertical; }
    SamplesPane > Horizontal { height: 1; padding: 0 1; }
    SamplesPane > SampleView { padding: 0 1; }
    SamplesPane Name { width: auto; height: 1; margin-right: 1; color: $text-muted; }
    SamplesPane Name.chosen { color: $text; text-style: bold reverse; }
    SamplesPane #names { width: 1fr; overflow: hidden hidden; }
    SamplesPane PictureLine { margin-left: 2; }
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
        Binding("space", "play", "Play", id="samples.play", tooltip="The samples through the training"),
        Binding("plus,equals_sign", "faster(1)", "faster", key_display="+", show=False, id="samples.faster"),
        Binding("minus", "faster(-1)", "slower", key_display="-", show=False, id="samples.slower"),
        Binding("t", "tile", "Steps", id="samples.tile", tooltip="This sample at many steps, side by side"),
        Binding("enter", "enlarge", "Enlarge", id="samples.enlarge", tooltip="Of many images one; up and down go on"),
        Binding("f", "roles", "Missed", id="samples.roles", tooltip="Boxes: all, missed and false, one of them"),
        Binding("w", "write", "Write", id="samples.write", tooltip="As PNG, GIF or HTML"),
        Binding("escape", "leave", "Back", show=False, id="samples.leave"),
        Binding("i", "pictures", "Pictures", id="samples.pictures", tooltip="Kitty, Sixel or half-cells"),
    ]

    class Loaded(Message):
        """What ``key`` means is there, or the line that says why not."""

        def __init__(self, key: Key, samples: Sequence[Shown]) -> None:
            self.key, self.samples = key, samples
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
        self.tiled = self.large = False
        """Whether many steps are shown side by side; whether the pane has the whole window."""
        self.image = 0
        """Which image of a grid is shown by itself, counted from 1, while this is large; 0: all."""
        self.roles = ""
        """Which boxes are shown, by ``sample_looks.ROLES``."""
        self._player = Player(self, self._advance)
        self._kept: dict[Key, Sequence[Shown]] = {}
        self._shown: Key | None = None
        self._seen: tuple[object, ...] = ()

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
        self._player.stop()
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
        self.watch(self.screen, "maximized", self._maximised, init=False)
        self._update()

    def on_resize(self) -> None:
        self.shield(self._update)

    def _update(self) -> None:
        if not self.is_mounted:  # what is known by then is shown when it is
            return
        ref = self.ref
        nothing = self.query_one("#none", Static)
        nothing.display = ref is None
        self.query_one(SampleView).display = ref is not None
        steps = [event.step for event in self.sampled]
        self.query_one(Scrubber).show(steps, self.place, following=self.following, playing=self._player.told)
        if ref is None:
            nothing.update(sample_looks.none_yet(self._state, self._every))
        else:
            self._show_names(ref.name)
            self._show_sample(ref)

    # Names

    def _show_names(self, chosen: str) -> None:
        names = tuple(ref.name for ref in self.sampled[self.place].samples)
        if (names, chosen) == self._names:
            return
        self._names = names, chosen
        row = self.query_one("#names")
        row.remove_children()
        row.mount(*[Name(name, chosen=name == chosen) for name in names])
        self.call_after_refresh(self._bring)

    def _bring(self) -> None:
        """Have the chosen one seen, however many there are."""
        for name in self.query(Name).filter(".chosen"):
            self.query_one("#names").scroll_to_widget(name, animate=False, force=True)

    def on_name_chosen(self, message: Name.Chosen) -> None:
        self.chosen = message.name
        self.shield(self._update)

    def action_name(self, by: int) -> None:
        if self.large and (there := self._parts()):
            self.image = (self.image + by) % (there + 1)
            self._update()
            return
        names = self._names[0]
        if len(names) < 2:
            self.query_one(SampleView).scroll_relative(y=2 * by, animate=False)
            return
        self.chosen = names[(names.index(self._names[1]) + by) % len(names)]
        self._update()

    # Steps

    def action_go(self, by: int) -> None:
        self._stop()
        self._go(self.place + by)

    def action_first(self) -> None:
        self._stop()
        self._go(0)

    def action_follow(self) -> None:
        self._stop()
        self._go(len(self.sampled) - 1)

    def on_scrubber_moved(self, message: Scrubber.Moved) -> None:
        self._stop()
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

    # Playing them

    def action_play(self) -> None:
        """From where it is; from the beginning, if it is at the end."""
        if self._player.playing:
            self._stop()
        elif len(self.sampled) > 1:
            self.tiled = False
            self._player.play()
            self._go(0 if self.place == len(self.sampled) - 1 else self.place)

    def action_faster(self, by: int) -> None:
        self._player.faster(by)
        self._update()

    def _advance(self) -> bool:
        if self._shown not in self._kept:  # it is still being read
            return True
        if self.place < len(self.sampled) - 1:
            self._go(self.place + 1)
            return True
        self.call_later(self._update)
        return False

    def _stop(self) -> None:
        self._player.stop()
        self._update()

    def on_hide(self) -> None:
        """Another pane is shown."""
        self._player.stop()
        self._enlarge(False)

    # The sample itself

    def _show_sample(self, ref: SampleRef) -> None:
        assert self.run is not None
        key = Key(self.run.id, ((self.step, ref.file),))
        if self.tiled:
            key = many_steps(self.run, self.sampled, ref, self.roles, self.size.height)
        seen = (key, self.large, self.image, self.roles)
        if seen == self._seen:
            return
        self._shown, self._seen = key, seen
        if key in self._kept:
            self._present()
        else:
            self._load(self.run, key)

    @work(thread=True, exclusive=True, group="sample", exit_on_error=False)
    def _load(self, run: RunFolder, key: Key) -> None:
        self.post_message(self.Loaded(key, read_all(run, key)))

    def on_samples_pane_loaded(self, message: Loaded) -> None:
        if self.run is None or message.key.run != self.run.id:
            return
        self._kept[message.key] = message.samples
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept)))
        if message.key == self._shown:
            self.shield(self._present)

    def _present(self) -> None:
        assert self._shown is not None
        self.query_one(SampleView).show(list(map(self._looked_at, self._kept[self._shown])))
        self.query_one(PictureLine).tell()
        self.call_after_refresh(self._bring)  # the line beside the names may have grown
        self.refresh_bindings()

    def _looked_at(self, sample: Shown) -> Shown:
        if isinstance(sample, Boxes):
            return sample_looks.of_roles(sample, self.roles)
        if isinstance(sample, str) or not (self.large and self.image) or self.tiled:
            return sample
        there = sample_looks.parts(sample)
        return sample_looks.part(sample, min(self.image, there) - 1) if there else sample

    def _parts(self) -> int:
        """Of the sample that is shown; 0 while it is not there."""
        found = self._kept.get(self._shown, ()) if self._shown is not None and not self.tiled else ()
        return sample_looks.parts(found[0]) if found and not isinstance(found[0], str) else 0

    def on_matrix_opened(self, message: Matrix.Opened) -> None:
        self._enlarge(True)
        self.image = message.place + 1
        self._update()

    @work(thread=True, exclusive=True, group="expected", exit_on_error=False)
    def _expect(self, run: RunFolder) -> None:
        engine = stored_sections(run).get("engine", {})  # the run's other panes say what is wrong with the file
        self.post_message(self.Expected(run.id, str(engine.get("sample_every", ""))))

    def on_samples_pane_expected(self, message: Expected) -> None:
        if self.run is not None and message.run == self.run.id:
            self._every = message.every
            self.shield(self._update)

    # Looking around

    def action_tile(self) -> None:
        self._player.stop()
        self.tiled = not self.tiled
        self._update()

    def action_enlarge(self) -> None:
        self._enlarge(not self.large)

    def _enlarge(self, large: bool) -> None:
        if large and self.ref is not None:
            self.image = int(self._parts() > 0)
            self.screen.maximize(self)
        elif self.large:
            self.screen.minimize()

    def _maximised(self, widget: Widget | None) -> None:
        """By us, or by Textual, which takes escape for itself."""
        if self.large != (widget is self):
            self.large = widget is self
            self.image = self.image if self.large else 0
            self._update()

    def action_roles(self) -> None:
        ways = list(sample_looks.ROLES)
        self.roles = ways[(ways.index(self.roles) + 1) % len(ways)]
        self._update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape is the screen's where there is nothing to leave here; roles are of boxes."""
        if action == "leave":
            return self.large or self.tiled
        if action == "roles":
            return self.ref is not None and self.ref.kind == Boxes.kind
        return len(self.sampled) > 1 if action in ("play", "tile") else True

    def action_leave(self) -> None:
        if self.large:
            self._enlarge(False)
        else:
            self.tiled = False
            self._update()

    def action_write(self) -> None:
        if self.run is None or self.ref is None:
            return
        shown = sample_files.Shown(self.run, self.sampled, self.place, self.ref.name)

        def take(way: str | None) -> None:
            if way:
                self._write(shown, way)

        sample_files.ask(self.app, take)

    @work(thread=True, group="write", exit_on_error=False)
    def _write(self, shown: sample_files.Shown, way: str) -> None:
        sample_files.write(self.app, shown, way)

    def action_page(self, by: int) -> None:
        view = self.query_one(SampleView)
        view.scroll_relative(y=by * max(1, view.size.height - 1), animate=False)

    def action_sideways(self, by: int) -> None:
        self.query_one(SampleView).scroll_relative(x=by, animate=False)

    def action_pictures(self) -> None:
        self.query_one(PictureLine).next_way()

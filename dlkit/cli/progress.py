"""How a run looks while it goes: a bar on a terminal, plain lines elsewhere, or JSON events."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dlkit import events
from dlkit.cli.standing import Standing
from dlkit.present.events import (
    describe_command,
    describe_fork,
    describe_preparing,
    describe_restart,
    describe_start,
    loss_names,
    machine_use,
    metrics_line,
)
from dlkit.present.numbers import duration, grouped, number
from dlkit.present.output import colours, print_json_text, say
from dlkit.present.samples import render
from dlkit.present.spending import in_words
from dlkit.present.text import fit_to_print
from dlkit.runs.contents import load_sample
from dlkit.runs.folder import RunFolder
from dlkit.runs.spending import Spending
from dlkit.steering import one_line, own_stream

if TYPE_CHECKING:
    from tqdm import tqdm

PLAIN_SECONDS = 10.0
EVALUATION_SECONDS = 0.5
SAMPLE_SECONDS = 10.0
"""Shortest time between two shown; the last is always shown. All are in the run's folder."""
IN_PLACE_SECONDS = 1.0
"""The same of samples where each is drawn over the one before."""
WORTH_TELLING = 1.0
"""Seconds from which on a run says at its end where they went."""
PICTURE_LINES = 12
"""Lines of a sample at most, and no more than a third of the window: the words above it are to be read as well."""
ROOMY = 100
"""Columns from which on the bar has room for the machine."""
NAMED = 3
"""Samples of one step that are named; how many more there are is said."""


class Display:
    """Consumes a run's events; ``finished`` is the last one."""

    def __init__(self, run: RunFolder, *, quiet: bool = False) -> None:
        self.run = run
        self.finished: events.Finished | None = None
        self._quiet = quiet

    def show(self, event: events.Event) -> None:
        if isinstance(event, events.Finished):
            self.finished = event
        if not self._quiet:
            self._show(event)

    def catch_up(self, past: Sequence[events.Event]) -> None:
        """Take over what happened before anybody looked."""
        for event in past:
            self.show(event)

    def say(self, text: str) -> None:
        """Something that is not an event; left out where only events are shown."""

    def close(self) -> None:
        """Leave the terminal tidy."""

    def _show(self, event: events.Event) -> None:
        raise NotImplementedError(type(self).__name__)


class JsonLines(Display):
    """One JSON event a line on stdout."""

    def show(self, event: events.Event) -> None:
        if isinstance(event, events.Finished):
            self.finished = event
        print_json_text(events.told(event), flush=True)


class Talk(Display):
    """What bar and lines have in common."""

    @property
    def sample_seconds(self) -> float:
        """Shortest time between two samples that are shown."""
        return SAMPLE_SECONDS

    def __init__(self, run: RunFolder, *, quiet: bool = False) -> None:
        super().__init__(run, quiet=quiet)
        self._total = 0
        self._last: dict[str, float] = {}
        self._metric = str(run.read().get("metric", ""))
        self._machine = ""
        self._spending = Spending()
        self._held: dict[str, events.Event] = {}
        self._shown: dict[str, float] = {}

    def say(self, text: str) -> None:
        if not self._quiet:
            self._say(text)

    def catch_up(self, past: Sequence[events.Event]) -> None:
        """Of what happened before, show how it began, the last evaluation, and where it is."""
        if self._quiet:
            return
        started = next((e for e in past if isinstance(e, events.Started)), None)
        if started is not None:
            self._begun(started)
        planned = [e.total_steps for e in past if isinstance(e, (events.Started, events.Resumed))]
        if not planned:
            return
        self._spending = Spending(past)
        metrics = [e for e in past if isinstance(e, events.MetricsLogged)]
        for event in metrics:
            self._last.update({name: column[-1] for name, column in event.values.items()})
        evaluations = [e for e in metrics if _is_evaluation(e)]
        if evaluations:
            self._evaluation(evaluations[-1])
        steps = [e for e in metrics if loss_names(e.values)]
        self._planned(planned[-1], max((e.last_step for e in steps), default=0))
        machine = [e for e in past if isinstance(e, events.Machine)]
        self._machine = machine_use(machine[-1], brief=True) if machine else ""
        if steps:
            self._progress(steps[-1].last_step, steps[-1])

    def _say(self, text: str) -> None:
        say(text)

    def _begun(self, event: events.Started) -> None:
        head = f"run {self.run.id}{f', {describe_fork(event)}' if isinstance(event, events.Forked) else ''}"
        self.say(f"{head}\n{describe_start(event.summary)}")

    def _show(self, event: events.Event) -> None:
        self._spending.take(event)
        if isinstance(event, events.Started):
            self._begun(event)
            self._planned(event.total_steps, event.from_step if isinstance(event, events.Forked) else 0)
        elif isinstance(event, events.Resumed):
            how = "exactly" if event.exact else f"not exactly ({'; '.join(event.differences)})"
            self.say(f"run {self.run.id} goes on from step {event.from_step} of {event.total_steps}, {how}")
            self._planned(event.total_steps, event.from_step)
        elif isinstance(event, events.MetricsLogged):
            self._last.update({name: column[-1] for name, column in event.values.items()})
            if _is_evaluation(event):
                self._now_or_later(event, EVALUATION_SECONDS)
            elif loss_names(event.values):
                self._progress(event.last_step, event)
        elif isinstance(event, events.Sampled):
            self._now_or_later(event, self.sample_seconds)
        elif isinstance(event, events.Preparing):
            self._preparing(event)
        elif isinstance(event, events.Notice):
            self._show_held()  # what came before it: a verdict is about what is seen above it
            self.say(f"note: {event.text}")
        elif isinstance(event, events.Commanded):
            self.say(describe_command(event))
        elif isinstance(event, events.Retried):
            self.say(f"note: {describe_restart(event)}")
        elif isinstance(event, events.Machine):
            self._machine = machine_use(event, brief=True)
        elif isinstance(event, events.Finished):
            self._show_held()
            spent = self._spending.in_all()
            if spent is not None and sum(spent.seconds.values()) >= WORTH_TELLING:
                self.say(f"time: {in_words(spent)}")

    def _show_held(self) -> None:
        for held in list(self._held.values()):
            self._now_or_later(held, 0)

    def _now_or_later(self, event: events.Event, seconds: float) -> None:
        """Show what comes often at most every ``seconds``; what was held back last is shown at the end."""
        self._held[event.event] = event
        if time.monotonic() - self._shown.get(event.event, -1e9) >= seconds:
            del self._held[event.event]
            if isinstance(event, events.Sampled):
                self._samples(event)
            elif isinstance(event, events.MetricsLogged):
                self._evaluation(event)
            self._shown[event.event] = time.monotonic()

    def _evaluation(self, event: events.MetricsLogged) -> None:
        head = f"epoch {event.epoch + 1}  step {event.first}" if event.first else "before the first step"
        self.say(metrics_line(head, self._last, self._metric, self._width()))

    def _width(self) -> int:
        return 120

    def _planned(self, total: int, done: int) -> None:
        self._total = total

    def _preparing(self, event: events.Preparing) -> None:
        """So far the splits are made ready."""

    def _progress(self, step: int, event: events.MetricsLogged) -> None:
        """Training has come to ``step``."""

    def _samples(self, event: events.Sampled) -> None:
        """Samples were written."""


class Bar(Talk):
    """A tqdm bar, the newest sample above it, and above that what was said."""

    _bar: tqdm | None = None

    def __init__(self, run: RunFolder, *, quiet: bool = False) -> None:
        super().__init__(run, quiet=quiet)
        self._standing = Standing()

    @property
    def sample_seconds(self) -> float:
        return IN_PLACE_SECONDS if self._standing.replaceable else SAMPLE_SECONDS

    def _planned(self, total: int, done: int) -> None:
        from tqdm import tqdm

        super()._planned(total, done)
        self.close()  # of an attempt before this one
        file = own_stream(sys.stderr)
        self._bar = tqdm(total=total, initial=done, unit="step", dynamic_ncols=True, file=file, leave=False)

    def _say(self, text: str) -> None:
        self._write(words=fit_to_print(text))

    def _write(self, *, words: str = "", picture: str = "") -> None:
        from tqdm import tqdm

        file = own_stream(sys.stderr)
        with tqdm.external_write_mode(file=file):
            file.write(self._standing.written(words, picture))
            file.flush()
        self._standing.note()

    def close(self) -> None:
        self._standing.leave()
        if self._bar is not None:
            self._bar.close()

    def _progress(self, step: int, event: events.MetricsLogged) -> None:
        if self._bar is None:
            return
        machine = f", {self._machine}" if self._machine and self._width() >= ROOMY else ""
        shown = ", ".join(
            f"{name.removeprefix('train/')} {number(self._last[name])}" for name in loss_names(self._last)
        )
        postfix = f"epoch {event.epoch + 1}, {shown}{machine}"
        self._bar.set_postfix_str(one_line(postfix), refresh=False)
        self._bar.total = events.likely_end(self._total, step, event.rate, event.time_left)
        self._bar.update(step - self._bar.n)

    def _preparing(self, event: events.Preparing) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(one_line(describe_preparing(event)), refresh=True)

    def _width(self) -> int:
        return shutil.get_terminal_size().columns

    def _samples(self, event: events.Sampled) -> None:
        columns, lines = shutil.get_terminal_size()
        for reference in event.samples[:1]:
            try:
                sample = load_sample(self.run, reference.file)
            except (OSError, ValueError, KeyError, TypeError):  # who watches late may come after it was removed
                continue
            titled = replace(sample, title=f"{sample.title or sample.name} · step {grouped(event.step)}")
            high = min(PICTURE_LINES, max(4, lines // 3))
            self._write(picture=render(titled, colour=colours(sys.stderr), width=columns, height=high))


class Lines(Talk):
    """Plain lines: every evaluation, and a sign of life every ten seconds."""

    def __init__(self, run: RunFolder, *, quiet: bool = False) -> None:
        super().__init__(run, quiet=quiet)
        self._told = time.monotonic()

    def catch_up(self, past: Sequence[events.Event]) -> None:
        self._told -= PLAIN_SECONDS
        super().catch_up(past)

    def _preparing(self, event: events.Preparing) -> None:
        if time.monotonic() - self._told > PLAIN_SECONDS:
            self._told = time.monotonic()
            self.say(describe_preparing(event))

    def _progress(self, step: int, event: events.MetricsLogged) -> None:
        if time.monotonic() - self._told > PLAIN_SECONDS:
            self._told = time.monotonic()
            end = events.likely_end(self._total, step, event.rate, event.time_left)
            left = (end - step) / event.rate if event.rate else 0
            shown = "  ".join(f"{name} {number(self._last[name])}" for name in loss_names(self._last))
            where = f"step {step}/{self._total}  {shown}  {event.rate:.3g} steps/s  {duration(left)} left"
            self.say(f"{where}  {self._machine}".rstrip())

    def _samples(self, event: events.Sampled) -> None:
        names = [reference.file for reference in event.samples]
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        self.say(f"samples at step {event.step}: {', '.join(names[:NAMED])}{more}")


def make_display(run: RunFolder, *, as_json: bool, quiet: bool) -> Display:
    """JSON lines if asked for, a bar on a terminal, plain lines elsewhere."""
    if as_json:
        return JsonLines(run)
    return Bar(run, quiet=quiet) if sys.stderr.isatty() else Lines(run, quiet=quiet)


def _is_evaluation(event: events.MetricsLogged) -> bool:
    return any(name.startswith("val/") for name in event.values)

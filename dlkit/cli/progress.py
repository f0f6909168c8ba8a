"""How a run looks while it goes: a bar on a terminal, plain lines elsewhere, or JSON events."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dlkit import events
from dlkit.cli.common import colours, duration, number, say, size, table
from dlkit.cli.render import render
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, load

PLAIN_SECONDS = 10.0
EVALUATION_SECONDS = 0.5
SAMPLE_SECONDS = 10.0
"""Shortest time between two shown; the last is always shown. All are in the run's folder."""


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

    def close(self) -> None:
        """Leave the terminal tidy."""

    def _show(self, event: events.Event) -> None:
        raise NotImplementedError(type(self).__name__)


class JsonLines(Display):
    """One JSON event a line on stdout."""

    def show(self, event: events.Event) -> None:
        if isinstance(event, events.Finished):
            self.finished = event
        print(events.to_json(event), flush=True)


class Talk(Display):
    """What bar and lines have in common."""

    def __init__(self, run: RunFolder, *, quiet: bool = False) -> None:
        super().__init__(run, quiet=quiet)
        self._total = 0
        self._last: dict[str, float] = {}
        self._metric = str(run.read().get("metric", ""))
        self._held: dict[str, events.Event] = {}
        self._shown: dict[str, float] = {}

    def say(self, text: str) -> None:
        say(text)

    def _show(self, event: events.Event) -> None:
        if isinstance(event, events.Started):
            self.say(f"run {self.run.id}\n{describe(event.summary)}")
            self._planned(event.total_steps, 0)
        elif isinstance(event, events.Resumed):
            how = "exactly" if event.exact else f"not exactly ({'; '.join(event.differences)})"
            self.say(f"run {self.run.id} goes on from step {event.from_step} of {event.total_steps}, {how}")
            self._planned(event.total_steps, event.from_step)
        elif isinstance(event, events.Metrics):
            self._last.update({name: column[-1] for name, column in event.values.items()})
            step = event.first + (event.count - 1) * event.every
            if any(name.startswith("val/") for name in event.values):
                self._now_or_later(event, EVALUATION_SECONDS)
            elif "train/loss" in event.values:
                self._progress(step, event)
        elif isinstance(event, events.Sampled):
            self._now_or_later(event, SAMPLE_SECONDS)
        elif isinstance(event, events.Notice):
            self.say(f"note: {event.text}")
        elif isinstance(event, events.Finished):
            for held in list(self._held.values()):
                self._now_or_later(held, 0)

    def _now_or_later(self, event: events.Event, seconds: float) -> None:
        """Show what comes often at most every ``seconds``; what was held back last is shown at the end."""
        self._held[event.event] = event
        if time.monotonic() - self._shown.get(event.event, -1e9) >= seconds:
            del self._held[event.event]
            if isinstance(event, events.Sampled):
                self._samples(event)
            elif isinstance(event, events.Metrics):
                head = f"epoch {event.epoch + 1}  step {event.first}"
                self.say(metrics_line(head, self._last, self._metric, self._width()))
            self._shown[event.event] = time.monotonic()

    def _width(self) -> int:
        return 120

    def _planned(self, total: int, done: int) -> None:
        self._total = total

    def _progress(self, step: int, event: events.Metrics) -> None:
        """Training has come to ``step``."""

    def _samples(self, event: events.Sampled) -> None:
        """Samples were written."""


class Bar(Talk):
    """A tqdm bar, evaluations and samples above it."""

    def _planned(self, total: int, done: int) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=total, initial=done, unit="step", dynamic_ncols=True, file=sys.stderr, leave=False)

    def say(self, text: str) -> None:
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)

    def close(self) -> None:
        if hasattr(self, "_bar"):
            self._bar.close()

    def _progress(self, step: int, event: events.Metrics) -> None:
        self._bar.set_postfix_str(f"epoch {event.epoch + 1}, loss {number(self._last['train/loss'])}", refresh=False)
        self._bar.update(step - self._bar.n)

    def _width(self) -> int:
        return shutil.get_terminal_size().columns

    def _samples(self, event: events.Sampled) -> None:
        width = self._width()
        for reference in event.samples[:1]:
            sample = load(self.run.path / reference.file)
            if isinstance(sample, Images):  # one row: dlkit show --samples has them all
                across = slice(sample.columns)
                sample = replace(
                    sample,
                    images=sample.images[across],
                    captions=sample.captions[across],
                    good=sample.good[across],
                )
            self.say(render(sample, colour=colours(sys.stderr), width=width))


class Lines(Talk):
    """Plain lines: every evaluation, and a sign of life every ten seconds."""

    def __init__(self, run: RunFolder, *, quiet: bool = False) -> None:
        super().__init__(run, quiet=quiet)
        self._told = time.monotonic()

    def _progress(self, step: int, event: events.Metrics) -> None:
        if time.monotonic() - self._told > PLAIN_SECONDS:
            self._told = time.monotonic()
            left = (self._total - step) / event.rate if event.rate else 0
            loss = number(self._last["train/loss"])
            self.say(f"step {step}/{self._total}  train/loss {loss}  {event.rate:.3g} steps/s  {duration(left)} left")

    def _samples(self, event: events.Sampled) -> None:
        names = ", ".join(reference.file for reference in event.samples)
        self.say(f"samples at step {event.step}: {names}")


def make_display(run: RunFolder, *, as_json: bool, quiet: bool) -> Display:
    """JSON lines if asked for, a bar on a terminal, plain lines elsewhere."""
    if as_json:
        return JsonLines(run)
    return Bar(run, quiet=quiet) if sys.stderr.isatty() else Lines(run, quiet=quiet)


def metrics_line(head: str, values: Mapping[str, float], primary: str, width: int) -> str:
    """The main metrics in one line, as many as fit: losses, the primary one, then what else evaluation gave.

    Details (``val/accuracy/cat``) are left out.
    """
    others = [name for name in values if name.startswith("val/") and name.count("/") == 1]
    line = head
    for name in dict.fromkeys(["train/loss", "val/loss", primary, *others]):
        part = f"  {name} {number(values[name])}" if name in values else ""
        if len(line) + len(part) <= width:
            line += part
    return line


def describe(summary: Mapping[str, Any]) -> str:
    """Model, data, device and precision at the start of a run."""
    model, data = summary["model"], summary["data"]
    splits = ", ".join(f"{name} {count:,}".replace(",", " ") for name, count in data["splits"].items())
    lines = [
        f"data    {splits}",
        *(f"        {note}" for note in data["notes"]),
        f"model   {model['name']}: {_count(model['parameters'])} parameters, {size(model['memory'])} with gradients",
        _indent(_layers(model["layers"], model["more_layers"])),
        f"device  {summary['device']}, {summary['precision']}",
    ]
    return "\n".join(line for line in lines if line)


def _layers(layers: Sequence[Mapping[str, Any]], more: int) -> str:
    rows = [(e["name"], e["type"], "×".join(map(str, e["output"])), _count(e["parameters"])) for e in layers]
    if len(rows) > 24:
        rows, more = rows[:24], more + len(rows) - 24
    text = table(("layer", "type", "output", "parameters"), rows)
    return text + (f"\n… and {more} more layers" if more else "")


def _indent(text: str) -> str:
    return "\n".join(f"        {line}" for line in text.splitlines())


def _count(value: int) -> str:
    return f"{value:,}".replace(",", " ")

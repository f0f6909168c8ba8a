"""Runs to be reported, recorded without training; and a look into a page."""

from __future__ import annotations

import html.parser
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from dlkit.catalog import Catalog
from dlkit.events import Event, MetricsLogged, Notice, Sampled, SampleRef
from dlkit.report.reading import Told, read
from dlkit.runs.contents import save_sample
from dlkit.runs.folder import RunFolder
from dlkit.samples import Images, Sample
from recorded import record_run, write_events

VOID = {"meta", "img", "input", "br", "link"}


class Page(html.parser.HTMLParser):
    """``elements`` are (tag, attributes) in their order; ``text`` what is written. AssertionError: not well nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self._open[-1:] not in (["script"], ["style"]):
            self.text += data


def told_of(run: RunFolder) -> Told:
    return read(run, Catalog.load_everything())


def grow(run: RunFolder, values: Mapping[str, Sequence[float]], every: int = 1) -> None:
    """More metrics, from step 1 on."""
    events: list[Event] = [
        MetricsLogged(first=1, count=len(column), every=every, values={name: list(column)})
        for name, column in values.items()
    ]
    write_events(run, events, 100)


def sample(run: RunFolder, steps: Mapping[int, Sequence[Sample]]) -> None:
    """Samples on record, of some steps."""
    events: list[Event] = [
        Sampled(
            step=step,
            samples=[
                SampleRef(kind=s.kind, name=s.name, title=s.title, file=save_sample(run, s, f"step-{step:08d}-{place}"))
                for place, s in enumerate(made)
            ],
        )
        for step, made in steps.items()
    ]
    write_events(run, events, 200)


def noise(seed: int, side: int = 64, count: int = 24) -> Images:
    """As untrained networks draw it: nothing makes its file small."""
    found = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), np.uint8)
    return Images(name="noise", title="Drawn from noise", images=found)


def ordinary(workspace: Path, number: int = 1) -> RunFolder:
    """A run as most are: losses, a metric, samples at three steps, a notice, a configuration, a look at test."""
    parts = {"dataset": "plane", "model": "linear", "loss": "mse", "trainer": "supervised", "inference": "values"}
    run = record_run(
        workspace, number, name="ordinary",
        components={
            **{part: {"name": name, "plugin": "toy", "version": 1} for part, name in parts.items()},
            **{part: {"name": name, "plugin": "dlkit", "version": 1}
               for part, name in {"trainer": "supervised", "launcher": "local"}.items()},
        },
    )  # fmt: skip
    run.config.write_text('task = "toy"\n[engine]\nepochs = 7\nseed = 5\n[model]\nname = "linear"\ndropout = 0.25\n'
                          '[dataset]\nname = "plane"\n[loss]\nname = "mse"\n[trainer]\nname = "supervised"\n'
                          '[inference]\nname = "values"\n[launcher]\nname = "local"\n')  # fmt: skip
    sample(run, {step: [noise(step, 8, 6)] for step in (20, 60, 100)})
    write_events(run, [Notice(step=50, text="something to know")], 300)
    look = {"run": run.id, "checkpoint": "best", "step": 100, "split": "test", "metrics": {"test/mse": 0.123456},
            "time": 1.8e9}  # fmt: skip
    run.evaluations.write_text(json.dumps(look) + "\n")
    return run

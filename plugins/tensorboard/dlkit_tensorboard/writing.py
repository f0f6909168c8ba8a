"""Events of runs, as TensorBoard has them: scalars, pictures, text, hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tensorboardX import SummaryWriter
from tensorboardX.summary import hparams

from dlkit.events import Event, Finished, MetricsLogged, Notice, Resumed, Sampled, Started, from_record
from dlkit.json_types import Json
from dlkit.present.frames import drawn
from dlkit.runs.contents import flatten, load_sample, stored_values
from dlkit.runs.folder import RunFolder
from dlkit.samples import Text

_WRITERS: dict[str, RunWriter] = {}
"""Of the runs that this process trains: several at a time where they are trained as one."""


def take(run: Mapping[str, Json], event: Mapping[str, Json], place: str = "") -> None:
    """Write one event. ``place``: the folder of all runs' files; empty: ``tensorboard`` of the run's workspace."""
    found = from_record(event)
    path = Path(str(run["path"]))
    if isinstance(found, (Started, Resumed)):
        # What a resume makes void lies after its checkpoint; TensorBoard leaves it out.
        _close(str(path))
        _WRITERS[str(path)] = RunWriter(path, folder(path, place), found)
    writer = _WRITERS.get(str(path))
    if found is not None and writer is not None:
        writer.take(found)
    if isinstance(found, Finished):
        _close(str(path))


def folder(run: Path, place: str = "") -> Path:
    """Where a run's event files go."""
    workspace = run.parent.parent if run.parent.name == "runs" else run.parent
    return (Path(place) if place else workspace / "tensorboard") / run.name


def _close(path: str) -> None:
    if path in _WRITERS:
        _WRITERS.pop(path).close()


class RunWriter:
    """One attempt at one run, in a file of its own."""

    def __init__(self, run: Path, folder: Path, begins: Started | Resumed) -> None:
        self._run = RunFolder(run)
        # Files are read in the order of their names, which have the second alone: of two within one, the later
        # attempt's must come after, and not in place of, the earlier one's.
        purge = begins.from_step + 1 if isinstance(begins, Resumed) else None
        self._writer = SummaryWriter(
            str(folder), purge_step=purge, flush_secs=10, filename_suffix=f".{max(0, begins.seq):09d}"
        )

    def take(self, event: Event) -> None:
        match event:
            case Started():
                self._writer.add_text("config", _fenced(self._run.config.read_text(encoding="utf-8")), 0, event.time)
            case MetricsLogged():
                for name in event.values:
                    for step, value in event.points(name):
                        self._writer.add_scalar(name, value, step, event.time)
            case Sampled():
                self._samples(event)
            case Notice():
                self._writer.add_text("notices", event.text, event.step, event.time)
            case Finished():
                self._hyperparameters(event)

    def _samples(self, event: Sampled) -> None:
        for ref in event.samples:
            sample = load_sample(self._run, ref.file)
            if isinstance(sample, Text):
                self._writer.add_text(ref.name, _fenced(f"{sample.prompt}{sample.text}"), event.step, event.time)
            else:
                picture = np.asarray(drawn(sample).convert("RGB"))
                self._writer.add_image(ref.name, picture, event.step, event.time, dataformats="HWC")

    def _hyperparameters(self, event: Finished) -> None:
        """In the run's own file: ``add_hparams`` would make another run of them."""
        values = {key: _plain(value) for key, value in flatten(stored_values(self._run)).items()}
        metrics = {name: float(value) for name, value in event.metrics.items() if name.count("/") < 2}
        for summary in hparams(values, metrics):
            self._writer.file_writer.add_summary(summary)

    def close(self) -> None:
        self._writer.close()


def _plain(value: object) -> bool | float | str:
    return value if isinstance(value, (bool, int, float, str)) else str(value)


def _fenced(text: str) -> str:
    """As Markdown, which TensorBoard shows texts as: every line by itself."""
    return "\n".join(f"    {line}" for line in text.splitlines())

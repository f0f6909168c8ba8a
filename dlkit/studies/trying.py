"""``python -m dlkit.studies.trying``: a few steps of a configuration, in a process that may die of memory.

One JSON object a line on standard input, one on standard output. It begins with ``{"ready": true}``; then

    {"do": "probe", "task": …, "config": {…}, "seconds": 2}   how long a run takes, memory and disk
    {"do": "rates", …, "steps": 100, "low": …, "high": …}     the loss at each learning rate, from low to high
    {"do": "fits", …}                                         two steps and an evaluated batch

are answered by what their functions give, or by ``{"error": TEXT, "memory": whether that was lacking}``. Nothing is
left in the workspace; data and weights are taken from it.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved, resolve
from dlkit.data.context import Context, make_context
from dlkit.data.splits import Batch
from dlkit.engine.build import Job, prepare
from dlkit.engine.checkpoint import evaluated_weights
from dlkit.engine.loader import Loader, evaluation_batches
from dlkit.engine.placing import place
from dlkit.engine.start import start
from dlkit.errors import DlkitError, UsageError, in_words
from dlkit.events import Finished, MetricsLogged, Started
from dlkit.json_types import Json, JsonObject
from dlkit.runs.folder import disk_use
from dlkit.runs.init_from import initial_weights

RISEN = 4.0
"""The sweep ends where the loss is so many times the lowest: there is nothing beyond (Smith 2017)."""
SMOOTHED = 0.8
"""Share of the past in the smoothed loss of a sweep."""
CONSTANT: Mapping[str, Json] = {"schedule": "constant", "warmup": 0.0}


class Tries:
    """What is done with one configuration after another."""

    def __init__(self, workspace: Path, *, offline: bool) -> None:
        self._workspace, self._catalog = workspace, Catalog.load_everything()
        self._context: Context = make_context(self._catalog, workspace, offline=offline, say=lambda text: None)

    def answer(self, request: Mapping[str, Json]) -> dict[str, object]:
        todo = {"probe": self.probe, "rates": self.rates, "fits": self.fits}[str(request["do"])]
        try:
            return todo(request)
        except DlkitError as error:
            return {"error": in_words(error), "memory": "memory" in str(error)}
        # Memory that is not there is raised as whatever the device or the system has for it.
        except (RuntimeError, MemoryError) as error:
            return {
                "error": in_words(error),
                "memory": "memory" in str(error).lower() or isinstance(error, MemoryError),
            }

    def probe(self, request: Mapping[str, Json]) -> dict[str, object]:
        """A run that is left after ``seconds``: ``steps`` of ``total`` in ``seconds``, ``building`` seconds before the
        first, ``memory`` at most and ``disk`` in bytes."""
        resolved, most = self._resolved(request), float(str(request["seconds"]))
        with tempfile.TemporaryDirectory(prefix="dlkit-probe-") as folder:
            began = time.monotonic()
            attempt = start(self._catalog, resolved, Path(folder), self._context)
            found = {
                "building": time.monotonic() - began,
                "steps": 0,
                "total": attempt.job.course.total,
                "seconds": 0.0,
            }
            since = time.monotonic()
            with closing(attempt.events()) as events:
                for event in events:
                    if isinstance(event, Started):
                        since = time.monotonic()
                    if isinstance(event, MetricsLogged):
                        found |= {"steps": event.last_step, "seconds": time.monotonic() - since}
                    if isinstance(event, Finished) and event.status == "failed":
                        raise UsageError(event.reason)
                    if time.monotonic() - since > most and found["steps"]:
                        break
            kept = disk_use(str(attempt.run.checkpoints))
            found["disk"] = disk_use(str(attempt.run.path)) + kept * resolved.engine.keep
        return {**found, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT}

    def rates(self, request: Mapping[str, Json]) -> dict[str, object]:
        """The range test of Smith (2017, arXiv 1506.01186): the rate rises by a factor a step; ``rates``, ``losses``
        and ``smoothed`` up to where the loss rises, and the ``suggested`` rate."""
        resolved = self._resolved(request, constant=True)
        low, high, steps = float(str(request["low"])), float(str(request["high"])), int(str(request["steps"]))
        job = self._job(resolved.with_engine(epochs=None, steps=steps))
        config = job.trainer.config
        if not hasattr(config, "lr") or job.trainer.rates() is None:
            raise UsageError(f"trainer {resolved.specs['trainer'].name!r} has no learning rate to be swept")
        found: dict[str, list[float]] = {"rates": [], "losses": [], "smoothed": []}
        average, lowest = 0.0, math.inf
        with closing(_batches(job)) as batches:
            for step, batch in zip(range(steps), batches, strict=False):
                rate = low * (high / low) ** (step / max(1, steps - 1))
                job.trainer.change(config.model_copy(update={"lr": rate}))
                loss = float(job.trainer.step(batch, step)["train/loss"])
                if not math.isfinite(loss):
                    break
                average = SMOOTHED * average + (1 - SMOOTHED) * loss
                smooth = average / (1 - SMOOTHED ** (step + 1))
                for name, value in (("rates", rate), ("losses", loss), ("smoothed", smooth)):
                    found[name].append(value)
                lowest = min(lowest, smooth)
                if smooth > RISEN * abs(lowest) and step > steps // 10:
                    break
        return {**found, "suggested": suggested(found["rates"], found["smoothed"])}

    def fits(self, request: Mapping[str, Json]) -> dict[str, object]:
        """Two steps and an evaluated batch: an optimizer has all it keeps after the first."""
        resolved = self._resolved(request)
        job = self._job(resolved.with_engine(epochs=None, steps=2))
        with closing(_batches(job)) as batches:
            began = time.monotonic()
            for step, batch in zip(range(2), batches, strict=False):
                began = time.monotonic()
                job.trainer.step(batch, step)
            took = time.monotonic() - began
        if job.data.val is not None:
            val = job.data.val.to(job.placement.device, resolved.engine.workers)
            with job.trainer.evaluating():
                job.trainer.evaluate(next(iter(evaluation_batches(val, resolved.engine))))
            val.close()
        return {"seconds": took, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT,
                "samples": len(job.data.train)}  # fmt: skip

    def _job(self, resolved: Resolved) -> Job:
        init = initial_weights(resolved, self._workspace)
        weights = evaluated_weights(init) if init is not None else None
        return prepare(self._catalog, resolved, self._context, init=weights)

    def _resolved(self, request: Mapping[str, Json], *, constant: bool = False) -> Resolved:
        values = request["config"]
        assert isinstance(values, dict)
        resolved = resolve(self._catalog, str(request["task"]), [Layer("study", values)], suggest=False)
        named = resolved.engine.init_from
        if named and "/" not in named:  # it is started elsewhere
            resolved = resolved.with_engine(init_from=f"{self._workspace.absolute() / 'runs'}/{named}")
        there = type(resolved.sections["trainer"]).model_fields
        if constant and (changes := {key: value for key, value in CONSTANT.items() if key in there}):
            trainer = resolved.sections["trainer"].model_copy(update=changes)
            resolved = replace(resolved, sections={**resolved.sections, "trainer": trainer})
        return resolved


_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes that ``ru_maxrss`` counts in."""


def _batches(job: Job) -> Generator[list[Batch], None, None]:
    """Training batches, step by step."""
    engine, device = job.resolved.engine, job.placement.device
    train, val = place(job.data, engine, device)
    try:
        yield from Loader(train, job.data.augment, engine, device, job.course, job.world).steps()
    finally:
        train.close()
        val.close()


def suggested(rates: list[float], smoothed: list[float]) -> float | None:
    """The middle of the longest fall of the smoothed loss: of its longest decreasing subsequence, which noise between
    does not end (the "valley" of fastai's finder). None: it never falls for a tenth of the sweep."""
    count = len(smoothed)
    lengths, before = [1] * count, [-1] * count
    for i in range(count):
        for j in range(i):
            if smoothed[j] > smoothed[i] and lengths[j] + 1 > lengths[i]:
                lengths[i], before[i] = lengths[j] + 1, j
    if max(lengths, default=0) < max(5, count // 10):
        return None
    path = [max(range(count), key=lambda i: lengths[i])]
    while before[path[-1]] >= 0:
        path.append(before[path[-1]])
    return rates[path[len(path) // 2]]


def main(argv: list[str]) -> int:
    replies, sys.stdout = sys.stdout, sys.stderr  # what a plugin prints is no reply
    tries = Tries(Path(argv[0]), offline="--offline" in argv[1:])
    _reply(replies, {"ready": True})
    for line in sys.stdin:
        request: JsonObject = json.loads(line)
        _reply(replies, tries.answer(request))
    return 0


def _reply(stream: TextIO, value: Mapping[str, object]) -> None:
    with suppress(BrokenPipeError):  # whoever asked has gone
        stream.write(json.dumps(value) + "\n")
        stream.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

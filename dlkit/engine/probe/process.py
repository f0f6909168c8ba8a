"""``python -m dlkit.engine.probe.process WORKSPACE FOLDER``: a few steps of a configuration, in a process that may die.

One JSON object a line on standard input, one or more on standard output. It begins with ``{"ready": true}``; then

    {"do": "estimate", "task": …, "config": {…}, "seconds": 2, "cores": 2}   what a run will take (``Estimate``)
    {"do": "rates", …, "steps": 100, "low": …, "high": …}     the loss at each learning rate, from low to high
    {"do": "fits", …}                                         two steps and an evaluated batch

are answered by what their functions give, or by ``{"error": TEXT, "memory": whether that was lacking, "kind": …}``.
Before that, ``{"stage": TEXT}`` says what is being done, so that whoever asks knows what it died of. All that is
written lies below FOLDER; data and weights are taken from the workspace.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved, resolve
from dlkit.cores import Cores
from dlkit.data.context import Context, make_context
from dlkit.engine.build import Job, prepare
from dlkit.engine.checkpoint import evaluated_weights
from dlkit.engine.probe.timings import Timings
from dlkit.engine.probe.tries import CONSTANT, sweep_rates, try_batch
from dlkit.engine.probe.whole import estimate
from dlkit.engine.threads import all_cores
from dlkit.errors import DlkitError, in_words
from dlkit.json_types import Json, JsonObject
from dlkit.processes import die_with_parent
from dlkit.runs.init_from import initial_weights

Reply = Callable[[Mapping[str, object]], None]


class Tries:
    """What is done with one configuration after another; ``reply`` hears how far it is."""

    def __init__(
        self, workspace: Path, *, offline: bool, folder: Path | None = None, reply: Reply = lambda value: None
    ) -> None:
        self._workspace, self._folder, self._reply = workspace, folder, reply
        self._catalog = Catalog.load_everything()
        self._context: Context = make_context(self._catalog, workspace, offline=offline, say=lambda text: None)
        self._timings = Timings()

    def answer(self, request: Mapping[str, Json]) -> dict[str, object]:
        todo = {"estimate": self.estimate, "rates": self.rates, "fits": self.fits}[str(request["do"])]
        self._timings = Timings(lambda stage: self._reply({"stage": stage}))
        try:
            return todo(request)
        # Memory that is not there is raised as whatever the device or the system has for it, and what else a
        # component raises is told to whoever asked: it is what the run would end of.
        except (Exception, SystemExit) as error:
            return self._wrong(error)

    def _wrong(self, error: BaseException) -> dict[str, object]:
        foreseen = isinstance(error, DlkitError)
        lacking = self._timings.lacks_memory(error) or "memory" in str(error).lower()
        where = "" if foreseen else f" (in {self._timings.stage})"
        kind = error.kind if isinstance(error, DlkitError) else "run"
        return {"error": f"{in_words(error)}{where}", "memory": lacking, "kind": kind, "stage": self._timings.stage}

    def estimate(self, request: Mapping[str, Json]) -> dict[str, object]:
        """A run that is left after ``seconds`` of training; ``cores`` are those that other jobs leave to it."""
        free = request.get("cores")
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            found = estimate(
                self._catalog, self._resolved(request), self._context, Path(folder), self._timings,
                seconds=float(str(request["seconds"])),
                cores=all_cores if free is None else lambda processes: Cores(max(1, int(str(free)) // processes)),
            )  # fmt: skip
        return {**found.to_json()}

    def rates(self, request: Mapping[str, Json]) -> dict[str, object]:
        """See ``sweep_rates``."""
        low, high, steps = float(str(request["low"])), float(str(request["high"])), int(str(request["steps"]))
        job = self._job(self._resolved(request, constant=True).with_engine(epochs=None, steps=steps))
        return sweep_rates(job, low, high, steps)

    def fits(self, request: Mapping[str, Json]) -> dict[str, object]:
        """See ``try_batch``."""
        return try_batch(self._job(self._resolved(request).with_engine(epochs=None, steps=2)))

    def _job(self, resolved: Resolved) -> Job:
        init = initial_weights(resolved, self._workspace)
        weights = evaluated_weights(init) if init is not None else None
        job = prepare(self._catalog, resolved, self._context, init=weights)
        self._timings.lacks_memory = job.placement.device.is_out_of_memory
        return job

    def _resolved(self, request: Mapping[str, Json], *, constant: bool = False) -> Resolved:
        values = request["config"]
        assert isinstance(values, dict)
        resolved = resolve(self._catalog, str(request["task"]), [Layer("probe", values)], suggest=False)
        named = resolved.engine.init_from
        if named and "/" not in named:  # it is started elsewhere
            resolved = resolved.with_engine(init_from=f"{self._workspace.absolute() / 'runs'}/{named}")
        there = type(resolved.sections["trainer"]).model_fields
        if constant and (changes := {key: value for key, value in CONSTANT.items() if key in there}):
            trainer = resolved.sections["trainer"].model_copy(update=changes)
            resolved = replace(resolved, sections={**resolved.sections, "trainer": trainer})
        return resolved


def main(argv: list[str]) -> int:
    die_with_parent()  # a probe that nobody waits for any more would take the device from those who come after
    replies, sys.stdout = sys.stdout, sys.stderr  # what a plugin prints is no reply
    workspace, folder = Path(argv[0]), Path(argv[1])
    tries = Tries(workspace, offline="--offline" in argv[2:], folder=folder, reply=lambda value: _write(replies, value))
    _write(replies, {"ready": True})
    for line in sys.stdin:
        request: JsonObject = json.loads(line)
        _write(replies, tries.answer(request))
    return 0


def _write(stream: TextIO, value: Mapping[str, object]) -> None:
    with suppress(BrokenPipeError):  # whoever asked has gone
        stream.write(json.dumps(value) + "\n")
        stream.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

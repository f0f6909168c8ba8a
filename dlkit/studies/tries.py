"""Asking ``trying`` what a configuration costs: it runs in a process of its own, whose death is an answer too."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dlkit.bounded import parse_json
from dlkit.config import Resolved
from dlkit.errors import RunError, UsageError
from dlkit.interpreter import python
from dlkit.json_types import Json, JsonObject

PROBE_SECONDS = 1.5
MOST_PROBES = 8
"""Models that are tried; of more, the others are taken to be like those."""
MOST_BATCH = 1 << 20
Say = Callable[[str], None]


class Died(RunError):
    """The process that tried has ended without an answer: killed for memory, say."""


class Child:
    """``ask`` what is to be tried; ``started`` is how long it took to be ready, which every run takes too."""

    def __init__(self, process: subprocess.Popen[bytes], said: IO[bytes], started: float) -> None:
        self._process, self._said, self.started = process, said, started

    def ask(self, do: str, resolved: Resolved, **fields: Json) -> JsonObject:
        """Its reply; Died if there is none, UsageError with what it says is wrong."""
        request = {"do": do, "task": resolved.task.name, "config": resolved.values(), **fields}
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        found = _reply(self._process, self._said)
        if "error" in found:
            raise (Died if found.get("memory") else UsageError)(str(found["error"]))
        return found


@contextmanager
def child(workspace: Path, *, offline: bool = False) -> Iterator[Child]:
    """A process that tries, until this is left."""
    began = time.monotonic()
    words = python("dlkit.studies.trying", str(workspace.absolute()), *(["--offline"] if offline else []))
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as process,
    ):
        try:
            _reply(process, said)
            yield Child(process, said, time.monotonic() - began)
        finally:
            process.kill()


def _reply(process: subprocess.Popen[bytes], said: IO[bytes]) -> JsonObject:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        code = process.wait()
        said.seek(0)
        last = next((text for text in reversed(said.read().decode(errors="replace").splitlines()) if text.strip()), "")
        raise Died(f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}: {last}")
    found = parse_json(line)
    assert isinstance(found, dict)
    return found


@dataclass(frozen=True)
class Cost:
    """What all trials will take: seconds one after the other, bytes of memory of one, bytes on the disk of all.

    ``tried`` models of ``models`` were tried for it; ``problems``: those that could not even take a few steps.
    """

    seconds: float
    memory: int
    disk: int
    tried: int
    models: int
    problems: Sequence[str] = ()


def cost(
    configurations: Sequence[tuple[Resolved, int]],
    workspace: Path,
    *,
    offline: bool = False,
    say: Say = lambda text: None,
) -> Cost:
    """From a few steps of each distinct model: each configuration with how many trials it has."""
    kinds: dict[str, list[tuple[Resolved, int]]] = {}
    for resolved, count in configurations:
        kinds.setdefault(_kind(resolved), []).append((resolved, count))
    tried = list(kinds.values())[:MOST_PROBES]
    problems: list[str] = []
    per_trial: list[tuple[float, int, int]] = []  # seconds, bytes on the disk, trials
    memory = 0
    with child(workspace, offline=offline) as process:
        for members in tried:
            resolved, count = members[0][0], sum(count for _, count in members)
            say(f"trying a few steps: model {resolved.specs['model'].name}")
            try:
                found = process.ask("probe", resolved, seconds=PROBE_SECONDS)
            except Died as error:
                problems.append(f"model {resolved.specs['model'].name}: {error}")
                break
            memory = max(memory, int(str(found["memory"])))
            per_trial.append((process.started + _seconds(found), int(str(found["disk"])), count))
    known = sum(count for _, _, count in per_trial)
    scale = sum(count for _, count in configurations) / known if known else 0.0
    return Cost(
        scale * sum(seconds * count for seconds, _, count in per_trial), memory,
        int(scale * sum(disk * count for _, disk, count in per_trial)), len(per_trial), len(kinds), problems,
    )  # fmt: skip


def _seconds(found: Mapping[str, Json]) -> float:
    """Of a whole run, after its process has begun."""
    steps, total = float(str(found["steps"])), float(str(found["total"]))
    return float(str(found["building"])) + float(str(found["seconds"])) * (total / steps if steps else 1.0)


def _kind(resolved: Resolved) -> str:
    """Equal for configurations whose steps cost the same: numbers that only steer them are left out."""
    values = resolved.values()
    parts = {part: values[part] for part in ("model", "dataset")}
    names = {part: values[part].get("name") for part in ("loss", "trainer")}
    engine = {key: values["engine"].get(key) for key in ("batch_size", "epochs", "steps", "accumulate", "precision")}
    return json.dumps([parts, names, engine], sort_keys=True, default=str)


@dataclass(frozen=True)
class Sweep:
    """A range test: the loss at each rate, and the rate where it falls most steeply."""

    rates: Sequence[float]
    losses: Sequence[float]
    smoothed: Sequence[float]
    suggested: float | None


def sweep(
    resolved: Resolved,
    workspace: Path,
    *,
    steps: int = 100,
    low: float = 1e-6,
    high: float = 10.0,
    offline: bool = False,
) -> Sweep:
    """Sweep the learning rate; UsageError: the trainer has none, or the configuration cannot be trained."""
    with child(workspace, offline=offline) as process:
        found = process.ask("rates", resolved, steps=steps, low=low, high=high)
    rates, losses, smoothed = ([float(str(v)) for v in _list(found[k])] for k in ("rates", "losses", "smoothed"))
    best = found["suggested"]
    return Sweep(rates, losses, smoothed, float(str(best)) if best is not None else None)


def _list(value: Json) -> list[Json]:
    assert isinstance(value, list)
    return value


@dataclass(frozen=True)
class Fit:
    """The largest batch that fits. ``tried`` has each size with seconds a step, or why it did not fit."""

    size: int
    whole: bool
    tried: Sequence[tuple[int, float | None, str]]


def largest_batch(resolved: Resolved, workspace: Path, *, offline: bool = False, say: Say = lambda text: None) -> Fit:
    """By doubling, then by bisection between the last that fitted and the first that did not, each in a process that
    may die. ``whole``: all training samples fit into one. UsageError: not even one sample fits."""
    tried: list[tuple[int, float | None, str]] = []
    samples = MOST_BATCH

    def fits(size: int) -> bool:
        nonlocal samples
        try:
            with child(workspace, offline=offline) as process:
                found = process.ask("fits", resolved.with_engine(batch_size=size, eval_batch_size=size))
        except Died as error:
            tried.append((size, None, str(error)))
            say(f"batch size {size}: does not fit ({error})")
            return False
        samples = int(str(found["samples"]))
        tried.append((size, float(str(found["seconds"])), ""))
        say(f"batch size {size}: {tried[-1][1]:.3f} s a step")
        return True

    good, bad = 0, 1
    while bad <= samples and fits(bad):
        good, bad = bad, min(2 * bad, samples) if bad < samples else samples + 1
    if good == 0:
        raise UsageError(f"not even one sample fits: {tried[-1][2]}")
    whole = good >= samples
    while not whole and bad - good > max(1, good // 16):  # a sixteenth more is not worth another try
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return Fit(good, whole, tried)

"""What the trials of a study cost, the rate that suits a configuration and the batch that fits it, by the probe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dlkit.config import Resolved
from dlkit.engine.probe.asking import Child, Died, child
from dlkit.errors import UsageError
from dlkit.jobs.estimating import asked, cost_key
from dlkit.json_types import Json
from dlkit.runs.estimates import Estimate

PROBE_SECONDS = 1.5
MOST_PROBES = 8
"""Models that are tried; of more, the others are taken to be like those."""
MOST_BATCH = 1 << 20
Say = Callable[[str], None]


@dataclass(frozen=True)
class Cost:
    """What all trials will take: seconds one after the other (None: that cannot be known), bytes of memory of one, of
    the host and of the device, bytes on the disk of all.

    ``tried`` models of ``models`` were tried for it; ``problems``: those that could not even take a few steps;
    ``unknown``: sentences on what cannot be known.
    """

    seconds: float | None
    memory: int
    disk: int
    tried: int
    models: int
    problems: Sequence[str] = ()
    unknown: Sequence[str] = ()
    device_memory: int | None = None


def cost(
    configurations: Sequence[tuple[Resolved, int]],
    workspace: Path,
    *,
    offline: bool = False,
    say: Say = lambda text: None,
    begun: Callable[[Child], None] = lambda process: None,
) -> Cost:
    """From a few steps of each distinct model: each configuration with how many trials it has. ``begun`` gets the
    process that tries, to ``end`` it."""
    kinds: dict[str, list[tuple[Resolved, int]]] = {}
    for resolved, count in configurations:
        kinds.setdefault(cost_key(resolved), []).append((resolved, count))
    problems: list[str] = []
    found: list[tuple[Estimate, int]] = []  # of a trial, and how many there are
    with child(workspace, offline=offline) as process:
        begun(process)
        for members in list(kinds.values())[:MOST_PROBES]:
            resolved, count = members[0][0], sum(count for _, count in members)
            model = resolved.specs["model"].name
            say(f"trying a few steps: model {model}")
            one = asked(process, resolved, seconds=PROBE_SECONDS)
            if not one.fits:
                problems.append(f"model {model}: {one.problem}")
                break
            found.append((one, count))
    return _of_all(found, sum(count for _, count in configurations), len(kinds), problems)


def _of_all(found: Sequence[tuple[Estimate, int]], trials: int, models: int, problems: Sequence[str]) -> Cost:
    """Those that were not tried are taken to be like the others."""
    known = sum(count for _, count in found)
    scale = trials / known if known else 0.0
    wholes = [(one.whole, count) for one, count in found]
    seconds = sum(whole * count for whole, count in wholes if whole is not None)
    own = [one.device_memory for one, _ in found if one.device_memory is not None]
    return Cost(
        None if any(whole is None for whole, _ in wholes) else scale * seconds,
        max((one.memory or 0 for one, _ in found), default=0),
        int(scale * sum(one.disk * count for one, count in found)),
        len(found), models, problems,
        tuple(dict.fromkeys(line for one, _ in found for line in one.unknown)),
        max(own, default=None),
    )  # fmt: skip


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

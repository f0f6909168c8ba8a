"""kill -9 of one rank of two, again and again: the job goes on by itself, and ends as if nothing had happened.

    uv run python tests/benchmarks/bench_rank_kill.py [--kills 50] [--seed 0]

A job of two processes under torchrun (gloo, CPU), with dropout, jitter, accumulation and averaged weights, and as many
restarts as there are kills. Each time it has gone on and trained some steps, rank 0 or rank 1 is killed at random.
Asserted: every kill is followed by one resume, the run completes once, and weights, everything else in the last
checkpoint and every metric's value equal those of an undisturbed run of two processes, bit for bit.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import workers
from dlkit.events import MetricsLogged, Resumed, Retried
from dlkit.jobs.detach import start_worker
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from installed import TESTS, install_metadata
from kills import RECIPES, Outcome, check, outcome
from workers import all_events, kill, make_job, state, until, work

STEPS_A_KILL = 25
WAIT = 0.02
"""Seconds of each micro-batch: an attempt is to last until it is killed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        folder = Path(name).resolve()
        for plugin in ("toy", "extras"):
            install_metadata(folder / "site", f"dlkit-{plugin}", plugin, plugin)
        sys.path.insert(0, str(folder / "site"))
        os.environ["PYTHONPATH"] = os.pathsep.join([str(folder / "site"), str(TESTS), str(TESTS.parent)])
        os.environ["DLKIT_DEVICES"] = str(folder / "devices")
        attack(folder / "workspace", options.kills, random.Random(options.seed))


def attack(workspace: Path, kills: int, chance: random.Random) -> None:
    recipe = long_enough(kills)
    expected = undisturbed(workspace, recipe)
    run = make_job(workspace, {**recipe, "job": {"nproc": 2, "max_restarts": kills}})
    killed, pauses = [0, 0], []
    began = time.monotonic()
    worker = start_worker(run)
    try:
        for number in range(kills):
            trains(run, number, chance.randint(1, STEPS_A_KILL))
            rank = chance.randrange(2)
            killed[rank] += 1
            pauses.append(kill_one(run, rank, number))
        assert worker.wait(600) == 0 and state(run) == "completed"
    finally:
        worker.kill()
    retried = [event for event in all_events(run) if isinstance(event, Retried)]
    assert [event.attempt for event in retried] == list(range(1, kills + 1))
    assert resumes(run) == kills
    check(run, expected)
    pauses.sort()
    print(
        f"{kills} kills (rank 0: {killed[0]}, rank 1: {killed[1]}) in {time.monotonic() - began:.0f} s, {kills} resumes"
    )
    print(f"from a kill until the job goes on: median {pauses[kills // 2]:.1f} s, longest {pauses[-1]:.1f} s")
    print(
        f"weights {expected[0]}: equal to the undisturbed run's, as are all other tensors and {len(expected[2])} values"
    )


def kill_one(run: RunFolder, rank: int, before: int) -> float:
    """Kill a rank; the seconds until the job has gone on, as it did ``before`` times already."""
    began = time.monotonic()
    kill(workers.ranks_of(run)[rank])
    until(lambda: resumes(run) > before, "it did not go on")
    return time.monotonic() - began


def long_enough(kills: int) -> dict[str, Any]:
    """The toy recipe, with an epoch of six steps and enough of them for every kill."""
    toy = RECIPES["toy"]
    epochs = 10 + kills * STEPS_A_KILL // 6 + kills * 5
    return {**toy, "loss": {"name": "troubled", "wait": WAIT}, "engine": {**toy["engine"], "epochs": epochs}}


def undisturbed(workspace: Path, recipe: dict[str, Any]) -> Outcome:
    run = make_job(workspace, {**recipe, "loss": {"name": "troubled"}, "job": {"nproc": 2}})
    assert work(run) == 0, run.output.read_text()
    return outcome(run)


def resumes(run: RunFolder) -> int:
    return sum(isinstance(event, Resumed) for event in all_events(run))


def trains(run: RunFolder, attempt: int, steps: int) -> None:
    """Wait until that attempt has recorded some steps of its own."""

    def recorded() -> bool:
        assert state(run) in ("queued", "running"), run.read()
        events = read_events(run.events)
        began = next((e for e in reversed(events) if e.event in ("started", "resumed")), None)
        if began is None or resumes(run) != attempt:
            return False
        ends = [e.steps.stop for e in events if isinstance(e, MetricsLogged) and e.seq > began.seq]
        return bool(ends) and max(ends) > getattr(began, "from_step", 0) + steps

    until(recorded, "it does not train")


if __name__ == "__main__":
    main()

"""kill -9, a thousand times: of processes that train, of supervisors and schedulers, at random and labelled instants.

    uv run python tests/benchmarks/bench_jobs_kill.py [--kills 1000] [--seed 0]

Jobs of all plugins wait in one queue with two CPU slots, checkpoints every 0.05 s. What was interrupted is queued
again, until every job is completed. Asserted after each kill: every run can be read. Asserted of each job: completed
once, its events numbered without a gap, every (metric, step) once; weights, everything else in the last checkpoint, and
all metric values equal those of an undisturbed run, bit for bit. Processes that train are forked from one that has
imported torch (tests/zygote.py); all others are started as ever.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dlkit.jobs.shares import set_cpu_slots
from installed import TESTS, install_metadata
from kills import RECIPES, Attack, reference
from zygote import serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        for plugin in ("toy", "extras"):
            install_metadata(folder / "site", f"dlkit-{plugin}", plugin, plugin)
        sys.path.insert(0, str(folder / "site"))
        os.environ["PYTHONPATH"] = os.pathsep.join([str(folder / "site"), str(TESTS), str(TESTS.parent)])
        os.environ["DLKIT_DEVICES"] = str(folder / "devices")
        with serving(folder) as address:
            os.environ["DLKIT_ZYGOTE"] = str(address)
            attack_all(folder / "workspace", options.kills, options.seed)


def attack_all(workspace: Path, kills: int, seed: int) -> None:
    workspace.mkdir()
    recipes = [{**recipe, "launcher": {"name": "zygote"}} for recipe in RECIPES.values()]
    references = [reference(workspace, recipe) for recipe in recipes]
    set_cpu_slots(workspace, 2)
    began = time.monotonic()
    tally = Attack(workspace, recipes, references, seed).run(kills, at_once=4)
    print(f"{tally.total} kills in {time.monotonic() - began:.0f} s: {tally.kills}; at labels {tally.labels}")
    print(f"{tally.jobs} jobs, all completed once and equal to undisturbed ones bit for bit; {tally.resumes} resumes")


if __name__ == "__main__":
    main()

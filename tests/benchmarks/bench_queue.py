"""What the queue costs: sixteen tiny jobs, one slot and two.

    uv run python tests/benchmarks/bench_queue.py [--jobs 16]

A job's own time is that of ``python -m dlkit.jobs.worker RUN``, started by hand, one after the other (A). The queue's
is the time from the scheduler's start to the last job's end, by one slot, over the number of jobs (B). A B B A; the
overhead is B − A. Then the same jobs by two slots, over one slot. Asserted: each job is completed, with two slots on as
many threads as a slot has cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.jobs.job_record import Submission
from dlkit.jobs.shares import set_cpu_slots
from dlkit.jobs.submit import submit
from dlkit.runs.folder import RunFolder

LAYER = {"model": {"name": "scratch-mlp"}, "engine": {"epochs": 2, "device": "cpu", "threads": 0}}


def hand_in(where: Path, count: int) -> list[RunFolder]:
    catalog = Catalog.load_everything()
    resolved = resolve(catalog, "regression", [Layer("benchmark", LAYER)])
    return [submit(catalog, resolved, where, Submission(queued=True)) for _ in range(count)]


def alone(where: Path, count: int) -> float:
    """Seconds a job, its worker started by hand."""
    seconds = []
    for run in hand_in(where, count):
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", "dlkit.jobs.worker", str(run.path)], check=True)
        seconds.append(time.monotonic() - began)
    return statistics.median(seconds)


def queued(where: Path, count: int, slots: int) -> float:
    """Seconds until the last of the jobs has ended."""
    set_cpu_slots(where, slots)
    runs = hand_in(where, count)
    began = time.monotonic()
    scheduler = subprocess.Popen([sys.executable, "-m", "dlkit.jobs.scheduler", str(where)], stdout=subprocess.DEVNULL)
    while any(run.read()["state"] in ("queued", "running") for run in runs):
        time.sleep(0.02)
    seconds = time.monotonic() - began
    scheduler.wait()
    for run in runs:
        record = run.read()
        assert record["state"] == "completed", record
        assert record["threads"] == 1, record["threads"]  # its steps are small
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=16)
    count = parser.parse_args().jobs
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        os.environ["DLKIT_DEVICES"] = str(where / "devices")
        (where / "scheduler.log").touch()
        own, by_queue = [], []
        for what in "ABBA":
            if what == "A":
                own.append(alone(where, max(2, count // 4)))
            else:
                by_queue.append(queued(where, count, 1))
        a_job, one = statistics.median(own), statistics.median(by_queue)
        print(f"a job alone {a_job:.2f} s; {count} jobs by one slot {one:.1f} s: {one / count - a_job:+.3f} s a job")
        two = [queued(where, count, 2) for _ in range(2)]
        again = queued(where, count, 1)
        ratio = statistics.median(two) / statistics.median([*by_queue, again])
        print(json.dumps({"overhead": round(one / count - a_job, 3), "two_slots_over_one": round(ratio, 3)}))


if __name__ == "__main__":
    main()

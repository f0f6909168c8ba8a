"""What ``--estimate`` says of each task's default run, and what that run then takes.

    uv run python tests/benchmarks/bench_estimate.py [--tasks classification,gan] [--most 40] [--rounds 1]

A run whose estimate is longer than ``--most`` seconds is cut to as many steps as fit into them, and asked about again.
Asked and trained in turns (A B A), as commands, so that each has a process of its own; of the estimates the mean. Time
is the run's own (``seconds`` of its end), beside that of the command; memory the largest resident size of its process.
Tasks whose data are not here are named and left out.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

DLKIT = [sys.executable, "-P", "-m", "dlkit"]
TIME, MEMORY = 0.15, 0.25
"""What is asked of the estimates: how far from the truth they may be."""


class Took(NamedTuple):
    """Of a run: its own seconds, the command's, and bytes."""

    seconds: float
    wall: float
    memory: int


def asked(words: Sequence[str], where: Path) -> Any:
    done = subprocess.run(
        [*DLKIT, "train", *words, "--estimate", "--json", "--workspace", str(where)], capture_output=True, text=True
    )
    if done.returncode > 1:
        raise RuntimeError(json.loads(done.stdout)["error"]["message"] if done.stdout else done.stderr)
    return json.loads(done.stdout)


def peak(process: int) -> int:
    """The largest resident size so far. (That of the system's own account is of before the program was loaded, too.)"""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:")), 0)


def trained(words: Sequence[str], where: Path) -> Took:
    began = time.monotonic()
    command = [*DLKIT, "train", *words, "--json", "--quiet", "--workspace", str(where)]
    last, memory = "{}", 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last, memory = line, peak(process.pid) or memory
    found = json.loads(last)
    if found.get("state") != "completed":
        raise RuntimeError(f"it ended: {found.get('state')}, {found.get('reason')}")
    return Took(found["seconds"], time.monotonic() - began, memory)


def measured(task: str, most: float, rounds: int, where: Path) -> tuple[list[Any], list[Took], list[str]]:
    words = [task]
    first = asked(words, where)
    if (first["seconds"] or 0) > most:
        words += ["--steps", str(max(1, int(first["steps"] * 0.8 * most / first["seconds"])))]
    estimates, runs = [asked(words, where)], []
    for _ in range(rounds):
        runs.append(trained(words, where))
        estimates.append(asked(words, where))
    return estimates, runs, words[1:]


def row(task: str, estimates: Sequence[Any], runs: Sequence[Took], cut: Sequence[str]) -> tuple[bool, bool]:
    mean = {key: statistics.mean(one[key] for one in estimates) for key in ("seconds", "starting", "memory")}
    took = Took(*(statistics.mean(values) for values in zip(*runs, strict=True)))  # type: ignore[arg-type]
    time_off, memory_off = mean["seconds"] / took.seconds - 1, mean["memory"] / took.memory - 1
    wall_off = (mean["seconds"] + mean["starting"]) / took.wall - 1
    busy = "" if not any("others used" in note for one in estimates for note in one["unknown"]) else "  busy"
    spread = [round(one["seconds"], 1) for one in estimates]
    print(
        f"{task:16}{mean['seconds']:8.1f} s {took.seconds:8.1f} s {time_off:+7.0%}   whole {wall_off:+5.0%}   "
        f"{mean['memory'] / 1e6:6.0f} MB {took.memory / 1e6:6.0f} MB {memory_off:+5.0%}   "
        f"{estimates[0]['tried']} of {estimates[0]['steps']} steps, {spread} {' '.join(cut)}{busy}",
        flush=True,
    )
    return abs(time_off) <= TIME, abs(memory_off) <= MEMORY


def tasks() -> list[str]:
    found = json.loads(subprocess.run([*DLKIT, "tasks", "--json"], capture_output=True, text=True, check=True).stdout)
    return [task["name"] for task in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default="")
    parser.add_argument("--most", type=float, default=40.0)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'task':16}{'estimated':>10} {'took':>10}")
    good: list[tuple[bool, bool]] = []
    with tempfile.TemporaryDirectory() as folder:
        for task in options.tasks.split(",") if options.tasks else tasks():
            try:
                good.append(row(task, *measured(task, options.most, options.rounds, Path(folder, "workspace"))))
            except RuntimeError as error:
                print(f"{task:16}left out: {str(error).splitlines()[0][:100]}", flush=True)
    print(f"within {TIME:.0%} of the time: {sum(one for one, _ in good)} of {len(good)}; within {MEMORY:.0%} of the "
          f"memory: {sum(one for _, one in good)} of {len(good)}; load {os.getloadavg()[0]:.1f}")  # fmt: skip


if __name__ == "__main__":
    main()

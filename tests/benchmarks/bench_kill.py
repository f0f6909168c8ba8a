"""kill -9 at random instants, resume, and compare with the uninterrupted run.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_kill.py [regression classification scratch] [--kills 50]

Checkpoints every 0.2 s; dropout, augmentation and accumulation on where the plugin has them. Each plugin is killed
``--kills`` times, always after a step was reported; when a run completes before that, another begins. Asserted: the
final weights' SHA-256 equal the uninterrupted run's; every (metric, step) exactly once and equal bit for bit; at least
four fifths of the resumes start in the middle of an epoch.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common import workspace
from dlkit.events import MetricsLogged, Resumed
from dlkit.runs.checkpoints import choose
from dlkit.runs.log import parse_lines, read_events

COMMANDS = {
    "regression": [
        "regression", "--dataset", "bike-sharing", "--model", "mlp", "--model.dropout", "0.1", "--accumulate", "2",
        "--batch-size", "8", "--epochs", "12", "--engine.eval-every", "4 epochs",
    ],
    "classification": [
        "classification", "--dataset", "mnist", "--model", "cnn", "--accumulate", "2", "--dataset.crop", "2",
        "--limit-batches", "200", "--epochs", "4", "--batch-size", "64", "--model.dropout", "0.25",
    ],
    "scratch": [
        "regression", "--dataset", "bike-sharing", "--model", "scratch-mlp", "--model.dropout", "0.1",
        "--accumulate", "2", "--batch-size", "8", "--epochs", "60", "--engine.eval-every", "20 epochs",
    ],
}  # fmt: skip


def command(where: Path, words: list[str]) -> list[str]:
    return [sys.executable, "-m", "dlkit", *words, "--json", "--workspace", str(where)]


def train_words(name: str) -> list[str]:
    return ["train", *COMMANDS[name], "--engine.checkpoint-every", "0.2", "--device", "cpu", "--offline"]


def weights(run: Path) -> str:
    """SHA-256 of the final weights."""
    return choose(run, "last").sha256


def course(run: Path) -> dict[tuple[str, int], float]:
    """Every metric at every step; AssertionError if one occurs twice."""
    found: dict[tuple[str, int], float] = {}
    for event in read_events(run / "events.jsonl"):
        if isinstance(event, MetricsLogged):
            for name in event.values:
                for step, value in event.points(name):
                    key = name, step
                    assert key not in found, f"{key} twice"
                    found[key] = value
    return found


def newest(where: Path) -> Path:
    return max((where / "runs").glob("2*"), key=lambda path: path.name)


def run_until(words: list[str], seconds: float | None) -> bool:
    """Run a command; with ``seconds``, kill it that long after its first step was reported. True: it ended itself."""
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    deadline: float | None = None
    last: Mapping[str, Any] = {}
    while line := process.stdout.readline():
        last = json.loads(line)
        if seconds is not None and deadline is None and last["event"] == "metrics":
            deadline = time.monotonic() + seconds
        if deadline is not None and time.monotonic() >= deadline:
            process.kill()
            process.communicate()
            return False
    _, talk = process.communicate()
    assert last.get("state") == "completed", f"{last}\n{talk}"
    return True


def attack(where: Path, name: str, kills: int, generator: random.Random) -> None:
    shutil.rmtree(where / "runs", ignore_errors=True)
    assert run_until(command(where, train_words(name)), None)
    reference = newest(where)
    expected, digest = course(reference), weights(reference)
    length = json.loads((reference / "run.json").read_text())["result"]["seconds"]
    done = rounds = 0
    starts: list[tuple[int, int]] = []
    while done < kills:
        time.sleep(1.1)  # run ids sort by the second
        ended = run_until(command(where, train_words(name)), generator.uniform(0, length / 4))
        run = newest(where)
        assert run != reference
        while not ended:
            done += 1
            wait = generator.uniform(0, length / 4) if done < kills else None
            ended = run_until(command(where, ["resume", run.name]), wait)
        rounds += 1
        assert weights(run) == digest, f"{name}: other weights after {done} kills"
        assert course(run) == expected, f"{name}: other metrics after {done} kills"
        starts += resumes(run)
        shutil.rmtree(run)
    inside = sum(step % epoch != 0 for step, epoch in starts)
    assert inside >= 0.8 * len(starts), f"{inside} of {len(starts)} resumes in the middle of an epoch"
    print(f"{name}: {done} kills in {rounds} runs of {length:.1f} s, {len(starts)} resumes, {inside} of them inside an "
          f"epoch; weights and {len(expected)} metric values equal bit for bit", flush=True)  # fmt: skip


def resumes(run: Path) -> list[tuple[int, int]]:
    """Step and epoch length of every resume."""
    with (run / "events.jsonl").open("rb") as file:
        return [(e.from_step, e.epoch_steps) for e in parse_lines(file) if isinstance(e, Resumed)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plugins", nargs="*", default=list(COMMANDS))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with workspace() as where:
        for name in options.plugins:
            attack(where, name, options.kills, random.Random(options.seed))


if __name__ == "__main__":
    main()

"""Text generation on tinyshakespeare's characters: what the default reaches, and when; and how fast it writes.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_textgen.py [--preset NAME] [--epochs N] [--seconds S]

Validation loss is over the whole last tenth, in windows of the training context that do not overlap. Seconds are those
of the wall clock since the run's first step, its evaluations among them. ``--epochs`` trains longer than the default,
for the time to 1.47. With ``--keep DIR`` the run stays there. With ``--device cuda`` the lines are those for a GPU.
"""

from __future__ import annotations

import argparse
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

import dlkit
from common import data_folder, workspace
from dlkit.events import Event, Finished, MetricsLogged, Started
from dlkit.runs.log import read_events
from dlkit_textgen.asking import Own, whole
from dlkit_textgen.next_token import Cached, Reader, Uncached

TOKENS = 400
"""Written to measure speed: more than three contexts."""


def train(where: Path, options: argparse.Namespace) -> dlkit.Run:
    given: dict[str, Any] = {"preset": options.preset} if options.preset else {}
    given |= {"epochs": options.epochs} if options.epochs else {}
    given |= {"max_time": options.seconds} if options.seconds else {}
    arguments = {"dataset": "tinyshakespeare", "seed": options.seed, "device": options.device, "workspace": where}
    return dlkit.train("textgen", offline=True, **arguments, **given)


def course(events: list[Event]) -> list[tuple[float, int, float]]:
    """(seconds, step, validation loss) of each evaluation."""
    (began,) = (event.time for event in events if isinstance(event, Started))
    return [
        (event.time - began, event.first, event.values["val/loss"][0])
        for event in events
        if isinstance(event, MetricsLogged) and "val/loss" in event.values
    ]


def report(run: dlkit.Run, device: str) -> None:
    events = list(read_events(run.path / "events.jsonl"))
    points = course(events)
    (summary,) = (event.summary for event in events if isinstance(event, Started))
    (end,) = (event for event in events if isinstance(event, Finished))
    print(f"{run.id}: {summary['model']['parameters']:,} parameters, {summary['device']}, {summary['precision']}")
    for seconds, step, loss in points:
        print(f"  {seconds:7.1f} s  step {step:6}  val/loss {loss:.4f}")
    speed = sorted(run.history("tokens_per_second")[1])
    print(f"{end.steps} steps, {end.train_seconds:.0f} s training, median {speed[len(speed) // 2]:,.0f} tokens/s")
    for line, within in ((1.47, 60.0),) if device.startswith("cuda") else ((1.56, 180.0), (1.47, None)):
        first = next((seconds for seconds, _, loss in points if loss <= line), None)
        when = "never" if first is None else f"after {first:.1f} s"
        verdict = "" if within is None else (": reached" if first is not None and first <= within else ": MISSED")
        print(f"validation loss ≤ {line} {when}" + (f" (within {within:.0f} s{verdict})" if within else ""))


def writing(run: dlkit.Run) -> None:
    """Tokens a second with the model's own state and without, on the CPU, one text at a time."""
    model: Any = run.predictor().model
    prompt = np.zeros((1, 1), np.int64)
    readers: dict[str, Reader] = {
        "cached": Cached(Own(model), model.limit),
        "uncached": Uncached(whole(model), model.limit),
    }
    for name, reading in readers.items():
        began = time.perf_counter()
        state, token = reading.read(prompt[:, :-1]), prompt[:, -1]
        for _ in range(TOKENS):
            logits, state = reading(token, state)
            token = logits.argmax(1)
        print(f"writing, {name}: {TOKENS / (time.perf_counter() - began):,.0f} tokens/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--keep", type=Path, help="workspace to use, in place of a throw-away one")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        if not (options.keep / "data").exists():
            (options.keep / "data").symlink_to(data_folder().resolve())
    with nullcontext(options.keep) if options.keep else workspace() as where:
        run = train(where, options)
        report(run, options.device)
        print(run.predictor().predict(["ROMEO:\n"])[0]["text"])
        writing(run)


if __name__ == "__main__":
    main()

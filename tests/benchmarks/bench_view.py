"""How long opening a run takes whose log has a million points, and opening it again.

python tests/benchmarks/bench_view.py
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from dlkit.events import Metrics, to_json
from dlkit.monitor.view import RunView, follow_run
from dlkit.runs.folder import RunFolder

POINTS = 1_000_000
ROUNDS = 5


def write_log(folder: Path, per_event: int) -> RunFolder:
    """A run of ``POINTS`` steps, so many a metrics event."""
    run = RunFolder(folder / f"runs-{per_event}")
    run.path.mkdir(parents=True)
    run.record.write_text('{"format": 1, "state": "stopped", "task": "toy"}')
    losses = np.random.default_rng(0).normal(size=POINTS)
    with run.events.open("w") as file:
        for seq, first in enumerate(range(0, POINTS, per_event)):
            values = losses[first : first + per_event].tolist()
            event = Metrics(first=first + 1, count=len(values), values={"train/loss": values}, seq=seq, time=seq / 4)
            file.write(to_json(event) + "\n")
    return run


def opened(run: RunFolder) -> tuple[float, float]:
    """Seconds until everything is read, and the longest that another thread was kept from running meanwhile."""
    waits, ended = [0.0], threading.Event()

    def ticks() -> None:
        last = time.perf_counter()
        while not ended.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            waits.append(now - last)
            last = now

    thread = threading.Thread(target=ticks)
    thread.start()
    view = RunView(run)
    began = time.perf_counter()
    view.poll()
    while view.behind:
        view.poll()
    took = time.perf_counter() - began
    ended.set()
    thread.join()
    assert len(view.series("train/loss").steps) == POINTS
    return took, max(waits)


def again(run: RunFolder) -> float:
    first = follow_run(run)
    while first.poll() or first.behind:
        pass
    began = time.perf_counter()
    view = follow_run(run)
    view.poll()
    view.series("train/loss")
    return time.perf_counter() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for per_event in (1000, 100, 10, 4):
            run = write_log(Path(folder), per_event)
            size = run.events.stat().st_size / 1e6
            times, waits = zip(*(opened(run) for _ in range(ROUNDS)), strict=True)
            print(
                f"{per_event:5} points an event, {size:5.1f} MB: read in {statistics.median(times):.3f} s "
                f"(longest {max(times):.3f}), other threads waited at most {1000 * statistics.median(waits):.1f} ms, "
                f"again {1000 * again(run):.2f} ms"
            )


if __name__ == "__main__":
    main()

"""How long opening a run takes whose log has a million points, and opening it again: reading it, and on the screen.

uv run python tests/benchmarks/bench_view.py

On the screen: the whole interface on a pseudo-terminal of 120×40 read by an emulator (pyte), from the key that opens
the run until the whole curve is there, in a new process each time; then back, and the same again in the same process.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from dlkit.events import MetricsLogged, to_json
from dlkit.monitor.view import RunView, follow_run
from dlkit.runs.folder import RunFolder
from recorded import record_run
from terminal import Terminal

POINTS = 1_000_000
ROUNDS = 5
LAST = 0.123456
"""The last value: on the screen when everything is."""


def write_log(folder: Path, per_event: int) -> RunFolder:
    """A run of ``POINTS`` steps, so many a metrics event."""
    run = record_run(folder / str(per_event), state="stopped")
    losses = np.random.default_rng(0).normal(size=POINTS)
    losses[-1] = LAST
    with run.events.open("w") as file:
        for seq, first in enumerate(range(0, POINTS, per_event)):
            values = losses[first : first + per_event].tolist()
            event = MetricsLogged(
                first=first + 1, count=len(values), values={"train/loss": values}, seq=seq, time=seq / 4
            )
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


def on_screen(workspace: Path) -> tuple[float, float]:
    """Seconds from the key until the whole curve is on the screen, the first time and the second."""
    words = [str(Path(sys.executable).with_name("dlkit")), "tui", "--workspace", str(workspace)]
    with Terminal(words, columns=120, lines=40) as terminal:
        terminal.wait_for("classification")
        terminal.drain(1.0)  # the plugins are loaded
        terminal.send("2")
        times = []
        for _ in range(2):
            terminal.wait_for("1 run")
            terminal.drain(1.0)
            sent = terminal.send("\r")
            times.append(terminal.wait_for(f"last {LAST:.4g}") - sent)
            terminal.drain(1.0)
            terminal.send("\x1b")
    return times[0], times[1]


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
            os.environ["DLKIT_CONFIG"] = folder
            firsts, seconds = zip(*(on_screen(Path(folder) / str(per_event)) for _ in range(ROUNDS)), strict=True)
            print(
                f"{'':13} on the screen in {statistics.median(firsts):.3f} s (wanted: 0.7), longest {max(firsts):.3f}; "
                f"again {statistics.median(seconds):.3f} s (wanted: 0.1), longest {max(seconds):.3f}"
            )


if __name__ == "__main__":
    main()

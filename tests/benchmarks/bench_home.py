"""How long the screen that comes first stands still for a refresh: 1 000 runs, 16 of them live.

    uv run python tests/benchmarks/bench_home.py [--seconds 20] [--rate 16]

The interface within this process, 120×35, so that its own calls can be timed: what a refresh takes of the event loop
while every live job writes, its rows and details and then the drawing. What threads read meanwhile is not in it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual._compositor import Compositor

sys.path.insert(0, str(Path(__file__).parent.parent))
from bench_tui_latency import LIVE, writing
from dlkit.runs.index import list_runs, note
from dlkit.tui.home.screen import HomeScreen
from recorded import record_run, record_runs
from screens import opened

WANTED = 30.0
"""Milliseconds."""


def timed(owner: Any, name: str, found: list[float]) -> None:
    """Have every call of a method add its milliseconds."""
    method: Callable[..., Any] = getattr(owner, name)

    def call(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return method(*given, **named)
        finally:
            found.append((time.perf_counter() - began) * 1e3)

    setattr(owner, name, call)


async def measure(workspace: Path, seconds: float) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"rows": [], "drawing": []}
    timed(HomeScreen, "_show", times["rows"])
    timed(Compositor, "_render_chops", times["drawing"])
    async with opened(workspace, (120, 35)):
        await asyncio.sleep(2.0)  # the first look reads all of it
        for found in times.values():
            found.clear()
        await asyncio.sleep(seconds)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rate", type=float, default=float(LIVE))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        os.environ["DLKIT_CONFIG"] = str(workspace / "config")
        for run in record_runs(workspace, 1000 - LIVE):
            note(workspace, run)
        live = [record_run(workspace, -1 - i, state="interrupted") for i in range(LIVE)]
        list_runs(workspace)
        with writing(live, options.rate):
            times = asyncio.run(measure(workspace, options.seconds))
    for name, found in times.items():
        print(f"{name}: {len(found)} times, median {statistics.median(found):.1f} ms, longest {max(found):.1f} ms")
    whole = sum(statistics.median(found) for found in times.values())
    print(f"a refresh: {whole:.1f} ms (wanted: {WANTED:.0f})")


if __name__ == "__main__":
    main()

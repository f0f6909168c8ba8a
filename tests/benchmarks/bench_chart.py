"""How long a chart of a million points takes to be drawn anew, at 160×50, nothing cached: the window moves each time.

python tests/benchmarks/bench_chart.py
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import numpy as np
from textual.app import App, ComposeResult

from dlkit.tui.chart.chart import Chart
from dlkit.tui.chart.line import Line, extent_of
from dlkit.tui.chart.look import Look
from dlkit.tui.chart.smooth import smoothed

POINTS = 1_000_000
SIZE = (160, 50)
ROUNDS = 200
WANTED = 20.0
"""Milliseconds that a redraw may take."""


class Host(App[None]):
    """Nothing but a chart."""

    def compose(self) -> ComposeResult:
        yield Chart()


def noisy(seed: int = 0) -> Line:
    """A falling loss with noise."""
    steps = np.arange(1, POINTS + 1)
    noise = np.random.default_rng(seed).normal(0, 0.1, POINTS)
    return Line("train", steps, 2 * np.exp(-steps / 2e5) + noise + 0.5, "t")


def redraw(chart: Chart, line: Line, look: Look, *, log_y: bool) -> float:
    """Milliseconds from being told to show it until all rows are there."""
    began = time.perf_counter()
    chart.show("loss", [line], look, log_y=log_y)
    for y in range(chart.size.height):
        chart.render_line(y)
    return 1000 * (time.perf_counter() - began)


def measure(chart: Chart, line: Line, what: str, *, level: int = 0, log_y: bool = False, share: float = 0.9) -> None:
    """Windows of a share of the curve, each at another place."""
    extent = extent_of([line])
    look = Look(level=level)
    times = []
    for i in range(ROUNDS):
        start = extent.first + (1 - share) * (extent.last - extent.first) * i / ROUNDS
        window = (start, start + share * (extent.last - extent.first))
        drawn = chart.drawings
        times.append(redraw(chart, line, replace(look, window=window), log_y=log_y))
        assert chart.drawings == drawn + 1
    median, late = np.percentile(times, (50, 99))
    print(f"{what:34} median {median:5.1f} ms, p99 {late:5.1f} ms (wanted: {WANTED:.0f} ms)")


def growing(chart: Chart, line: Line) -> None:
    """A run that goes on: the whole curve, a thousand points more each time, all of it smoothed anew."""
    for level in (0, 2):
        times = []
        for i in range(ROUNDS // 4):
            count = POINTS - 1000 * (ROUNDS // 4 - i)
            cut = replace(line, x=line.x[:count], y=line.y[:count])
            times.append(redraw(chart, cut, Look(level=level), log_y=False))
        median, late = np.percentile(times, (50, 99))
        what = f"growing{', smoothed' if level else ''}"
        print(f"{what:34} median {median:5.1f} ms, p99 {late:5.1f} ms (wanted: {WANTED:.0f} ms)")


async def main() -> None:
    app, line = Host(), noisy()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        chart = app.query_one(Chart)
        measure(chart, line, "nearly all of it")
        measure(chart, line, "a tenth of it", share=0.1)
        measure(chart, line, "nearly all, log", log_y=True)
        measure(chart, line, "nearly all, smoothed", level=2)
        growing(chart, line)
        began = time.perf_counter()
        smoothed(line.y, 0.99)
        print(f"smoothing alone {1000 * (time.perf_counter() - began):.1f} ms")


if __name__ == "__main__":
    asyncio.run(main())

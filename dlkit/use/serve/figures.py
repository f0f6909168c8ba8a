"""What the server has done, in Prometheus' text format."""

from __future__ import annotations

import bisect
from collections import Counter
from itertools import accumulate

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """Counts of values up to each bound."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect.bisect_left(self._bounds, value)] += 1
        self.total += value

    @property
    def count(self) -> int:
        return sum(self._counts)

    def lines(self, name: str) -> list[str]:
        upto = list(accumulate(self._counts))
        bounds = [*map(str, self._bounds), "+Inf"]
        found = [f'{name}_bucket{{le="{bound}"}} {count}' for bound, count in zip(bounds, upto, strict=True)]
        return [*found, f"{name}_sum {self.total:g}", f"{name}_count {upto[-1]}"]


class Figures:
    """``busy``: questions with a worker; ``restarts``: workers that were started again."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self._seconds, self._batches = Histogram(SECONDS), Histogram(BATCHES)
        self.busy = self.restarts = 0

    def request(self, path: str, status: int, seconds: float) -> None:
        self.requests[path, status] += 1
        if path == "/predict":
            self._seconds.add(seconds)

    def batch(self, size: int) -> None:
        self._batches.add(size)

    def told(self) -> str:
        """What has been done, in a line for people."""
        questions, times = int(self._batches.total), self._batches.count
        together = f", {questions / times:.1f} together on average" if times else ""
        return f"{questions} question{'' if questions == 1 else 's'} answered{together}"

    def text(self, ready: int) -> str:
        """All of it; ``ready``: workers that can answer."""
        counts = [
            f'dlkit_requests_total{{path="{path}",status="{status}"}} {count}'
            for (path, status), count in sorted(self.requests.items())
        ]
        seconds, sizes = self._seconds.lines("dlkit_request_seconds"), self._batches.lines("dlkit_batch_size")
        restarts = [f"dlkit_worker_restarts_total {self.restarts}"]
        parts = [
            ("requests_total", "counter", "Requests by path and status.", counts),
            ("request_seconds", "histogram", "From a request of /predict to its answer.", seconds),
            ("batch_size", "histogram", "Questions that were answered together.", sizes),
            ("busy_questions", "gauge", "Questions with a worker.", [f"dlkit_busy_questions {self.busy}"]),
            ("ready_workers", "gauge", "Workers that can answer.", [f"dlkit_ready_workers {ready}"]),
            ("worker_restarts_total", "counter", "Workers that hung or died.", restarts),
        ]
        lines = [
            line
            for name, kind, about, values in parts
            for line in (f"# HELP dlkit_{name} {about}", f"# TYPE dlkit_{name} {kind}", *values)
        ]
        return "\n".join(lines) + "\n"

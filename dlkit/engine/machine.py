"""What a job's processes use of the machine, measured once a second on a thread of its own."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, TypedDict

import psutil

from dlkit.gpus import Gpu, gpus
from dlkit.json_types import JsonObject

INTERVAL = 1.0
KEPT = 60
"""Measurements that wait to be drained; of a loop that is busy for longer the oldest are lost."""


class Usage(TypedDict):
    """One measurement: the fields of a ``Machine`` event."""

    cpu: float
    memory: int
    processes: int
    gpus: list[JsonObject]


class Monitor(Protocol):
    """What measures while it is open: ``drain`` gives what it has found since the last call."""

    def start(self) -> None: ...

    def close(self) -> None: ...

    def drain(self) -> list[Usage]: ...


class MachineMonitor:
    """Measures the process tree below ``root_pid``; ``drain`` gives what was measured since.

    Memory is resident memory: what forked processes share counts once for each (the exact figure takes the kernel tens
    of milliseconds a process). A process that ends between two measurements takes its last share of a second with it.
    What cannot be measured is left out, and never ends anything.
    """

    def __init__(self, root_pid: int = 0) -> None:
        self._root = root_pid or os.getpid()
        self._tree: dict[int, psutil.Process] = {}
        self._cpu: dict[int, float] = {}
        self._since = time.monotonic()
        self._found: deque[Usage] = deque(maxlen=KEPT)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="machine-monitor", daemon=True)
        self._has_gpus = True

    def start(self) -> None:
        self._try_to_measure()  # CPU time counts from here
        self._found.clear()
        self._thread.start()

    def close(self) -> None:
        """Stop measuring; does not wait."""
        self._stop.set()

    def drain(self) -> list[Usage]:
        """What was measured since the last call, the oldest first."""
        found = []
        while self._found:
            found.append(self._found.popleft())
        return found

    def _work(self) -> None:
        while not self._stop.wait(INTERVAL):
            self._try_to_measure()

    def _try_to_measure(self) -> None:
        try:
            self._measure()
        # The sensors' boundary: one that fails, or a root that has just ended, must not disturb a run.
        except Exception:
            return

    def _measure(self) -> None:
        now = time.monotonic()
        elapsed, self._since = max(now - self._since, 1e-6), now
        busy, memory, cpu = 0.0, 0, {}
        tree = {}
        for pid in descendants(self._root):
            try:
                process = tree[pid] = self._tree.get(pid) or psutil.Process(pid)
                with process.oneshot():
                    times = process.cpu_times()
                    memory += process.memory_info().rss
            except psutil.Error:  # it has just ended
                continue
            cpu[pid] = times.user + times.system
            busy += max(0.0, cpu[pid] - self._cpu.get(pid, 0.0))
        self._tree, self._cpu = tree, cpu
        cpu_percent = round(100 * busy / elapsed, 1)
        self._found.append(Usage(cpu=cpu_percent, memory=memory, processes=len(cpu), gpus=self._gpus(set(cpu))))

    def _gpus(self, pids: set[int]) -> list[JsonObject]:
        there = gpus() if self._has_gpus else []
        self._has_gpus = bool(there)  # a machine without any is asked once: NVML looks for its library each time
        return [_of_job(gpu, pids) for gpu in there if pids & gpu.processes.keys()]


def _of_job(gpu: Gpu, pids: set[int]) -> JsonObject:
    known: Sequence[int | None] = [gpu.processes[pid] for pid in pids & gpu.processes.keys()]
    memory = None if None in known else sum(size or 0 for size in known)
    found: JsonObject = {"index": gpu.position, "name": gpu.name, "use": gpu.use, "memory": memory, "total": gpu.total}
    return {**found, "celsius": gpu.celsius, "watts": gpu.watts}


def descendants(root: int) -> list[int]:
    """A process and all below it. Linux lists each thread's children; elsewhere psutil looks at every process."""
    if not Path(f"/proc/{root}/task/{root}/children").exists():
        return [root, *(child.pid for child in psutil.Process(root).children(recursive=True))]
    found = [root]
    for pid in found:  # grows as it goes
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it has just ended
            continue
    return found

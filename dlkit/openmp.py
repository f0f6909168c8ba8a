"""How the threads of a step wait for each other: OpenMP's, which torch computes with on a CPU. Light: help loads it."""

from __future__ import annotations

import os

SPIN_COUNT = 1000
"""Turns that a thread waits awake at a barrier before it sleeps.

GNU's own 300,000 take milliseconds, in which a core that another process could use only waits: two trainings on two
cores slow each other up to thirty times. With fewer than 1,000 a training that is alone waits more than a twentieth
longer; with 2,000 two at once take 2.6 times as long. ``tests/benchmarks/bench_threads.py`` compares them.
"""
MOST_THREADS = 1024
"""Threads of a step at most. Of 10⁹ OpenMP ends the process without a word; 1 024 are slow on two cores, and work."""
_SAID = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def wait_asleep() -> None:
    """Have threads sleep after a short wait, in this process and those that it starts.

    It has an effect only before torch is loaded, which reads the environment then. What the user says of it
    (OMP_WAIT_POLICY, GOMP_SPINCOUNT, KMP_BLOCKTIME) holds.
    """
    if not any(name in os.environ for name in _SAID):
        os.environ["GOMP_SPINCOUNT"] = str(SPIN_COUNT)

"""Threads that wait asleep: said to OpenMP before torch is loaded, in every process that computes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dlkit.openmp import SPIN_COUNT

NAMES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "KMP_BLOCKTIME")
LOOK = "import os, sys; print(os.environ.get('GOMP_SPINCOUNT'), 'torch' in sys.modules)"
STARTS = {
    "command line": "from dlkit.cli.main import main; main(['--version'])",
    "python": "import dlkit; dlkit.train",
    "rank": "import dlkit.jobs.rank as r; r.die_with_parent = lambda supervisor: None; r._train = lambda *_: 0\n"
    "r.main(['no-such-run'])",
}


def looked(start: str, **said: str) -> list[str]:
    environment = {name: value for name, value in os.environ.items() if name not in NAMES} | said
    command = [sys.executable, "-c", f"{start}\n{LOOK}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.split()[-2:]


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_it_is_said_before_torch_is_loaded(start):
    assert looked(start) == [str(SPIN_COUNT), "False"]


@pytest.mark.parametrize(("name", "value"), [("GOMP_SPINCOUNT", "7"), ("OMP_WAIT_POLICY", "ACTIVE")])
def test_what_the_user_says_holds(name, value):
    found = looked(STARTS["command line"], **{name: value})
    assert found == ["7" if name == "GOMP_SPINCOUNT" else "None", "False"]

"""The machine's figures: what cannot be measured is left out, and ends nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dlkit.engine import machine
from dlkit.engine.machine import MachineMonitor
from waiting import LONG


def measured(monitor: MachineMonitor) -> list[machine.Usage]:
    """What one turn of its thread has measured."""
    monitor._try_to_measure()
    return monitor.drain()


def test_a_process_and_those_below_it_are_measured() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        (usage,) = measured(MachineMonitor(os.getpid()))
        child.communicate(b"\n", timeout=LONG)
    assert usage["processes"] >= 2 and usage["memory"] > 0 and usage["cpu"] >= 0


def test_a_root_that_has_ended_disturbs_nobody() -> None:
    """A supervisor that was killed a moment ago."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    monitor = MachineMonitor(ended.pid)
    monitor.start()
    monitor.close()
    assert measured(monitor) == []


def test_a_sensor_that_fails_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpus", lambda: 1 / 0)
    monitor = MachineMonitor()
    monitor.start()
    monitor.close()
    assert measured(monitor) == []

"""What the main screens look like: a change of their looks is to be seen by somebody before it is kept."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dlkit.monitor.devices import Devices, DeviceUse
from dlkit.tui.shared.settings import LIGHT
from pictures import compare
from recorded import record_run, record_runs
from screens import opened, press, shown, until

KEPT = Path(__file__).parent / "pictures"
NOON = 1_790_000_000.0
"""A moment in September 2026, at which all of this happens."""


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch, toy_installed: Path, tmp_path: Path) -> Path:
    """Names, ages and paths are the same everywhere and always; returns the workspace."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(time, "time", lambda: NOON)
    machine = [DeviceUse("cpu", "CPU, 2 cores", 50.0, 10**9, 8 * 10**9, (25.0, 50.0), ())]
    monkeypatch.setattr(Devices, "poll", lambda self: machine)
    monkeypatch.chdir(tmp_path)
    return Path("workspace")


async def test_home(stopped_clock: Path, tmp_path: Path) -> None:
    record_run(stopped_clock)
    async with opened(stopped_clock) as (app, pilot):
        await until(pilot, lambda: "mse 1" in shown(app) and "▁" in shown(app) and "free" in shown(app))
        compare(app, KEPT / "home.svg", tmp_path / "home.svg")


async def test_runs_in_light_colours(stopped_clock: Path, tmp_path: Path) -> None:
    record_runs(stopped_clock, 30)
    async with opened(stopped_clock) as (app, pilot):
        app.theme = LIGHT
        await press(pilot, "2")
        await until(pilot, lambda: "30 runs" in shown(app))
        await press(pilot, "space", "j", "j", "space")
        compare(app, KEPT / "runs.svg", tmp_path / "runs.svg")


async def test_curves(stopped_clock: Path, tmp_path: Path) -> None:
    run = record_run(stopped_clock)
    async with opened(stopped_clock, (120, 40)) as (app, pilot):
        app.open_run(run)
        await until(pilot, lambda: "train/loss" in shown(app) and "⠤" in shown(app))
        compare(app, KEPT / "curves.svg", tmp_path / "curves.svg")


async def test_launch(stopped_clock: Path, tmp_path: Path) -> None:
    async with opened(stopped_clock) as (app, pilot):
        await press(pilot, "enter")
        await until(pilot, lambda: "ready" in shown(app) and "model linear" in shown(app))
        compare(app, KEPT / "launch.svg", tmp_path / "launch.svg")

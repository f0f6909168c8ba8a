"""kill -9 of any process of a queue, at any instant: nothing is lost, nothing happens twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from kills import RECIPES, Attack, reference

KILLS = 15  # for each of four plugins; tests/benchmarks/bench_jobs_kill.py does the thousand


@pytest.mark.slow
@pytest.mark.parametrize(
    "plugin", [name if name == "toy" else pytest.param(name, marks=pytest.mark.slow) for name in RECIPES]
)
def test_kills_lose_nothing(workspace: Path, quick: dict[str, str], plugin: str) -> None:
    recipe = {**RECIPES[plugin], "launcher": quick}
    attack = Attack(workspace, [recipe], [reference(workspace, recipe)], seed=1)
    tally = attack.run(KILLS, at_once=2)
    assert tally.total >= KILLS
    assert set(tally.kills) - {"schedules"}, f"no job's own process was hit: {tally}"

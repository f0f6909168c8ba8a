"""What a configuration costs, the rate that suits it and the batch that fits: tried in a process that may die."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import planned
from dlkit.cli.main import main
from dlkit.config import Resolved
from dlkit.engine.probe.process import Tries
from dlkit.engine.probe.tries import suggested
from dlkit.studies.tries import cost, largest_batch
from probing import Here
from schemas import check

Captured = pytest.CaptureFixture[str]


def resolved(workspace: Path, **layer: Any) -> Resolved:
    return planned(workspace, "lr=0.05", layer=layer).resolved(0)


@pytest.mark.usefixtures("plugins", "imported")
def test_a_probe_tells_time_memory_and_disk_and_leaves_nothing(workspace: Path) -> None:
    found = planned(workspace, "lr=0.02,0.05", "model=linear,mlp", layer={"engine": {"epochs": 40}})
    talk: list[str] = []
    price = cost([(found.resolved(i), 3) for i in range(4)], workspace, say=talk.append)
    assert (price.tried, price.models) == (2, 2) and len(talk) == 2, "rates cost nothing: two models are tried"
    assert price.seconds is not None and 0.1 < price.seconds < 600 and price.memory > 1 << 26 and price.disk > 12 * 1000
    assert not list(workspace.iterdir())


def test_the_largest_batch_by_doubling_and_bisection(workspace: Path, plugins: None) -> None:
    """Memory suffices for 11 samples of the loss."""
    scarce = resolved(workspace, loss={"name": "troubled", "scarce": 12}, engine={"batch_size": 96})
    fits = Tries(workspace, offline=True).fits

    def ask(do: str, tried: Resolved) -> Any:
        return fits({"do": do, "task": "toy", "config": tried.values()})

    talk: list[str] = []
    import dlkit.studies.tries as tries

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tries, "child", Here(Tries(workspace, offline=True)))
        found = largest_batch(scarce, workspace, say=talk.append)
        assert (found.size, found.whole) == (11, False) and any("does not fit" in line for line in talk)
        assert largest_batch(resolved(workspace), workspace).whole
    assert ask("fits", resolved(workspace))["samples"] == 96


@pytest.mark.usefixtures("plugins", "imported")
def test_the_rate_is_swept_and_one_suggested(workspace: Path, capsys: Captured) -> None:
    words = ["study", "toy", "--lr-find", "--device", "cpu", "--engine.threads", "1", "--workspace", str(workspace)]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    check("study-rates", found)
    rates = found["rates"]
    assert len(rates) > 50 and rates[0] == 1e-6 and rates == sorted(rates)
    assert 1e-4 < found["suggested"] < 1 and found["now"] == 0.05
    assert not list(workspace.iterdir())


@given(st.floats(1e-5, 1e-2), st.integers(0, 9))
def test_the_suggestion_lies_on_the_fall(start: float, noise: int) -> None:
    rates = [1e-6 * 10 ** (i / 14) for i in range(99)]
    losses = [2.0 if r < start else 2.0 - math.log10(r / start) / 3 if r < 300 * start else 3.0 for r in rates]
    losses = [loss + 1e-4 * ((i * 7919 + noise) % 13) for i, loss in enumerate(losses)]
    found = suggested(rates, losses)
    assert found is not None and start / 30 < found < 300 * start


def test_where_nothing_falls_nothing_is_suggested() -> None:
    assert suggested([10.0**i for i in range(60)], [float(i) for i in range(60)]) is None
    assert suggested([], []) is None

"""Orders without a run: what is looked at, what processes agree on, what becomes of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.config import EngineConfig
from dlkit.engine.distributed import World
from dlkit.engine.orders import Agreed, Inbox, Orders
from dlkit.engine.progress import Progress
from dlkit.engine.settings import Settings
from dlkit.engine.signals import StopSignals
from dlkit.runs import commands
from dlkit.runs.commands import Command


class Pair(World):
    """Rank ``rank`` of two: rank 0 puts its message on the wire, the other reads it there."""

    wire = ""

    def __init__(self, rank: int, signalled: bool = False) -> None:
        self.rank, self.size = rank, 2
        self.signalled = signalled

    def any(self, flag: bool) -> bool:
        return flag or self.signalled

    def share(self, message: Mapping[str, Any] | None) -> dict[str, Any]:
        if self.rank_zero:
            Pair.wire = json.dumps(message)
        found: dict[str, Any] = json.loads(Pair.wire)
        return found


class NoTrainer:
    """Nothing of it can be changed."""

    def changeable(self) -> list[str]:
        return []


def orders(path: Path, world: World | None = None, progress: Progress | None = None, **engine: Any) -> Orders:
    progress = progress or Progress()
    settings = Settings(NoTrainer(), EngineConfig(**engine), progress)  # type: ignore[arg-type]
    return Orders(Inbox(path), StopSignals(), settings, progress, world or World(), interval=0.25)


def agree(asked: Orders, rate: float = 0.0) -> Agreed:
    return asked.agree(overdue=False, writer="free", rate=rate)


JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
COMMANDS = st.builds(
    Command,
    action=st.sampled_from(commands.ACTIONS),
    key=st.text(),
    value=JSON | st.lists(JSON) | st.dictionaries(st.text(), JSON),
    id=st.text(),
    by=st.text(),
    time=st.floats(0, 2e9),
    end=st.integers(0, 1 << 53),
)
AGREED = st.builds(
    Agreed,
    commands=st.lists(COMMANDS).map(tuple),
    stop=st.text(),
    time_up=st.booleans(),
    overdue=st.booleans(),
    writer=st.sampled_from(["free", "busy", "full"]),
    steps=st.integers(1),
)


@given(AGREED)
def test_what_is_agreed_survives_the_wire(agreed: Agreed) -> None:
    assert Agreed.from_wire(json.loads(json.dumps(agreed.to_wire(), allow_nan=False))) == agreed


def test_every_rank_hears_the_same(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    first, second = orders(path, Pair(0)), orders(path, Pair(1))
    commands.append(path, "sample", by="a test")
    commands.append(path, "set", "engine.keep", 3, by="a test")
    heard = [agree(asked) for asked in (first, second)]
    assert heard[0] == heard[1]
    told = [[(e.action, e.refused, e.end) for e in asked.carry_out(heard[0])] for asked in (first, second)]
    assert told[0] == told[1] and [action for action, *_ in told[0]] == ["sample", "set"]
    assert all(asked.take("sample") and not asked.take("sample") for asked in (first, second))


def test_a_signal_to_any_rank_stops_all(tmp_path: Path) -> None:
    for rank in (0, 1):
        asked = orders(tmp_path / "none", Pair(rank, signalled=True))
        assert list(asked.carry_out(agree(asked))) == []
        assert (asked.ending, asked.completes) == ("terminated (SIGTERM)", False)


def test_attentions_move_apart_no_faster_than_twofold(tmp_path: Path) -> None:
    """A rate may be a fluke, and nobody looks before the agreed step: 0.25 s are 25 steps, at 100 a second."""
    asked = orders(tmp_path / "none", Pair(0))
    distances = []
    for _ in range(7):
        agree(asked, rate=100.0)
        distances.append(asked.next_attention(10) - 10)
    assert distances == [2, 4, 8, 16, 25, 25, 25]
    agree(asked, rate=1e-9)
    assert asked.next_attention(10) == 11


def test_one_process_looks_by_the_clock(tmp_path: Path) -> None:
    asked = orders(tmp_path / "none")
    assert not agree(asked) and asked.next_attention(10) == float("inf")


def test_a_stop_goes_before_the_end_of_the_time(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    asked = orders(path, progress=Progress(seconds=5.0), max_time=1.0)
    commands.append(path, "stop", by="a test")
    agreed = agree(asked)
    assert agreed.time_up
    list(asked.carry_out(agreed))
    assert (asked.ending, asked.completes) == ("stopped by a test", False)


@pytest.mark.parametrize(("seconds", "left"), [(0.0, 10.0), (9.0, 1.0), (12.0, 0.0)])
def test_time_left_counts_earlier_attempts_and_no_pauses(tmp_path: Path, seconds: float, left: float) -> None:
    progress = Progress(seconds=seconds, since=time.monotonic())
    asked = orders(tmp_path / "none", progress=progress, max_time=10.0)
    now = progress.since
    assert asked.time_left(now) == left
    progress.exclude(100.0)
    assert asked.time_left(now + 100.0) == left
    assert orders(tmp_path / "none").time_left(now) is None


def test_what_was_asked_of_an_earlier_attempt_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "commands.jsonl"
    commands.append(path, "stop")
    assert not agree(orders(path))
    assert [command.action for command in Inbox(path, 0).look()] == ["stop"]

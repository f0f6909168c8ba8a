"""Splits that a trainer makes of others before the first step: computed once, kept, used again, thrown away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import headed_parts
from dlkit.cli.main import main
from dlkit.data.context import Context
from dlkit.engine import loop
from dlkit.engine.attempt import Attempt
from dlkit.engine.signals import StopSignals
from dlkit.events import MetricsLogged, Preparing, Sampled
from dlkit.runs import commands
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from dlkit.runs.workspace import prepared
from dlkit.use.load import evaluate_run
from outcome import close_at, finished, notices, outcome, values_of
from toy import finish, toy_attempt, toy_catalog, toy_resume

PLUGINS = ("headed",)


@pytest.fixture(autouse=True)
def nothing_computed() -> Iterator[None]:
    headed_parts.computed.clear()
    headed_parts.passes.clear()
    yield


def attempt(workspace: Path, trainer: str = "cached", points: int = 100, **options: Any) -> Attempt:
    layer = {
        "model": {"name": "headed"},
        "trainer": {"name": trainer, **options},
        "dataset": {"points": points},
    }
    return toy_attempt(workspace, "", layer, PLUGINS, seed=1, epochs=4)


def parts(workspace: Path) -> list[Path]:
    return sorted(prepared(workspace).rglob("part-*"))


def test_what_is_learned_is_what_is_learned_without(tmp_path: Path) -> None:
    cached, plain = finish(attempt(tmp_path)), finish(attempt(tmp_path, "supervised"))
    assert outcome(cached)[:2] == outcome(plain)[:2]
    assert values_of(cached) == pytest.approx(values_of(plain), rel=1e-6)
    assert sum(headed_parts.computed) == 100 + 40, "each row once, in 4 epochs and as many evaluations"
    assert [e for e in read_events(cached.events) if isinstance(e, Sampled)], (
        "samples see the splits as they were built"
    )
    told = [e for e in read_events(cached.events) if isinstance(e, Preparing)]
    assert [(e.text, e.done, e.total) for e in told if e.done == e.total] == [
        ("features of train", 100, 100),
        ("features of val", 40, 40),
    ]


def test_the_next_run_uses_them_and_other_data_throws_them_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = finish(attempt(tmp_path))
    before = parts(tmp_path)
    headed_parts.computed.clear()
    again = finish(attempt(tmp_path))
    assert headed_parts.computed == [] and outcome(again) == outcome(first) and parts(tmp_path) == before
    monkeypatch.setattr("toy_parts.OFFSET", 3.0)  # the same configuration, other data
    finish(attempt(tmp_path))
    assert sum(headed_parts.computed) == 140
    assert len(parts(tmp_path)) == len(before) and not set(parts(tmp_path)) & set(before)
    finish(attempt(tmp_path, points=50))
    assert len(parts(tmp_path)) > len(before), "another configuration has features of its own"


@pytest.mark.parametrize("how", ["cut short", "altered", "empty", "of another length"])
def test_a_damaged_part_is_computed_again(tmp_path: Path, how: str) -> None:
    whole = finish(attempt(tmp_path))
    part, other = parts(tmp_path)[0], parts(tmp_path)[-1]
    data = part.read_bytes()
    altered = data[:-1] + bytes([data[-1] ^ 1])
    part.write_bytes({"cut short": data[:-9], "altered": altered, "empty": b""}.get(how, other.read_bytes()))
    headed_parts.computed.clear()
    assert outcome(finish(attempt(tmp_path))) == outcome(whole)
    assert len(headed_parts.computed) == 1


def test_it_is_stopped_meanwhile_and_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PREPARING_SECONDS", 0)
    whole = finish(attempt(tmp_path / "other"))
    headed_parts.computed.clear()
    signals = StopSignals()
    cut = attempt(tmp_path)
    for event in cut.events(signals):
        if isinstance(event, Preparing) and event.done:
            signals.asked = "a test"
    assert finished(cut.run).status == "stopped" and finished(cut.run).steps == 0
    assert 0 < sum(headed_parts.computed) < 140
    again = finish(toy_resume(cut.run, PLUGINS))
    assert sum(headed_parts.computed) == 140 and outcome(again) == outcome(whole)


def test_orders_are_obeyed_meanwhile(tmp_path: Path) -> None:
    run = attempt(tmp_path, slow=0.2)
    for event in run.events():
        if isinstance(event, Preparing) and event.done == 0:
            commands.append(run.run.commands, "stop", by="a test")
        assert not isinstance(event, MetricsLogged)
    assert finished(run.run).status == "stopped"


def test_a_resume_finds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FLUSH_SECONDS", 0)
    whole = finish(attempt(tmp_path))
    headed_parts.computed.clear()
    cut = close_at(attempt(tmp_path), 5)
    assert outcome(finish(toy_resume(cut, PLUGINS))) == outcome(whole)
    assert headed_parts.computed == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("data", "trainer 'cached': its prepare returned a NoneType, not a dlkit.data.splits.Data"),
        ("length", "trainer 'cached': its prepare made of split 'val' (samples, batches) = (100, 6), not (40, 2)"),
        ("plain", "trainer 'cached': its prepare is not a generator"),
        ("raise", "trainer 'cached'"),
    ],
)
def test_a_preparation_that_makes_no_sense_is_blamed_on_its_trainer(tmp_path: Path, wrong: str, said: str) -> None:
    run = finish(attempt(tmp_path, wrong=wrong))
    assert finished(run).status == "failed" and said in finished(run).reason


def test_where_nothing_can_be_kept_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    told = notices(attempt(tmp_path).events())
    assert [text for text in told if "are not kept for the next run" in text]
    assert "features are used" in told


def test_another_split_is_measured_without_them(tmp_path: Path) -> None:
    run = finish(attempt(tmp_path))
    catalog, context = toy_catalog(*PLUGINS), Context(tmp_path / "data")
    found = evaluate_run(catalog, run, context, split="val", which="last")["metrics"]
    assert found["val/mse"] == pytest.approx(finished(run).metrics["val/mse"], rel=1e-5)


def test_clean_frees_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    run: RunFolder = finish(attempt(tmp_path))
    monkeypatch.setattr("dlkit.cli.clean.STALE_SECONDS", -1.0)
    assert main(["clean", "--workspace", str(tmp_path), "--yes", "--json"]) == 0
    removed = json.loads(capsys.readouterr().out)["removed"]
    assert "features that are computed again when they are wanted" in {entry["why"] for entry in removed}
    assert parts(tmp_path) == [] and run.path.exists()

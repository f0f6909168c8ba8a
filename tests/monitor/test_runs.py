"""All runs of a workspace, kept up to date."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.events import Event, MetricsLogged, Resumed, Started
from dlkit.monitor.live_run import KEPT, LiveRun
from dlkit.monitor.runs import Runs
from dlkit.runs.files import write_json
from dlkit.runs.folder import RunFolder, Summary, summarise
from dlkit.runs.lock import WRITER, RunLock
from recorded import record_run, record_runs, write_events


def polled(runs: Runs) -> dict[str, Summary]:
    """By id, whatever the clock says about looking again."""
    runs._looked = runs._followed = -1e9
    found = runs.poll()
    return {summary.id: summary for summary in found or ()}


def test_no_workspace_is_an_empty_one(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "nowhere")
    assert runs.poll() == []
    assert polled(runs) == {}
    assert not (tmp_path / "nowhere").exists()


def test_newest_first_and_nothing_new_is_nothing(tmp_path: Path) -> None:
    made = record_runs(tmp_path, 12)
    runs = Runs(tmp_path)
    assert [summary.id for summary in runs.poll() or ()] == [run.id for run in made]
    assert runs.poll() is None
    assert polled(runs) == {}


def test_runs_come_change_and_go(tmp_path: Path) -> None:
    first = record_run(tmp_path, 1)
    runs = Runs(tmp_path)
    runs.poll()
    second = record_run(tmp_path, 2)
    assert set(polled(runs)) == {first.id, second.id}
    first.update(name="the best")
    assert polled(runs)[first.id].name == "the best"
    shutil.rmtree(second.path)
    assert set(polled(runs)) == {first.id}


def test_a_live_run_is_followed(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    runs = Runs(tmp_path)
    with RunLock(run.lock, WRITER):
        assert {s.state for s in runs.poll() or ()} == {"running"}
        assert runs.poll() is None
    assert {s.state for s in runs.poll() or ()} == {"interrupted"}
    write_events(
        run, [MetricsLogged(first=101, count=2, values={"train/loss": [0.5, 0.4], "val/mse": [0.25, 0.125]})], 3
    )
    now = polled(runs)[run.id]
    assert (now.step, now.last, now.best) == (102, 0.125, 0.125)
    assert runs.poll() is None


def test_a_resume_takes_back_what_came_after_it(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    runs = Runs(tmp_path)
    runs.poll()
    write_events(run, [MetricsLogged(first=101, count=1, values={"val/mse": [0.0001]})], 3)
    assert polled(runs)[run.id].best == 0.0001
    write_events(
        run,
        [
            Resumed(from_step=100, total_steps=200, epoch_steps=20, exact=True, from_seq=3),
            MetricsLogged(first=101, count=1, values={"val/mse": [0.5]}),
        ],
        4,
    )
    now = polled(runs)[run.id]
    assert (now.step, now.total_steps, now.last) == (101, 200, 0.5)
    assert now.best is not None and now.best > 0.0001


def test_a_value_that_is_no_number_is_no_best(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    runs = Runs(tmp_path)
    runs.poll()
    for seq, value in enumerate((math.nan, 0.25, math.nan), 3):
        write_events(run, [MetricsLogged(first=98 + seq, count=1, values={"val/mse": [value]})], seq)
    now = polled(runs)[run.id]
    assert now.best == 0.25
    assert now.last is not None and math.isnan(now.last)


def test_following_a_run_for_long_keeps_little(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    runs = Runs(tmp_path)
    runs.poll()
    losses = [1 / step for step in range(1, 20_001)]
    write_events(run, [MetricsLogged(first=101, count=len(losses), values={"val/mse": losses})], 3)
    now = polled(runs)[run.id]
    assert (now.last, now.best) == (losses[-1], losses[-1])
    assert len(runs._live[run.id].primary) <= 2 * KEPT


def test_rubbish_is_shown_as_damaged_and_hides_nothing(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    for i, text in enumerate(("", "[]", '{"state": 5}', "\0\0", '{"components": 3, "state": "running"}')):
        folder = tmp_path / "runs" / f"2026-rubbish-{i}"
        folder.mkdir()
        (folder / "run.json").write_text(text)
        (folder / "events.jsonl").write_bytes(b'{"event":"metrics"\n\xff\xfe\n[]\n"x"\n')
    (tmp_path / "runs" / "a file").write_text("no folder")
    runs = Runs(tmp_path)
    found = {s.id: s for s in runs.poll() or ()}
    assert found[run.id].state == "completed"
    assert len(found) == 6
    assert polled(runs) == {}


def test_what_it_says_of_a_run_that_ended_is_what_the_folder_says(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    runs = Runs(tmp_path)
    runs.poll()
    write_json(run.record, {**run.read(), "state": "stopped", "result": {"step": 7, "seconds": 3.0}})
    assert polled(runs)[run.id] == summarise(run)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=4), min_size=1, max_size=6), st.integers(1, 200))
def test_followed_in_pieces_it_says_the_same_as_read_at_once(batches: list[list[float]], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = record_run(Path(folder), state="interrupted")
        runs = Runs(Path(folder))
        runs.poll()
        step, events = 101, []
        for column in batches:
            events.append(
                MetricsLogged(first=step, count=len(column), values={"val/mse": column, "train/loss": column})
            )
            step += len(column)
        whole = RunFolder(Path(folder) / "other")
        whole.path.mkdir()
        write_events(whole, events, 3)
        data = whole.events.read_bytes()
        shutil.rmtree(whole.path)
        for start in range(0, len(data), cut):
            with run.events.open("ab") as file:
                file.write(data[start : start + cut])
            runs.poll()
        now, told = polled(runs).get(run.id) or {s.id: s for s in runs._told or ()}[run.id], summarise(run)
        assert (now.step, now.last, now.best, now.updated) == (told.step, told.last, told.best, told.updated)


# Runs that are resumed

ATTEMPTS = st.lists(
    st.tuples(
        st.integers(1, 20),  # steps made
        st.integers(0, 20),  # steps between its last checkpoint and its end
        st.integers(1, 6),  # steps a flush
        st.booleans(),  # whether the checkpoint lies before the evaluation at its step
    ),
    min_size=1,
    max_size=5,
)


def course_of(attempts: list[tuple[int, int, int, bool]], value: Callable[[int], float]) -> list[Event]:
    """What a run tells that is killed again and again: losses, a rate every third step, a value every fourth."""
    log: list[Event] = [Started(total_steps=200, epoch_steps=9, summary={})]
    checkpoint = reached = 0
    seq_of: dict[int, int] = {}
    for number, (made, lost, flush, before) in enumerate(attempts):
        if number:
            seq = seq_of.get(checkpoint, -1) if before else -1
            log.append(Resumed(from_step=checkpoint, total_steps=200 + number, epoch_steps=9, exact=True, from_seq=seq))
        for first in range(checkpoint + 1, checkpoint + made + 1, flush):
            steps = range(first, min(first + flush, checkpoint + made + 1))
            log.append(MetricsLogged(first=first, count=len(steps), values={"train/loss": [1.0] * len(steps)}))
            thirds = [step for step in steps if step % 3 == 0]
            if thirds:
                log.append(
                    MetricsLogged(first=thirds[0], count=len(thirds), every=3, values={"lr": [0.1] * len(thirds)})
                )
            seq_of[steps[-1]] = len(log)
            if steps[-1] % 4 == 0:
                metrics = {"val/mse": [value(len(log))]}
                log.append(MetricsLogged(first=steps[-1], count=1, values=metrics))
        reached = checkpoint + made
        checkpoint = max(checkpoint, reached - lost)
    return log


@settings(max_examples=60, deadline=None)
@given(ATTEMPTS, st.integers(1, 400), st.sampled_from(["min", "max"]), st.randoms(use_true_random=False))
def test_resumed_or_not_it_says_the_same_as_the_folder(attempts: Any, cut: int, direction: str, luck: Random) -> None:
    events = course_of(attempts, lambda _: luck.random())
    with tempfile.TemporaryDirectory() as folder:
        run = record_run(Path(folder), state="interrupted", direction=direction)
        run.events.write_bytes(b"")
        live, summary = LiveRun(run, summarise(run)), summarise(run)
        whole = RunFolder(Path(folder) / "other")
        whole.path.mkdir()
        write_events(whole, events)
        data = whole.events.read_bytes()
        for start in range(0, len(data), cut):
            with run.events.open("ab") as file:
                file.write(data[start : start + cut])
            summary = live.poll(summary)
        told = summarise(run)
        assert (summary.step, summary.total_steps) == (told.step, told.total_steps)
        assert (summary.last, summary.best) == (told.last, told.best)


def test_a_resume_and_what_follows_seen_at_once(tmp_path: Path) -> None:
    """The step does not stay where the earlier attempt was, nor the value that is void."""
    run = record_run(tmp_path, state="interrupted")
    runs = Runs(tmp_path)
    runs.poll()
    write_events(
        run, [MetricsLogged(first=101, count=50, values={"train/loss": [0.1] * 50, "val/mse": [0.01] * 50})], 3
    )
    assert polled(runs)[run.id].step == 150
    resumed = Resumed(from_step=100, total_steps=200, epoch_steps=20, exact=True, from_seq=3)
    write_events(run, [resumed, MetricsLogged(first=101, count=1, values={"train/loss": [0.5]})], 4)
    now = polled(runs)[run.id]
    assert (now.step, now.last, now.best) == (101, summarise(run).last, summarise(run).best)


def test_a_damaged_line_of_metrics_is_passed_over(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    runs = Runs(tmp_path)
    before = {s.id: s for s in runs.poll() or ()}[run.id]
    with run.events.open("a") as file:
        file.write('{"event":"metrics"}\n{"event":"metrics","first":101,"count":1,"time":"noon","values":{}}\n')
    assert (polled(runs).get(run.id) or before).step == before.step

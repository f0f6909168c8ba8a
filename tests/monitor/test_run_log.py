"""A run's log in words: everything that happened, once, in the order of time, whoever trained it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from dlkit.events import (
    Checkpointed,
    Commanded,
    Event,
    Finished,
    Machine,
    MetricsLogged,
    Notice,
    Resumed,
    Retried,
    Sampled,
    SampleRef,
    Started,
    to_json,
)
from dlkit.monitor.run_log import RunLog
from dlkit.monitor.view import RunView
from dlkit.runs.folder import RunFolder
from recorded import record_run

BEGAN = 1_800_000_000.0
SUMMARY: dict[str, Any] = {
    "model": {"name": "linear", "parameters": 4, "memory": 32, "layers": [], "more_layers": 0},
    "data": {"splits": {"train": 80, "val": 20}, "notes": ["2 rows without a value left out"]},
    "device": "cpu",
    "precision": "float32",
}


def write(run: RunFolder, *events: Event, first: int = 0) -> None:
    """Events a second apart, unless they say when they were."""
    import dataclasses

    with run.events.open("a", encoding="utf-8") as file:
        for i, event in enumerate(events, first):
            file.write(to_json(dataclasses.replace(event, seq=i, time=event.time or BEGAN + i)) + "\n")


def metrics(step: int, epoch: int, **values: float) -> MetricsLogged:
    named = {name.replace("_", "/", 1): [value] for name, value in values.items()}
    return MetricsLogged(first=step, count=1, values=named, epoch=epoch)


def lines_of(run: RunFolder, log: RunLog | None = None) -> list[str]:
    view = RunView(run)
    while view.poll():
        pass
    return [line.text for line in (log or RunLog()).lines(view)]


def place(lines: list[str], *parts: str) -> int:
    """Where the one line is that has all of these."""
    found = [i for i, line in enumerate(lines) if all(part in line for part in parts)]
    assert len(found) == 1, (parts, [lines[i] for i in found], lines)
    return found[0]


def new_run(workspace: Path) -> RunFolder:
    run = record_run(workspace, state="stopped")
    run.events.write_text("")
    return run


def test_everything_that_happened_is_told_in_its_order(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    write(
        run,
        Started(total_steps=40, epoch_steps=10, summary=SUMMARY),
        metrics(10, 0, train_loss=2.0),
        metrics(10, 0, val_loss=1.5, val_mse=1.5),
        Sampled(step=10, samples=[SampleRef(kind="text", name="a", title="Answers", file="f")]),
        Checkpointed(step=10, folder="checkpoints/step-10", best=True, seconds=0.2),
        Commanded(step=12, action="set", key="trainer.lr", value=0.5, by="ann"),
        metrics(20, 1, train_loss=1.0),
        metrics(20, 1, val_loss=1.7, val_mse=1.7),
        Notice(step=20, text="UserWarning: lr_scheduler.step() before optimizer.step()"),
        Retried(step=20, reason="out of memory", attempt=1, of=2, settings={"engine.batch_size": 4}),
        metrics(30, 2, train_loss=0.5),  # an epoch that nobody evaluates
        metrics(40, 3, train_loss=0.4),
        Finished(run=run.id, status="failed", metrics={"val/mse": 1.5}, seconds=9.0, train_seconds=8.0, steps=40,
                 reason="loss is nan", traceback="Traceback (most recent call last):\n  here\nValueError: nan"),
    )  # fmt: skip
    lines = lines_of(run)
    told = [
        place(lines, "starts: 40 steps to go"),
        place(lines, "2 rows without a value left out"),
        place(lines, "linear: 4 parameters"),
        place(lines, "step 10", "epoch 1, best so far", "train/loss 2", "val/mse 1.5"),
        place(lines, "samples: Answers"),
        place(lines, "checkpoint: checkpoints/step-10, the best so far"),
        place(lines, "step 12", "ann: trainer.lr = 0.5"),
        place(lines, "step 20", "epoch 2  train/loss 1", "val/mse 1.7"),
        place(lines, "note: UserWarning: lr_scheduler"),
        place(lines, "note: out of memory; started again (1 of 2) with engine.batch_size = 4"),
        place(lines, "step 30", "epoch 3 ends", "train/loss 0.5"),
        place(lines, "failed: loss is nan"),
        place(lines, "ValueError: nan"),
    ]
    assert told == sorted(told) and told[-1] == len(lines) - 1
    assert "val/" not in lines[place(lines, "epoch 3 ends")], "those are of an evaluation before it"
    assert place(lines, time.strftime("%Y-%m-%d", time.localtime(BEGAN))) == 0


def test_what_was_printed_stands_where_it_was_printed(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.output.write_text("early\n\nmiddle\nlate\nlast\n")
    write(
        run,
        Started(total_steps=2, epoch_steps=1, summary={}),
        Machine(step=0, cpu=1.0, memory=1, processes=1, printed=len("early\n")),
        metrics(1, 0, val_mse=1.0),
        Machine(step=1, cpu=1.0, memory=1, processes=1, printed=len("early\n\nmiddle\nlate\n")),
        metrics(2, 1, val_mse=0.5),
        Finished(run=run.id, status="completed", metrics={}, seconds=1.0, train_seconds=1.0, steps=2),
    )
    words = ("starts", "early", "epoch 1", "middle", "late", "epoch 2", "last", "completed")
    lines = lines_of(run)
    assert [place(lines, word) for word in words] == list(range(1, 9))


def test_of_a_run_of_before_what_was_printed_stands_before_its_end(tmp_path: Path) -> None:
    """Its figures of the machine do not say how much was printed by when."""
    run = new_run(tmp_path)
    run.output.write_text("printed\n")
    write(run, Started(total_steps=1, epoch_steps=1, summary={}), metrics(1, 0, val_mse=1.0),
          Machine(step=1, cpu=1.0, memory=1, processes=1))  # fmt: skip
    assert lines_of(run)[-1].strip() == "printed"
    write(run, Finished(run=run.id, status="stopped", metrics={}, seconds=1.0, train_seconds=1.0, steps=1), first=3)
    assert [line.split()[-1] for line in lines_of(run)[-2:]] == ["printed", "s"]


def test_a_resume_makes_lines_void_and_a_log_may_be_asked_again(tmp_path: Path) -> None:
    run, log = new_run(tmp_path), RunLog()
    write(run, Started(total_steps=4, epoch_steps=1, summary={}), metrics(1, 0, val_mse=9.0),
          metrics(2, 1, val_mse=8.0))  # fmt: skip
    assert len(lines_of(run, log)) == 4
    write(run, Resumed(from_step=1, total_steps=4, epoch_steps=1, exact=True, from_seq=2), metrics(2, 1, val_mse=7.0),
          first=3)  # fmt: skip
    lines = lines_of(run, log)
    assert place(lines, "goes on from step 1 of 4") < place(lines, "epoch 2", "val/mse 7")
    assert not any("val/mse 8" in line for line in lines)


def test_where_there_is_nothing_it_is_said_why(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert lines_of(run) == ["Nothing of this run is on record."]
    queued = record_run(tmp_path, 1, state="queued")
    queued.events.unlink()
    assert lines_of(queued) == ["Nothing yet: the run waits in the queue."]


def test_a_long_log_is_told_whole_and_again_at_once(tmp_path: Path) -> None:
    run, log = new_run(tmp_path), RunLog()
    write(run, *(metrics(i + 1, i, val_mse=1.0 + i % 7, train_loss=1.0) for i in range(3000)))
    view = RunView(run)
    while view.poll():  # one look reads for a limited time
        pass
    first = log.lines(view)
    assert sum("epoch" in line.text for line in first) == 3000
    again = log.lines(view)
    assert all(a is b for a, b in zip(first[1:], again[1:], strict=True)), "what was put into words once is kept"

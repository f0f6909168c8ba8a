"""What somebody deletes of a run that is going: noticed, said, and nothing lost in silence."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dlkit.errors import RunError
from dlkit.events import Event, Finished, MetricsLogged, Notice
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.log import EventLog, read_events
from outcome import outcome, values_of
from toy import finish, toy_attempt, toy_resume, toy_run


def train(tmp_path: Path, do: Callable[[RunFolder], object]) -> tuple[RunFolder, list[Event]]:
    """A run of three epochs to whose folder something is done when the first of them has been measured."""
    attempt = toy_attempt(tmp_path)
    seen: list[Event] = []
    done = False
    for event in attempt.events():
        seen.append(event)
        if isinstance(event, MetricsLogged) and "val/mse" in event.values and not done:
            do(attempt.run)
            done = True
    return attempt.run, seen


def test_a_log_that_was_deleted_is_written_again(tmp_path: Path) -> None:
    run, seen = train(tmp_path / "deleted", lambda run: run.events.unlink())
    assert read_events(run.events) == seen, "with what was in it before"
    (notice,) = (event for event in seen if isinstance(event, Notice))
    assert notice.text == "events.jsonl was deleted while the run wrote it: it has been written again"
    undisturbed = toy_run(tmp_path / "undisturbed")
    assert outcome(run) == outcome(undisturbed)
    assert list(values_of(run)) == list(values_of(undisturbed))


def test_a_log_that_was_replaced_ends_the_run(tmp_path: Path) -> None:
    """Whose the other one is, is not known here."""

    def replace(run: RunFolder) -> None:
        run.events.unlink()
        run.events.write_text("somebody's\n")

    run, seen = train(tmp_path, replace)
    end = seen[-1]
    assert isinstance(end, Finished) and end.status == "failed"
    assert end.reason.startswith("could not write: replaced by another while the run wrote it; ")
    assert run.events.read_text() == "somebody's\n"
    assert (summarise(run).state, summarise(run).reason) == ("failed", end.reason)
    last = complete(run.path)[-1].step
    assert last >= 6 and summarise(finish(toy_resume(run))).state == "completed"


@pytest.mark.parametrize("moved", [False, True])
def test_a_folder_that_is_gone_ends_the_run(tmp_path: Path, moved: bool) -> None:
    def remove(run: RunFolder) -> None:
        run.path.rename(tmp_path / "moved") if moved else shutil.rmtree(run.path)

    with pytest.raises(RunError, match=r"cannot be written: .*(removed while the run was going|No such file)"):
        train(tmp_path / "workspace", remove)
    assert list((tmp_path / "workspace" / "runs").iterdir()) == []


def test_a_long_log_is_copied_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dlkit.runs import log

    monkeypatch.setattr(log, "COPIED", 100)
    kept = EventLog(tmp_path / "events.jsonl")
    recorded = [kept.append(Notice(step=i, text="x" * i)) for i in range(20)]
    (tmp_path / "events.jsonl").unlink()
    recorded.append(kept.append(Notice(step=20, text="after")))
    kept.sync()
    kept.close()
    assert read_events(tmp_path / "events.jsonl") == recorded

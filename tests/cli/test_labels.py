"""``dlkit tag`` and ``note``; orders with a reason, and what is said before anything is stopped or deleted."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

from dlkit.config import resolve
from dlkit.events import Commanded, Finished
from dlkit.jobs.job_record import Submission
from dlkit.jobs.queue import cancel
from dlkit.jobs.submit import submit
from dlkit.runs.commands import append, read
from dlkit.runs.labels import labels
from dlkit.runs.log import read_events
from recorded import record_run
from schemas import check
from toy import toy_attempt, toy_catalog, toy_run


def test_tags_are_given_shown_and_filtered(dlkit, tmp_path):
    run = record_run(tmp_path, 0)
    where = ("--workspace", tmp_path)
    assert dlkit("tag", run.id, "baseline", "paper", *where).out == "baseline paper\n"
    assert dlkit("tag", "paper", "--remove", "baseline", *where).out == "paper\n"
    assert dlkit("runs", "tag:paper", "--columns", "run,tag", *where).out.splitlines()[1].split()[-1] == "paper"
    assert "paper" in dlkit("runs", "--group", "tag", *where).out
    assert "tags    paper" in dlkit("show", run.id, *where).out
    assert dlkit("tag", run.id, "a b", *where).code == 2


def test_notes_are_added_shown_and_reported(dlkit, tmp_path, monkeypatch):
    run = toy_run(tmp_path)
    where = ("--workspace", tmp_path)
    assert dlkit("note", run.id, "better than it looks", *where).err.strip() == f"{run.id}: noted"
    assert "better than it looks" in dlkit("note", run.id, "--show", *where).out
    assert "better than it looks" in dlkit("show", run.id, *where).out
    refused = dlkit("note", run.id, *where)
    assert refused.code == 2 and "give TEXT, or - to read it from standard input" in refused.err
    dlkit("report", run.id, "--format", "md", "-o", tmp_path / "report.md", *where)
    assert "better than it looks" in (tmp_path / "report.md").read_text()


def test_without_text_an_editor_is_opened(tmp_path):
    run = record_run(tmp_path, 0)
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nprintf 'from the editor\\n# left out\\n' > \"$1\"\n")
    editor.chmod(0o755)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "dlkit", "note", run.id, "--workspace", str(tmp_path)]
    environment = {**os.environ, "EDITOR": str(editor), "VISUAL": ""}
    subprocess.run(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, check=True)
    os.close(theirs)
    os.close(ours)
    assert [note.text for note in labels(run.path).notes] == ["from the editor"]


def test_a_reason_is_on_record_with_who_gave_it(tmp_path):
    attempt = toy_attempt(tmp_path, epochs=40)
    stream = attempt.events()
    next(stream)
    append(attempt.run.commands, "stop", reason="the  room\nis too hot")
    for _ in stream:
        pass
    events = read_events(attempt.run.events)
    told = next(event for event in events if isinstance(event, Commanded))
    assert (told.reason, told.refused) == ("the room is too hot", "") and "@" in told.by
    end = events[-1]
    assert isinstance(end, Finished) and end.reason == f"stopped by {told.by}: the room is too hot"
    assert read(attempt.run.commands)[0][0].whose == f"{told.by}: the room is too hot"


def test_a_job_that_is_taken_out_says_who_did_so(tmp_path, toy_installed):
    catalog = toy_catalog()
    run = submit(catalog, resolve(catalog, "toy", []), tmp_path, Submission(True))
    cancel(run, "not needed")
    assert run.read()["reason"].startswith("cancelled before it was started, by ")
    assert run.read()["reason"].endswith(": not needed")


def test_a_dry_run_stops_and_deletes_nothing(dlkit, tmp_path, toy_installed):
    done = toy_run(tmp_path)
    where = ("--workspace", tmp_path)
    told = dlkit("remove", done.id, "--dry-run", *where)
    assert told.code == 0 and "would be freed" in told.out and done.path.is_dir()
    refused = dlkit("stop", done.id, "--dry-run", *where)
    assert refused.code == 1 and "is completed" in refused.err
    catalog = toy_catalog()
    waiting = submit(catalog, resolve(catalog, "toy", []), tmp_path, Submission(True))
    plan = dlkit("queue", "cancel", waiting.id, "--dry-run", "--json", *where)
    check("order-plan", plan.json)
    assert plan.json == {"would": "cancel", "runs": [{"run": waiting.id, "state": "queued"}]}
    assert waiting.read()["state"] == "queued"
    assert dlkit("queue", "cancel", done.id, "--dry-run", *where).code == 1


def test_why_somebody_resumed_or_renamed_a_run_stays_with_it(dlkit, tmp_path):
    run = toy_run(tmp_path, epochs=1)
    where = ("--workspace", tmp_path)
    assert dlkit("resume", run.id, "--epochs", "2", "--reason", "too  short", "--quiet", *where).code == 0
    assert dlkit("rename", run.id, "better", "--reason", "it is", *where).code == 0
    assert dlkit("rename", run.id, "", "--reason", "it is not", *where).code == 0
    first, second, third = labels(run.path).notes
    assert first.text == "resumed: too short" and "@" in first.by
    assert (second.text, third.text) == ("renamed to 'better': it is", "its name taken away: it is not")
    assert "resumed: too short" in dlkit("show", run.id, *where).out
    for words in (["resume", run.id, "--epochs", "3"], ["rename", run.id, "x"], ["remove", run.id, "--yes"]):
        refused = dlkit(*words, "--reason", "x" * 501, *where)
        assert refused.code == 2 and "the reason has 501 characters" in refused.err
    assert dlkit("resume", run.id, "--reason", "nothing to do", *where).code == 2
    assert len(labels(run.path).notes) == 3, "of what was refused there is no reason on record"


def test_why_somebody_removed_a_run_stays_beside_the_others(dlkit, tmp_path):
    runs = [record_run(tmp_path, number) for number in range(3)]
    where = ("--workspace", tmp_path, "--yes")
    assert dlkit("remove", runs[0].id, *where).code == 0 and not (tmp_path / "removed.jsonl").exists()
    assert dlkit("remove", runs[1].id, "--reason", "a slip — of mine", *where).code == 0
    line = json.loads((tmp_path / "removed.jsonl").read_text())
    assert (line["run"], line["reason"]) == (runs[1].id, "a slip — of mine") and "@" in line["by"] and line["time"] > 0
    elsewhere = runs[2].path.rename(tmp_path / "elsewhere")
    told = dlkit("remove", elsewhere, "--reason", "old", *where)
    assert told.code == 0 and "lay in no workspace: why it was removed is on no record" in told.err

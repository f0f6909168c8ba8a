"""Runs on another machine over a real sshd: listed, looked at, steered, started; and what happens when it goes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dlkit.events import Commanded
from dlkit.jobs.follow import state_now
from dlkit.remote.connection import Connection
from dlkit.remote.defined import Remote, remotes
from dlkit.remote.mirror import Mirror
from dlkit.remote.refreshing import Keepers
from dlkit.remote.ssh import Unreachable
from dlkit.runs import mirrors
from dlkit.runs.contents import load_sample, samples
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.log import read_events
from live import live_run
from recorded import record_run
from sshd import Sshd
from toy import toy_run
from waiting import until

Command = Callable[..., "object"]


def test_runs_stand_in_the_same_list(dlkit, box: Remote, workspace: Path, tmp_path: Path) -> None:
    far = [record_run(workspace, number, state=state) for number, state in enumerate(("completed", "interrupted"))]
    own = record_run(tmp_path / "own", 2)
    found = dlkit("runs", "--json", "--refresh")
    assert [run["run"] for run in found.json] == [f"box:{far[0].id}", f"box:{far[1].id}", own.id], found.err
    assert [run["remote"] for run in found.json] == ["box", "box", ""]
    assert [run["state"] for run in found.json] == ["completed", "interrupted", "completed"]
    assert [run["run"] for run in dlkit("runs", "remote:box", "state:interrupted", "--json").json] == [
        f"box:{far[1].id}"
    ]
    assert [run["run"] for run in dlkit("runs", "--local", "--json").json] == [own.id]
    far[0].path.rename(tmp_path / "gone")
    assert [run["run"] for run in dlkit("runs", "--json", "--refresh").json] == [f"box:{far[1].id}", own.id]


def test_a_run_is_looked_at_by_its_copy(dlkit, box: Remote, workspace: Path) -> None:
    run = toy_run(workspace, name="first", sample_every="10 steps")
    found = dlkit("show", "box:first", "--json")
    assert found.code == 0, found.err
    assert found.json["run"] == f"box:{run.id}" and found.json["state"] == "completed"
    copy = RunFolder(Path(found.json["path"]))
    for name in ("events.jsonl", "config.toml", "run.json"):
        assert (copy.path / name).read_bytes() == (run.path / name).read_bytes()
    assert not list(copy.samples.iterdir()), "samples are copied when somebody looks"
    shown = dlkit("show", "box:last", "--samples")
    assert shown.code == 0 and "dlkit.errors" not in shown.err
    assert list(copy.samples.iterdir())
    ref = samples(read_events(run.events))[-1]
    assert load_sample(copy, ref["file"]) is not None
    for name in ("../../../of", "samples/../../../of", "run.json", "checkpoints/x"):
        with pytest.raises(OSError):
            load_sample(copy, name)
    assert dlkit("show", "box:nonsense").code == 2
    refused = dlkit("predict", f"box:{run.id}", "1,2,3")
    assert refused.code == 2 and "not copied here" in refused.err


def test_a_running_job_is_steered(dlkit, box: Remote, workspace: Path) -> None:
    with live_run(workspace) as live:
        name = f"box:{live.run.id}"
        assert dlkit("set", name, "lr", "0.02", "--reason", 'it\'s too slow; "$(touch x)" `id`').code == 0
        paused = dlkit("pause", name, "--json")
        assert paused.json["obeyed"], paused.err
        assert state_now(live.run) == "paused"
        assert dlkit("unpause", name).code == 0
        assert dlkit("tag", name, "baseline", "--json").json["tags"] == ["baseline"]
        assert dlkit("note", name, "two words").code == 0
        late = dlkit("wait", name, "--timeout", "0.1")
        assert late.code == 1 and "not ended within" in late.err
        stopped = dlkit("stop", name, "--wait", "--json")
        assert stopped.json["state"] == "stopped", stopped.err
    assert dlkit("rename", name, "a name").code == 0
    commands = [event for event in read_events(live.run.events) if isinstance(event, Commanded)]
    assert [event.action for event in commands][:2] == ["set", "pause"]
    assert commands[0].reason == 'it\'s too slow; "$(touch x)" `id`'
    listed = dlkit("runs", "tag:baseline", "--refresh", "--json").json
    assert listed[0]["name"] == "a name" and listed[0]["note"] == "two words"
    again = dlkit("stop", name)
    assert again.code == 1 and f"dlkit resume {name}" in again.err, again.err


def test_a_run_is_started_there(dlkit, box: Remote, workspace: Path, quick, tmp_path: Path) -> None:
    given = tmp_path / "given.toml"
    given.write_text('task = "toy"\n[engine]\nepochs = 2\n')
    words = ("--launcher", quick["name"], "--config", str(given), "--name", "over there")
    found = dlkit("train", "toy", "--on", "box", *words, "--detach", "--json")
    assert found.code == 0, found.err
    assert found.json["event"] == "submitted" and found.json["run"].startswith("box:")
    run = found.json["run"]
    folder = RunFolder(workspace / "runs" / run[4:])
    assert dlkit("wait", run).code == 0, folder.output.read_text()
    assert summarise(folder).name == "over there"
    watched = dlkit("train", "toy", "--on", "box", *words)
    assert watched.code == 0 and "completed" in watched.out, watched.err
    wrong = dlkit("train", "toy", "--on", "box", "--engine.epochs", "many")
    assert wrong.code == 1 and "engine.epochs" in wrong.err
    assert dlkit("train", "toy", "--on", "nowhere").code == 2
    assert not (tmp_path / "own").exists(), "nothing is made here"


def test_a_live_curve_is_followed_over_a_dropped_connection(box: Remote, workspace: Path, reach: Sshd) -> None:
    with live_run(workspace) as live:
        keepers = Keepers()
        keepers.open({"box": box})
        (keeper,) = keepers
        keeper.LIST_PAUSE = 0.1
        copy = RunFolder(mirrors.place("box") / "runs" / live.run.id)
        keepers.watch(copy)
        until(lambda: copy.events.exists() and copy.events.stat().st_size)
        until(lambda: keeper.runs and keeper.runs[0].state == "running")
        for _ in range(2):
            reach.drop()  # the connection, and what is at its end
            size = live.run.events.stat().st_size
            until(lambda size=size: copy.events.stat().st_size > size)
        os.kill(live.process.pid, signal.SIGKILL)
        until(lambda: state_now(copy) == "interrupted")
        until(lambda: copy.events.read_bytes() == live.run.events.read_bytes())
        keepers.close()
        keeper.join(30)


def test_silence_is_said_and_loses_nothing(dlkit, box: Remote, workspace: Path, reach: Sshd) -> None:
    run = record_run(workspace, state="interrupted")
    assert dlkit("show", f"box:{run.id}").code == 0
    reach.stop()
    try:
        began = time.monotonic()
        found = dlkit("runs", "--json", "--refresh")
        assert [one["run"] for one in found.json] == [f"box:{run.id}"]
        assert "box: nobody answers there" in found.err and "as of" in found.err
        heard = mirrors.place("box") / "heard"
        os.utime(heard, (time.time() - 3600, time.time() - 3600))
        (listed,) = dlkit("runs", "--json").json  # not asked again so soon
        assert listed["state"].startswith("unknown, silent since ")
        shown = dlkit("show", f"box:{run.id}")
        assert shown.code == 0 and "silent since" in shown.err
        ordered = dlkit("stop", f"box:{run.id}")
        assert ordered.code == 1 and "nobody answers there" in ordered.err
        assert time.monotonic() - began < 60
    finally:
        reach.start()
    assert dlkit("runs", "--refresh", "--json").json[0]["state"] == "interrupted"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("host key", "its host key is unknown here"),
        ("key", "it lets nobody in without a password"),
        ("command", "no dlkit there"),
        ("old", "too old"),
        ("other", "what answers is no dlkit"),
        ("workspace", "there is no workspace"),
        ("protocol", "do not understand each other"),
    ],
)
def test_what_is_wrong_is_named(what, said, dlkit, box: Remote, reach: Sshd, tmp_path: Path, monkeypatch) -> None:
    script = tmp_path / "far"
    there = box
    if what == "host key":
        monkeypatch.setenv("DLKIT_SSH", f"{reach.ssh} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes")
    elif what == "key":
        monkeypatch.setenv("DLKIT_SSH", f"{reach.ssh} -o IdentityFile=/dev/null -o PubkeyAuthentication=no")
    elif what == "command":
        there = box._replace(command="/nowhere/dlkit")
    elif what == "workspace":
        there = box._replace(workspace=str(tmp_path / "nowhere"))
    else:
        text = {
            "old": "echo \"dlkit: no command 'remote': did you mean 'resume'?\" >&2; exit 2",
            "other": "echo welcome; cat >/dev/null",
            "protocol": "printf '\\000dlkit-remote\\000\\000\\000\\000\\037\\000\\000\\000\\000"
            '{"protocol":99,"dlkit":"77.0.0"}\'',
        }[what].replace("\\037", "\\040")
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
        there = box._replace(command=str(script))
    with Connection(there) as connection, pytest.raises(Unreachable, match=said):
        if what == "other":
            monkeypatch.setattr("dlkit.remote.connection.GREETING", 1.0)
        Mirror(there).refresh(connection)


def test_remotes_are_checked(dlkit, box: Remote, workspace: Path) -> None:
    record_run(workspace)
    (told,) = dlkit("remote", "check", "--json").json
    assert told["runs"] == 1 and not told["error"] and told["dlkit"]
    assert "box" in dlkit("remote", "list").out
    assert dlkit("remote", "remove", "box").code == 0
    assert not mirrors.place("box").exists() and not remotes()


def test_a_list_of_many_comes_in_parts(box: Remote, workspace: Path) -> None:
    workspace.joinpath("runs").mkdir()
    first = record_run(workspace)
    text = first.record.read_text()
    for number in range(2300):
        folder = workspace / "runs" / f"20260101-000000-toy-linear-{number:04x}x"
        folder.mkdir()
        (folder / "run.json").write_text(text)
    keeper = Mirror(box)
    with Connection(box) as connection:
        assert keeper.refresh(connection) and len(keeper.told) == 2301
        assert not keeper.refresh(connection)
        assert len(Mirror(box).runs()) == 2301

"""A run that its workspace has not made starts when somebody names it, and not with all that it asks for."""

from __future__ import annotations

import json
import os
import shutil
import stat
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dlkit.api import Run
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.config import Layer, resolve
from dlkit.errors import RunError, UsageError
from dlkit.jobs import scheduler as scheduling
from dlkit.jobs.detach import start_worker
from dlkit.jobs.job_record import Submission
from dlkit.jobs.queue import listing, reprioritise, wake
from dlkit.jobs.queue_state import QueueState
from dlkit.jobs.requests import Refused, Request
from dlkit.jobs.submit import submit
from dlkit.jobs.worker import NOT_STARTED
from dlkit.monitor import run_actions
from dlkit.monitor.runs import Runs
from dlkit.runs import own
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.own import key_of, make_key
from dlkit.runs.run_record import RunRecord
from dlkit.runs.workspace import KEY
from queues import Quick, enqueue, starts
from waiting import LONG
from workers import ENGINE, state


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler in this process ends as soon as it is idle."""
    monkeypatch.setattr(scheduling, "LINGER_SECONDS", 0.0)


def brought(run: RunFolder, workspace: Path) -> RunFolder:
    """The run, copied into a workspace."""
    (workspace / "runs").mkdir(parents=True, exist_ok=True)
    return RunFolder(Path(shutil.copytree(run.path, workspace / "runs" / run.id)))


@pytest.fixture
def stranger(workspace: Path, tmp_path: Path, quick: Quick) -> RunFolder:
    """A queued run that somebody else has made, in this workspace, before any of its own."""
    return brought(enqueue(tmp_path / "elsewhere", {"launcher": quick}, priority=100), workspace)


def tamper(run: RunFolder, **changes: Any) -> None:
    """Change run.json as anybody can with an editor."""
    run.record.write_text(json.dumps({**json.loads(run.record.read_text()), **changes}))


def serve_queue(workspace: Path) -> None:
    assert main(["queue", "run", "--workspace", str(workspace)]) == 0


def test_it_is_not_started_and_keeps_nobody_waiting(workspace: Path, stranger: RunFolder, quick: Quick) -> None:
    mine = enqueue(workspace, {"launcher": quick})
    serve_queue(workspace)
    assert (state(mine), state(stranger), starts(stranger)) == ("completed", "foreign", 0)
    assert not wake(workspace), "no scheduler is started for it"


def test_everybody_says_so(workspace: Path, stranger: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> Any:
        assert main([*words, "--json", "--workspace", str(workspace)]) == 0
        return json.loads(capsys.readouterr().out)

    (listed,) = told("runs")
    (job,) = told("queue", "list")["jobs"]
    shown = told("show", stranger.id)
    assert {listed["state"], job["state"], shown["state"]} == {"foreign"}
    assert f"dlkit resume {stranger.id} starts it" in job["why"] and "dlkit resume" in listed["reason"]
    assert main(["runs", "--workspace", str(workspace)]) == main(["queue", "list", "--workspace", str(workspace)]) == 0
    assert capsys.readouterr().out.count("foreign") == 2
    (summary,) = Runs(workspace).poll() or ()
    assert summary.state == "foreign"
    assert main(["wait", stranger.id, "--timeout", "0", "--workspace", str(workspace)]) == 1
    assert f"{stranger.id}: foreign: not put into the queue of this workspace" in capsys.readouterr().err
    with pytest.raises(Refused, match="foreign"):
        Request(stranger, "pause").send()
    assert not (workspace / KEY).exists(), "who reads makes no key"


@pytest.mark.parametrize("change", ["priority", "task", "config", "id", "mark", "job mark", "key", "key copied"])
def test_a_job_of_this_workspace_that_was_changed(workspace: Path, quick: Quick, change: str) -> None:
    run = enqueue(workspace, {"launcher": quick})
    record = run.read()
    job = dict(record["job"])
    match change:
        case "priority":
            tamper(run, job={**job, "priority": 1})
        case "task":
            tamper(run, components={**record["components"], "model": {"name": "faulty"}})
        case "config":
            run.config.write_text(run.config.read_text().replace("epochs = 1", "epochs = 2"))
        case "id":
            run = RunFolder(run.path.rename(run.path.with_name("another")))
        case "mark":
            tamper(run, mark="0" * 64)
        case "job mark":
            tamper(run, job={**job, "mark": None})
        case "key":
            (workspace / KEY).unlink()
            make_key(workspace)
        case "key copied":
            shutil.copy(workspace / KEY, workspace / "copy")
            (workspace / "copy").rename(workspace / KEY)
    serve_queue(workspace)
    assert (state(run), starts(run)) == ("foreign", 0)


def test_a_worker_of_a_queue_looks_itself(workspace: Path, stranger: RunFolder) -> None:
    """Between the scheduler's look and the worker's a folder may be exchanged."""
    assert start_worker(stranger, "--cpu-slots", "1").wait(LONG) == NOT_STARTED
    assert (state(stranger), starts(stranger)) == ("foreign", 0)


def test_a_workspace_that_came_as_a_whole(workspace: Path, tmp_path: Path, quick: Quick) -> None:
    """With a repository, say, its key in it."""
    enqueue(workspace, {"launcher": quick})
    copied = tmp_path / "copied"
    shutil.copytree(workspace, copied)
    assert key_of(workspace) and key_of(copied) is None
    (entry,) = listing(copied)
    assert entry.state == "foreign"
    mine = enqueue(copied, {"launcher": quick})  # the next run of its own makes a key of its own
    assert state(mine) == "queued" and key_of(copied) not in (None, key_of(workspace))
    moved = tmp_path / "moved"
    workspace.rename(moved)
    assert [entry.state for entry in listing(moved)] == ["queued"]
    moved.rename(workspace)


def test_a_job_queued_before_there_were_keys(workspace: Path, quick: Quick) -> None:
    """Whoever upgrades is told how to go on."""
    run = enqueue(workspace, {"launcher": quick})
    record = json.loads(run.record.read_text())
    del record["mark"], record["job"]["mark"]
    run.record.write_text(json.dumps(record))
    (workspace / KEY).unlink()
    (entry,) = listing(workspace)
    assert entry.state == "foreign" and f"dlkit resume {run.id}" in entry.why
    assert main(["resume", run.id, "--queue", "--quiet", "--launcher", "zygote", "--workspace", str(workspace)]) == 0
    serve_queue(workspace)
    assert state(run) == "completed"


def malicious(workspace: Path, quick: Quick, address: str, **more: Any) -> RunFolder:
    """A queued run of the toy plugin that posts to an address and starts by a launcher of its own."""
    catalog = Catalog.load_everything()
    layers = [Layer("test", {"launcher": quick, "job": {"notify": address}, "engine": {**ENGINE, "epochs": 1}, **more})]
    return submit(catalog, resolve(catalog, "toy", layers), workspace, Submission(True, 100))


class Listener:
    """An address that counts who has told it something."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                listener.heard.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/stolen"
        Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def listener() -> Any:
    found = Listener()
    yield found
    found.close()


def test_named_it_starts_without_its_orders(
    workspace: Path, tmp_path: Path, quick: Quick, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    made = malicious(tmp_path / "elsewhere", quick, listener.address)
    run = brought(made, workspace)
    config = run.config.read_text()
    assert main(["resume", run.id, "--workspace", str(workspace)]) == 0
    told = capsys.readouterr().err
    assert f"dropped: notify = '{listener.address}'; --notify {listener.address} would keep it" in told
    assert "dropped: launcher = 'zygote'" in told
    assert (state(run), listener.heard) == ("completed", [])
    assert listener.address not in run.config.read_text() and "local" in run.config.read_text() != config
    assert own.is_own(run.path, run.read()), "whoever started it stands by it"
    assert main(["resume", run.id, "--epochs", "2", "--workspace", str(workspace)]) == 0
    assert "dropped" not in capsys.readouterr().err


def test_what_is_said_again_holds(
    workspace: Path, tmp_path: Path, quick: Quick, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    run = brought(malicious(tmp_path / "elsewhere", quick, listener.address), workspace)
    again = ["--notify", listener.address, "--launcher", "zygote"]
    assert main(["resume", run.id, *again, "--queue", "--workspace", str(workspace)]) == 0
    assert "dropped" not in capsys.readouterr().err
    serve_queue(workspace)
    assert state(run) == "completed"
    (heard,) = listener.heard
    assert json.loads(heard)["run"] == run.id


def test_from_python(workspace: Path, tmp_path: Path, quick: Quick, listener: Listener) -> None:
    run = Run(brought(malicious(tmp_path / "elsewhere", quick, listener.address), workspace))
    with pytest.raises(UsageError, match="unknown 'notifi'"):
        run.resume(orders={"notifi": listener.address})
    with pytest.warns(UserWarning) as warned:
        run.resume(orders={"notify": listener.address})
    assert [str(warning.message) for warning in warned][1:] == [
        "dropped: launcher = 'zygote'; --launcher zygote would keep it"
    ]
    assert (run.state, len(listener.heard)) == ("completed", 1)


@pytest.mark.slow
def test_numbers_that_bring_a_machine_down(
    workspace: Path, tmp_path: Path, quick: Quick, capsys: pytest.CaptureFixture[str]
) -> None:
    many = 4 * (os.cpu_count() or 1) + 1
    layer = {"engine": {**ENGINE, "epochs": 1, "threads": min(many, 1024), "workers": min(many, 256)}}
    run = brought(malicious(tmp_path / "elsewhere", quick, "http://127.0.0.1:9/", **layer), workspace)
    said: list[str] = []
    text = run_actions.resume(Catalog.load_everything(), run, queued=True)  # as the interface does it
    said = text.splitlines()
    assert [line.split(" = ")[0].strip() for line in said[2:]] == [
        "dropped: notify",
        "dropped: launcher",
        "dropped: workers",
        "dropped: threads",
    ]
    job = run.read()["job"]
    assert (job["threads"], job["nproc"], job["notify"], job["launcher"]) == (0, 1, None, {"name": "local"})
    assert state(run) == "queued"


def test_a_run_that_has_ended_elsewhere_is_resumed_without_its_orders(
    workspace: Path, tmp_path: Path, quick: Quick, listener: Listener
) -> None:
    """It was trained where its orders were somebody's own."""
    elsewhere = tmp_path / "elsewhere"
    made = malicious(elsewhere, quick, listener.address)
    serve_queue(elsewhere)
    assert state(made) == "completed" and len(listener.heard) == 1
    run = brought(made, workspace)
    assert main(["resume", run.id, "--epochs", "2", "--quiet", "--workspace", str(workspace)]) == 0
    assert (state(run), summarise(run).step) == ("completed", 12) and len(listener.heard) == 1


def test_one_that_cannot_be_started_is_not_put_into_the_queue(workspace: Path, stranger: RunFolder) -> None:
    """It fails, once: it is the workspace's own by then, and would be started again and again."""
    tamper(stranger, components={**stranger.read()["components"], "model": {"name": "gone", "plugin": "gone"}})
    assert main(["resume", stranger.id, "--queue", "--quiet", "--workspace", str(workspace)]) == 4
    assert state(stranger) == "foreign"


def test_priority_and_cancelling(workspace: Path, stranger: RunFolder, quick: Quick) -> None:
    mine = enqueue(workspace, {"launcher": quick})
    assert reprioritise(mine, 3) == 3 and state(mine) == "queued"
    with pytest.raises(RunError, match="foreign"):
        reprioritise(stranger, 3)
    assert main(["queue", "cancel", stranger.id, mine.id, "--workspace", str(workspace)]) == 0
    assert state(stranger) == state(mine) == "stopped"


@pytest.mark.parametrize(
    ("umask", "folder", "expected"),
    [(0o022, 0o755, 0o600), (0o002, 0o775, 0o640), (0, 0o777, 0o644), (0o077, 0o700, 0o600)],
)
def test_the_key_may_be_read_by_who_may_put_runs_there(tmp_path: Path, umask: int, folder: int, expected: int) -> None:
    before = os.umask(umask)
    try:
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        key = make_key(workspace)
    finally:
        os.umask(before)
    assert stat.S_IMODE(workspace.stat().st_mode) == folder
    assert stat.S_IMODE((workspace / KEY).stat().st_mode) == expected
    assert make_key(workspace) == key == key_of(workspace)
    assert [path.name for path in workspace.iterdir()] == [KEY]


@pytest.mark.parametrize("text", [b"", b"\xff" * 80, b"0" * 64, b"zz 12", b"0" * 4096])
def test_a_damaged_key_is_none_and_is_replaced(tmp_path: Path, text: bytes) -> None:
    (tmp_path / KEY).write_bytes(text)
    assert key_of(tmp_path) is None
    assert make_key(tmp_path) == key_of(tmp_path)


def test_a_key_is_never_a_link_or_a_pipe(tmp_path: Path) -> None:
    make_key(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    (other / KEY).symlink_to(tmp_path / KEY)
    assert key_of(other) is None
    for make in (lambda path: os.mkfifo(path), lambda path: path.symlink_to(tmp_path / "nowhere")):
        (other / KEY).unlink()
        make(other / KEY)
        assert key_of(other) is None
    assert make_key(other) == key_of(other) and not (tmp_path / "nowhere").exists()


def test_marks_are_looked_at_once(workspace: Path, quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler looks at its jobs twice a second."""
    enqueue(workspace, {"launcher": quick})
    looks: list[str] = []
    whole = own.is_own_job

    def looked(run: Path, record: RunRecord) -> bool | None:
        looks.append(run.name)
        return whole(run, record)

    monkeypatch.setattr(own, "is_own_job", looked)
    queue = QueueState(workspace)
    for _ in range(3):
        queue.refresh()
        assert [job.id for job in queue.queued()] == looks[:1] and queue.live() == looks[:1]
    assert len(looks) == 1

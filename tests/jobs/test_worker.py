"""A worker and the process that it has train: how a job begins, is stopped, and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import workers
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.errors import STOPPED, PluginError, RunError, UsageError
from dlkit.events import Finished, Started
from dlkit.jobs.detach import start_worker
from dlkit.jobs.job_record import Submission
from dlkit.jobs.submit import resubmit
from dlkit.jobs.worker import NOT_STARTED
from dlkit.runs import commands
from dlkit.runs.checkpoints import choose, complete
from dlkit.runs.folder import RunFolder, summarise
from dlkit.runs.lock import holder
from workers import ENDLESS, begun, events_of, make_job, state, until, until_step, work

Quick = dict[str, str]


def troubled(**how: Any) -> dict[str, Any]:
    return {"loss": {"name": "troubled", "wait": 0.005, **how}}


def test_a_job_completes_with_the_default_launcher(workspace: Path, plugins: None) -> None:
    run = make_job(workspace, {})
    before = time.time()
    assert work(run) == 0
    record = run.read()
    assert (record["state"], record["reason"], record["devices"]) == ("completed", "", ["cpu"])
    assert record["pid"] != record["worker"]
    assert record["versions"]["dlkit"] and record["fingerprint"] and record["created"] <= before
    assert record["result"]["step"] == record["total_steps"] == events_of(run, Finished)[0].steps
    assert record["job"]["nproc"] == 1 and record["job"]["queued"] is False
    assert run.output.read_text() == ""
    assert choose(run.path, "last").step == record["total_steps"]
    assert holder(run.lock) is None


def test_what_a_component_prints_is_in_output_log(workspace: Path, quick: Quick) -> None:
    run = make_job(workspace, {"launcher": quick, **troubled(says="a word of the loss")})
    assert work(run) == 0
    assert "a word of the loss" in run.output.read_text()


def test_a_failing_job_tells_why(workspace: Path, quick: Quick, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_job(workspace, {"launcher": quick, **troubled(raise_at=4)})
    assert work(run) == 1
    end = events_of(run, Finished)[0]
    assert (end.status, end.steps) == ("failed", 3)
    assert end.reason == run.read()["reason"]
    assert end.reason.startswith("ArithmeticError: call 4; ")
    main(["show", run.id, "--workspace", str(workspace)])
    shown = capsys.readouterr().out
    assert "Traceback (most recent call last)" in shown
    assert "ArithmeticError: call 4" in shown


def test_a_job_whose_component_cannot_be_built_blames_it(workspace: Path, quick: Quick) -> None:
    run = make_job(workspace, {"launcher": quick, "model": {"name": "unruly", "way": "raises"}})
    assert work(run) == PluginError.exit_code
    (end,) = events_of(run, Finished)
    assert run.read()["reason"] == end.reason == "model 'unruly': ZeroDivisionError: no model"
    assert "in build_model" in end.traceback


def test_missing_data(workspace: Path, quick: Quick, tmp_path: Path) -> None:
    dataset = {"name": "files", "path": str(tmp_path / "none.csv")}
    run = make_job(workspace, {"task": "regression", "dataset": dataset, "launcher": quick})
    assert work(run) == 3
    assert state(run) == "failed"
    assert "none.csv" in run.read()["reason"]
    assert [type(event) for event in workers.all_events(run)] == [Finished]


def test_an_option_that_the_trainer_does_not_support(workspace: Path, quick: Quick) -> None:
    run = make_job(workspace, {"launcher": quick, "trainer": {"name": "modest"}, "job": {"on_oom": "halve"}})
    assert work(run) == 2
    assert state(run) == "failed"
    assert "job.on_oom = 'halve': trainer 'modest' does not support it" in run.read()["reason"]


def test_two_workers_start_a_job_once(workspace: Path, quick: Quick) -> None:
    run = make_job(workspace, {"launcher": quick, **troubled()})
    both = [start_worker(run), start_worker(run)]
    assert sorted(worker.wait(workers.PATIENCE) for worker in both) == [0, NOT_STARTED]
    assert len([event for event in workers.all_events(run) if isinstance(event, Started)]) == 1
    assert state(run) == "completed"


def test_a_worker_leaves_an_ended_run_alone(workspace: Path, quick: Quick) -> None:
    run = make_job(workspace, {"launcher": quick})
    assert work(run) == 0
    before = contents(run)
    assert work(run) == NOT_STARTED
    assert contents(run) == before


def contents(run: RunFolder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_sigterm_stops_with_a_checkpoint(workspace: Path, quick: Quick) -> None:
    run, worker = begun(workspace, {"launcher": quick, **troubled()}, **ENDLESS)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(workers.PATIENCE) == STOPPED
    end = events_of(run, Finished)[-1]
    assert (end.status, end.reason) == ("stopped", "stopped by SIGTERM")
    assert choose(run.path, "last").step == end.steps == run.read()["result"]["step"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_before_the_worker_can_answer_is_answered(
    workspace: Path, quick: Quick, number: signal.Signals
) -> None:
    """Its first instructions import what it would answer with."""
    run = make_job(workspace, {"launcher": quick}, **ENDLESS)
    worker = start_worker(run)
    worker.send_signal(number)
    assert worker.wait(workers.PATIENCE) == STOPPED
    assert (state(run), events_of(run, Finished)[-1].status) == ("stopped", "stopped")
    assert run.read()["reason"].endswith(f"({number.name}), before it began to train")


def test_a_second_sigterm_ends_at_once(workspace: Path, quick: Quick) -> None:
    run = make_job(workspace, {"launcher": quick, **troubled(wait=600)}, **ENDLESS)
    worker = start_worker(run)
    until(lambda: events_of(run, Started))
    process = workers.trainer_of(run)
    worker.send_signal(signal.SIGTERM)
    until(lambda: commands.read(run.commands)[0], "the first one is passed on")
    assert worker.poll() is None
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(workers.PATIENCE) == STOPPED
    assert run.read()["reason"] == events_of(run, Finished)[-1].reason == "terminated (SIGTERM), at once"
    until(lambda: not workers.alive(process))


@pytest.mark.parametrize("how", ["SIGTERM", "stop"])
def test_a_job_is_stopped_while_it_is_built(workspace: Path, quick: Quick, how: str) -> None:
    run = make_job(workspace, {"launcher": quick, **troubled(build_wait=600, says="building")})
    worker = start_worker(run)
    until(lambda: "building" in run.output.read_text())
    if how == "stop":
        commands.append(run.commands, "stop", by="somebody")
    else:
        worker.send_signal(signal.SIGTERM)
    assert worker.wait(workers.PATIENCE) == STOPPED
    reason = "stopped by somebody" if how == "stop" else "terminated (SIGTERM)"
    assert (state(run), run.read()["reason"]) == ("stopped", f"{reason}, before it began to train")
    assert [type(event) for event in workers.all_events(run)] == [Finished]


def test_a_stop_that_an_earlier_attempt_was_asked_for_is_not_obeyed_again(workspace: Path, quick: Quick) -> None:
    run, worker = begun(workspace, {"launcher": quick, **troubled()}, epochs=20)
    commands.append(run.commands, "stop", by="somebody")
    assert worker.wait(workers.PATIENCE) == STOPPED
    assert workers.go_on(run) == 0
    assert state(run) == "completed"


def test_a_stop_that_comes_while_the_job_is_started(workspace: Path, quick: Quick) -> None:
    """From the moment on when it was handed over it is this job that is meant."""
    run = make_job(workspace, {"launcher": quick}, **ENDLESS)
    commands.append(run.commands, "stop", by="somebody")
    assert work(run) == STOPPED
    resubmit(Catalog.load_everything(), run, Submission(queued=False))
    commands.append(run.commands, "stop", by="somebody")
    assert work(run) == STOPPED
    assert workers.go_on(run, overrides={"epochs": 2}, allow_inexact=True) == 0


def test_a_foreground_worker_stops_when_its_parent_ends(workspace: Path, quick: Quick) -> None:
    run = make_job(workspace, {"launcher": quick, **troubled()}, **ENDLESS)
    script = (
        "import sys; from pathlib import Path; from dlkit.jobs.detach import start_worker; "
        "from dlkit.runs.folder import RunFolder; "
        "start_worker(RunFolder(Path(sys.argv[1])), in_foreground=True).wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(run.path)])
    until_step(run, 5)
    parent.kill()
    parent.wait()
    until(lambda: state(run) == "stopped" and holder(run.lock) is None)
    assert run.read()["reason"] == "stopped by SIGTERM"
    assert choose(run.path, "last").step == run.read()["result"]["step"]


@pytest.mark.parametrize("words", [("--max-restarts", "1"), ("--on-oom", "halve")])
def test_ctrl_c_stops_a_job_that_is_looked_on(workspace: Path, quick: Quick, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "dlkit", "train", "toy", *words, "--launcher", "zygote", "--loss", "troubled"]
    command += ["--loss.wait", "0.005", "--epochs", "100000", "--device", "cpu", "--workspace", str(workspace)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: process.poll() is not None or list((workspace / "runs").glob("[!.]*")))
        (folder,) = (workspace / "runs").glob("[!.]*")
        run = RunFolder(folder)
        until_step(run, 5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=workers.PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == STOPPED, err
    assert (state(run), run.read()["reason"]) == ("stopped", "stopped by SIGINT")
    assert "stopping after this step" in err
    assert run.id in out and "stopped" in out


def test_two_resubmits_at_once(workspace: Path, quick: Quick) -> None:
    run, worker = begun(workspace, {"launcher": quick, **troubled()}, **ENDLESS)
    worker.send_signal(signal.SIGTERM)
    worker.wait(workers.PATIENCE)
    script = (
        "import sys; from pathlib import Path; from dlkit.catalog import Catalog; from dlkit.errors import RunError; "
        "from dlkit.jobs.submit import resubmit; from dlkit.jobs.job_record import Submission; "
        "from dlkit.runs.folder import RunFolder; catalog = Catalog.load_everything(); "
        "print('ready', flush=True); sys.stdin.readline()\n"
        "try:\n    resubmit(catalog, RunFolder(Path(sys.argv[1])), Submission(queued=False)); print('won')\n"
        "except RunError as error:\n    print(f'RunError: {error}')"
    )
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen([sys.executable, "-c", script, str(run.path)], **pipes) for _ in range(2)]
    for process in both:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = sorted(process.communicate(timeout=workers.PATIENCE)[0].strip() for process in both)
    assert said[1] == "won"
    assert said[0].startswith(f"RunError: {run.id} is ")
    assert state(run) == "queued"
    with pytest.raises(RunError, match="queued already"):
        resubmit(workers.Catalog.load_everything(), run, Submission(queued=False))


class TestAResumeThatComesToNothing:
    """It leaves the run as good as it was."""

    def test_nothing_left_to_do(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, {"launcher": quick})
        assert work(run) == 0
        before = contents(run)
        with pytest.raises(UsageError, match="complete: give --epochs or --steps"):
            resubmit(workers.Catalog.load_everything(), run, Submission(queued=False))
        assert contents(run) == before

    def test_no_more_epochs_than_it_has(self, workspace: Path, quick: Quick) -> None:
        run = make_job(workspace, {"launcher": quick})
        assert work(run) == 0
        before, log = said(run), run.events.read_bytes()
        assert workers.go_on(run, overrides={"epochs": 4}) == 2
        assert (said(run), run.events.read_bytes()) == (before, log)

    def test_a_plugin_is_gone(self, workspace: Path, quick: Quick, monkeypatch: pytest.MonkeyPatch) -> None:
        run = make_job(workspace, {"launcher": quick, **troubled(raise_at=4)})
        assert work(run) == 1
        before = contents(run)
        monkeypatch.setenv("DLKIT_DISABLE", "extras")
        with pytest.raises(PluginError, match="'troubled' of plugin 'extras'"):
            resubmit(workers.Catalog.load_everything(), run, Submission(queued=False))
        assert contents(run) == before

    @pytest.mark.parametrize("plugin", ["extras", "toy"])  # the launcher's; the task's
    def test_a_plugin_goes_before_the_worker_comes(
        self, workspace: Path, quick: Quick, monkeypatch: pytest.MonkeyPatch, plugin: str
    ) -> None:
        run = make_job(workspace, {"launcher": quick, **troubled(raise_at=20)})
        assert work(run) == 1
        before, log = said(run), run.events.read_bytes()
        resubmit(workers.Catalog.load_everything(), run, Submission(queued=False))
        with monkeypatch.context() as patch:
            patch.setenv("DLKIT_DISABLE", plugin)
            assert work(run) in (2, 4)
        assert (said(run), run.events.read_bytes()) == (before, log)
        assert [c.problems() for c in complete(run.path)] == [[] for _ in complete(run.path)]

    def test_other_data(self, workspace: Path, quick: Quick) -> None:
        run, worker = begun(workspace, {"launcher": quick, **troubled()}, epochs=30)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(workers.PATIENCE) == STOPPED
        run.update(fingerprint="another")
        before = said(run)
        assert workers.go_on(run) == 2
        assert said(run) == before
        assert "give --allow-inexact" in run.output.read_text().lower()
        assert workers.go_on(run, allow_inexact=True) == 0


def said(run: RunFolder) -> dict[str, Any]:
    """What a reader takes from run.json."""
    found = summarise(run).to_dict()
    del found["size"]  # output.log says why it came to nothing
    return {**found, "config": run.config.read_text()}


def test_nothing_is_left_behind(workspace: Path, quick: Quick, devices: Path) -> None:
    run = make_job(workspace, {"launcher": quick, **troubled(raise_at=4)})
    work(run)
    hidden = {path.name for path in run.path.iterdir() if path.name.startswith(".")}
    assert hidden <= {".report-0.json"}, "what the process said of its failure"
    assert not [path for path in devices.rglob("*") if path.is_file() and holder(path) is not None]
    assert os.getpid() != run.read()["worker"]

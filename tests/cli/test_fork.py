"""``dlkit fork``: what is said before anything starts, and what comes of it, on the command line and from Python."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

import dlkit as kit
from dlkit.catalog import Catalog
from dlkit.config import config_class, fields_of
from dlkit.errors import UsageError
from dlkit.jobs.forkable import fit_of
from dlkit.monitor.family import family
from dlkit.runs.checkpoints import complete
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder, Summary, summarise
from outcome import outcome
from recorded import record_run
from schemas import check
from toy import toy_catalog, toy_run


@pytest.fixture
def parent(tmp_path):
    return toy_run(tmp_path, keep=50, checkpoint_every=0.001)


def first_step(run):
    return complete(run.path)[0].step


def test_a_dry_run_says_what_would_be_and_makes_nothing(dlkit, tmp_path, parent):
    words = [f"{parent.id}@{first_step(parent)}", "--lr", "0.2", "--batch-size", "8", "--workspace", tmp_path]
    refused = dlkit("fork", *words, "--dry-run")
    assert refused.code == 2 and "engine.batch_size: the same step is another place in the data" in refused.err
    told = dlkit("fork", *words, "--dry-run", "--allow-inexact")
    assert told.code == 0 and "trainer.lr 0.05 → 0.2\n" in told.out
    assert "engine.batch_size 16 → 8 (inexact: the same step is another place in the data)" in told.out
    found = dlkit("fork", *words, "--dry-run", "--allow-inexact", "--json").json
    check("fork-plan", found)
    assert [change["fit"] for change in found["changes"]] == ["inexact", "exact"] and not found["exact"]
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_help_names_every_option_by_how_it_fits(dlkit, tmp_path, parent):
    told = dlkit("fork", parent.id, "--help", "--workspace", tmp_path)
    exact, inexact, never = (
        told.out.partition(word)[2] for word in ("goes on as it is", "--allow-inexact: not", "cannot be")
    )
    assert "trainer.lr" in exact.split("may be changed")[0]
    assert "dataset.points" in inexact.split("cannot be")[0] and "model.bias" in never
    assert dlkit("fork", "--help").out.startswith("usage: dlkit fork RUN[@STEP")


def test_it_is_seen_in_lists_and_shown_with_its_family(dlkit, tmp_path, parent):
    step = first_step(parent)
    done = dlkit("fork", f"{parent.id}@{step}", "--name", "twin", "--workspace", tmp_path, "--quiet")
    twin = find_run(tmp_path, "twin")
    assert done.code == 0 and outcome(twin) == outcome(parent)
    assert (
        dlkit("runs", f"parent:{parent.id}", "--json", "--workspace", tmp_path).json[0]["parent"]
        == f"{parent.id}@{step}"
    )
    assert f"twin ⑂ {parent.id.rpartition('-')[2]}@{step}" in dlkit("runs", "--workspace", tmp_path).out
    for run, own in ((parent, parent.id), (twin, twin.id)):
        shown = dlkit("show", run.id, "--workspace", tmp_path).out
        lines = shown[shown.index("family\n") :].splitlines()[1:3]
        assert lines[0].startswith(f"  {parent.id}: completed") and lines[1].startswith(
            f"    ⑂ @{step} {twin.id} 'twin'"
        )
        assert [own in line for line in lines] == ["← this run" in line for line in lines]
    assert (
        f"forked  from {parent.id} at step {step}; nothing changed"
        in dlkit("show", "twin", "--workspace", tmp_path).out
    )
    dlkit("remove", parent.id, "--yes", "--workspace", tmp_path)
    assert f"  {parent.id}: gone" in dlkit("show", "twin", "--workspace", tmp_path).out


def test_a_family_of_several_generations(tmp_path):
    runs = [Summary("b", parent="a@4"), Summary("c", parent="b@9"), Summary("d", parent="b@6"), Summary("x")]
    record = {"forked_from": {"id": "a", "step": 4, "before": [{"id": "root", "step": 2}]}}
    found = [(m.id, m.depth, m.step) for m in family("b", record, runs)]
    assert found == [("root", 0, None), ("a", 1, 2), ("b", 2, 4), ("d", 3, 6), ("c", 3, 9)]
    assert family("x", {}, runs) == []
    joke = [Summary("p", parent="q@1"), Summary("q", parent="p@1")]
    assert [m.id for m in family("p", {}, joke)] == ["p", "q"]
    assert summarise(record_run(tmp_path, 0)).parent == ""


def test_from_python(tmp_path, parent, monkeypatch):
    monkeypatch.setattr(Catalog, "load_everything", lambda workspace: toy_catalog())
    step = first_step(parent)
    twin = kit.fork(parent.id, step, workspace=tmp_path)
    assert outcome(twin.folder) == outcome(parent)
    other = kit.open_run(parent.path).fork(step, lr=0.2, name="hot")
    assert (other.name, other.config["trainer"]["lr"], other.summary.parent) == ("hot", 0.2, f"{parent.id}@{step}")
    with pytest.raises(UsageError, match="no preset"):
        other.fork(preset="fast")
    with pytest.raises(UsageError, match=r"model\.bias: the weights fit this model alone"):
        other.fork(step, model={"bias": False})


def test_a_foreign_run_loses_what_could_do_harm(dlkit, tmp_path, parent):
    parent.update(mark="0" * 64)
    config = parent.config.read_text()
    parent.config.write_text(config.replace("[job]", '[job]\nnotify = "http://localhost:1/"'))
    told = dlkit("fork", f"{parent.id}@{first_step(parent)}", "--workspace", tmp_path)
    assert told.code == 0 and "dropped: notify = 'http://localhost:1/'" in told.err
    assert "notify" not in find_run(tmp_path, "last").config.read_text()


@pytest.mark.parametrize("fault", ["fork.copied:1", "fork.copied:3", "fork.filled:1"])
def test_killed_while_it_is_made_it_is_not_there(fault, tmp_path, parent):
    code = (
        "import sys; from pathlib import Path; from toy import toy_fork; from dlkit.runs.folder import RunFolder; "
        f"toy_fork(RunFolder(Path({str(parent.path)!r})), {str(first_step(parent))!r})"
    )
    environment = {**os.environ, "DLKIT_FAULT": fault, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [run["run"] for run in json.loads(listed(tmp_path))] == [parent.id]


def listed(workspace):
    command = [sys.executable, "-m", "dlkit", "runs", "--json", "--workspace", workspace]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_left_to_a_worker_it_ends_as_one_that_stays(dlkit, tmp_path, parent):
    from dlkit.jobs.forking import make_fork, plan
    from dlkit.jobs.handover import detached
    from dlkit.jobs.launch import next_attempt

    catalog = toy_catalog()
    planned = plan(catalog, complete(parent.path)[0], lambda task, names: None)
    run = make_fork(catalog, planned, tmp_path, detached(), name="handed over")
    assert run.read()["state"] == "queued" and "resume" in run.read()["job"]
    for _ in next_attempt(catalog, run, print).events():
        pass
    assert outcome(run) == outcome(parent) and RunFolder(run.path).read()["state"] == "completed"


def test_another_rule_of_whichever_trainer_begins_without_what_it_remembers():
    """L-BFGS's pairs are nothing to Adam: each trainer that offers several rules has to say so."""
    catalog, looked = Catalog.load_everything(), 0
    for spec in catalog.specs("trainer"):
        fields = {field.name: field for field in fields_of(config_class(catalog, spec))}
        if "optimizer" in fields:
            looked += 1
            assert fit_of("trainer", fields["optimizer"]) == "inexact", spec.name
    assert looked >= 3

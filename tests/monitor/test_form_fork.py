"""The form that forks: it says how every option fits before anything starts, and does what its command line does."""

from __future__ import annotations

import shlex
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.cli.flags import split_words
from dlkit.cli.fork import SWITCHES, TAKEN, _chosen, _layer
from dlkit.errors import UsageError
from dlkit.jobs.forking import plan
from dlkit.monitor.again import form_of_fork
from dlkit.monitor.form import CHECKPOINT, INEXACT, NAME, Checked, Form
from dlkit.monitor.form_check import check
from dlkit.monitor.form_fork import plan_of_fork
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder
from kept_runs import KEPT
from toy import toy_catalog, toy_run

INSTALLED = Catalog.load_everything()
NAMES = sorted(path.name.partition(".")[0] for path in KEPT.glob("*.tar.xz"))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return toy_run(tmp_path, layer={"trainer": {"lr": 0.02}}, keep=50, checkpoint_every=0.001, max_time=100)


def looked(form: Form, workspace: Path, catalog: Catalog | None = None) -> Checked:
    return check(form, catalog or toy_catalog(), workspace)


def problems(checked: Checked) -> dict[str, str]:
    return {field.key: field.problem for field in checked.fields() if field.problem}


def same_by_line(checked: Checked, workspace: Path, catalog: Catalog) -> None:
    """The command line that is shown means the fork that is started."""
    tool, command, *rest = shlex.split(checked.command(workspace))
    assert (tool, command) == ("dlkit", "fork")
    words = split_words(rest, switches=SWITCHES, values=TAKEN)
    assert "detach" in words.switches
    by_line = plan(
        catalog, _chosen(words.positional, workspace), lambda task, names: _layer(catalog, task, names, words),
        allow_inexact="allow-inexact" in words.switches,
    )  # fmt: skip
    by_form = plan_of_fork(catalog, checked)
    assert by_line.resolved.values() == by_form.resolved.values() and by_line.chosen == by_form.chosen
    assert by_line.changes == by_form.changes == list(checked.changes)


def test_nothing_changed_is_the_parent(run: RunFolder, tmp_path: Path) -> None:
    form = form_of_fork(toy_catalog(), run)
    earlier = complete(run.path)[-2].step
    checked = looked(form.set(CHECKPOINT, str(earlier)), tmp_path)
    assert (checked.problems, checked.changes, checked.ready) == (0, (), "fork: nothing changed")
    assert f"fork {run.id}@{earlier} --detach" in checked.command(tmp_path)
    same_by_line(checked, tmp_path, toy_catalog())
    done = looked(form, tmp_path)  # the last checkpoint: nothing is left to do
    assert "is at its end" in done.general[0] and done.resolved is None


def test_what_fits_is_said_before_and_what_does_not_is_refused_at_its_field(run: RunFolder, tmp_path: Path) -> None:
    form = form_of_fork(toy_catalog(), run).set("engine.epochs", "9")
    said = {field.key: field.description for field in looked(form, tmp_path).fields()}
    assert said["trainer.lr"].startswith("Exact. ")
    assert said["engine.batch_size"].startswith("Needs “allow inexact”: the same step is another place in the data. ")
    assert said["model.bias"].startswith("Cannot be changed: the weights fit this model alone")
    changed = form.set("engine.batch_size", "8").set("trainer.lr", "0.3").set("model.bias", "false")
    found = problems(looked(changed, tmp_path))
    assert (
        found.keys() == {"engine.batch_size", "model.bias"} and "“allow inexact” goes on" in found["engine.batch_size"]
    )
    allowed = looked(changed.set(INEXACT, "true").reset("model.bias"), tmp_path)
    assert (allowed.problems, allowed.ready) == (0, "fork: 3 changed, inexact")
    same_by_line(allowed, tmp_path, toy_catalog())
    assert "--allow-inexact" in allowed.command(tmp_path) and "--lr 0.3" in allowed.command(tmp_path)


def test_components_options_that_are_left_open_and_a_name(run: RunFolder, tmp_path: Path) -> None:
    form = form_of_fork(toy_catalog(), run).set("engine.epochs", "9")
    other = looked(form.choose("model", "faulty"), tmp_path)
    assert other.resolved is None and "model.name: cannot be changed at a fork" in "".join(other.general)
    more = toy_catalog("extras")
    other_loss = form.choose("loss", "troubled").set("loss.wait", "0.5").set(INEXACT, "true").set(NAME, "it")
    loss = looked(other_loss, tmp_path, more)
    assert loss.problems == 0 and "--loss troubled" in loss.command(tmp_path) and "--name it" in loss.command(tmp_path)
    same_by_line(loss, tmp_path, more)
    unset = looked(form.reset("engine.max_time"), tmp_path)
    assert [change.key for change in unset.changes] == ["engine.epochs", "engine.max_time"]
    same_by_line(unset, tmp_path, toy_catalog())
    assert plan_of_fork(toy_catalog(), unset).resolved.engine.max_time is None
    steps = looked(replace(form, settings={**form.settings, "engine.epochs": "", "engine.steps": "99"}), tmp_path)
    assert {change.key for change in steps.changes} == {"engine.epochs", "engine.steps"}
    same_by_line(steps, tmp_path, toy_catalog())
    several = looked(form.set("trainer.lr", "0.1, 0.2"), tmp_path)
    assert several.resolved is None and several.plan is None and "a fork is one" in several.general[0]


def test_a_run_without_a_checkpoint_cannot_be_forked(run: RunFolder, tmp_path: Path) -> None:
    for checkpoint in complete(run.path):
        (checkpoint.folder / "manifest.json").unlink()
    with pytest.raises(UsageError, match="has no checkpoint yet"):
        form_of_fork(toy_catalog(), run)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_every_task_is_forked_by_form_and_by_line(name: str, tmp_path: Path) -> None:
    with tarfile.open(KEPT / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path / "runs", filter="data")
    run = RunFolder(next((tmp_path / "runs").iterdir()))
    form = form_of_fork(INSTALLED, run).set("engine.epochs", "").set("engine.steps", "12345")
    checked = check(form, INSTALLED, tmp_path)
    assert (checked.general, problems(checked)) == ((), {})
    assert {change.key for change in checked.changes} <= {"engine.epochs", "engine.steps"}
    same_by_line(checked, tmp_path, INSTALLED)

"""A run once more: the form filled from it, and the line that trains it again, mean the very same configuration."""

from __future__ import annotations

import shlex
import tarfile
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.cli.flags import layers_of, split_words
from dlkit.cli.study_start import _plan
from dlkit.cli.study_words import take
from dlkit.config import resolve
from dlkit.errors import DlkitError
from dlkit.monitor.again import form_again, train_line
from dlkit.monitor.form import AFTER, Form
from dlkit.monitor.form_check import check
from dlkit.monitor.form_study import MOST, begin
from dlkit.runs.folder import RunFolder
from dlkit.runs.stored import readable, stored_config
from dlkit.studies.folder import list_studies
from kept_runs import KEPT

INSTALLED = Catalog.load_everything()
NAMES = sorted(path.name.partition(".")[0] for path in KEPT.glob("*.tar.xz"))


def kept(workspace: Path, name: str) -> RunFolder:
    with tarfile.open(KEPT / f"{name}.tar.xz") as archive:
        archive.extractall(workspace / "runs", filter="data")
    return RunFolder(next((workspace / "runs").iterdir()))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_every_task_is_made_again_by_form_and_by_line(name: str, tmp_path: Path) -> None:
    run = kept(tmp_path, name)
    stored = stored_config(INSTALLED, run, readable(run))
    form = form_again(INSTALLED, run)
    checked = check(form, INSTALLED, tmp_path)
    assert (checked.general, checked.dropped, checked.problems) == ((), (), 0)
    assert checked.resolved is not None and checked.resolved.values() == stored.values()

    tool, command, task, *words = shlex.split(train_line(INSTALLED, run, "dlkit"))
    assert (tool, command, task) == ("dlkit", "train", stored.task.name)
    assert "--detach" not in words and "--name" not in words
    split = split_words(words)
    again = resolve(INSTALLED, task, layers_of(INSTALLED, task, split))
    assert again.values() == stored.values()


def test_only_what_differs_is_said(tmp_path: Path) -> None:
    """A line that names everything would say nothing of what this run is about."""
    run = kept(tmp_path, "regression-scratch")
    form = form_again(INSTALLED, run)
    plain = check(Form(form.task, names=form.names), INSTALLED, tmp_path)
    defaults = {field.key: field.default for field in plain.fields()}
    assert all(defaults.get(key) != text for key, text in form.settings.items())
    for part in form.names:
        without = check(Form(form.task, names={p: n for p, n in form.names.items() if p != part}), INSTALLED, tmp_path)
        assert next(p.chosen for p in without.parts if p.name == part) != form.names[part]


def test_what_is_no_run_is_refused_in_words(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "runs" / "x")
    run.path.mkdir(parents=True)
    with pytest.raises(DlkitError):
        form_again(INSTALLED, run)


# Lists of numbers


def test_a_list_of_numbers_is_a_run_of_each(tmp_path: Path) -> None:
    form = Form("regression", settings={"trainer.lr": "0.003, 0.01,0.03", "engine.seed": "1, 2", "engine.epochs": "2"})
    checked = check(form, INSTALLED, tmp_path)
    assert checked.problems == 0 and checked.plan is not None
    assert checked.runs == 6
    assert [dict(setting)["trainer.lr"] for setting in checked.plan.settings] == [0.003, 0.01, 0.03]
    assert list(checked.plan.seeds) == [1, 2]

    tool, command, *words = shlex.split(checked.command(tmp_path))
    assert (tool, command) == ("dlkit", "study") and "--detach" in words
    own = take(words)
    found = _plan(INSTALLED, own, split_words(own.rest), tmp_path)
    assert found.settings == checked.plan.settings and list(found.seeds) == [1, 2]
    assert found.resolved(0).values() == checked.plan.resolved(0).values()


def test_a_list_that_cannot_be_is_refused_at_its_field(tmp_path: Path) -> None:
    for text, why in (("0.1, -3", "-3"), ("0.1, x", "x"), (", ".join(map(str, range(1, MOST + 2))), "more than")):
        checked = check(Form("regression", settings={"trainer.lr": text}), INSTALLED, tmp_path)
        problems = {field.key: field.problem for field in checked.fields() if field.problem}
        assert why in problems["trainer.lr"], (text, problems, checked.general)
        assert checked.plan is None and checked.resolved is None
    after = check(Form("regression", settings={"trainer.lr": "1,2", AFTER: "last"}), INSTALLED, tmp_path)
    assert any("several" in field.problem for field in after.fields())


def test_one_number_and_options_that_are_lists_are_no_study(tmp_path: Path) -> None:
    for settings in ({"trainer.lr": "0.1,"}, {"trainer.lr": "0.1, 0.1"}, {"model.hidden": "8, 8"}):
        assert check(Form("regression", settings=settings), INSTALLED, tmp_path).plan is None


def test_it_is_begun_as_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[object] = []
    monkeypatch.setattr("dlkit.monitor.form_study.wake", woken.append)
    checked = check(Form("regression", settings={"trainer.lr": "0.1, 0.2"}), INSTALLED, tmp_path)
    assert checked.plan is not None
    study = begin(checked.plan, tmp_path)
    assert woken == [study] and [found.id for found in list_studies(tmp_path)] == [study.id]

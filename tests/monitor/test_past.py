"""Curves of a fork: joined to what its parent had measured, told apart from it; and what differs since the branch."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dlkit.monitor.comparison import compare
from dlkit.monitor.view import RunView
from dlkit.runs.checkpoints import complete
from dlkit.runs.folder import RunFolder
from toy import finish, toy_fork, toy_run


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return toy_run(tmp_path_factory.mktemp("past"), eval_every="2 steps", keep=50, checkpoint_every=0.001)


def followed(run: RunFolder) -> RunView:
    view = RunView(run)
    view.poll()
    return view


def test_curves_are_joined_at_the_branch_though_the_parent_is_gone(tmp_path: Path, parent: RunFolder) -> None:
    step = complete(parent.path)[0].step
    run = finish(toy_fork(parent, str(step)))
    moved = RunFolder(Path(shutil.copytree(run.path, tmp_path / run.id)))
    whole, view = followed(parent), followed(moved)
    assert view.branch == step and whole.branch is None
    for name in ("val/mse", "train/loss"):
        joined, expected = view.joined(name), whole.series(name)
        assert joined.steps.tolist() == expected.steps.tolist()
        assert joined.values.tolist() == expected.values.tolist()
        assert view.series(name).steps[0] > step or name.startswith("val/")
        assert view.joined(name) is joined, "nothing new is drawn"
        assert whole.joined(name) is expected
    (moved.past).write_bytes(b"nonsense\n" + b'{"event":"metrics"}\n')
    assert followed(moved).joined("val/mse").steps.tolist() == view.series("val/mse").steps.tolist()


def test_what_differs_since_the_branch_is_said(parent: RunFolder) -> None:
    step = str(complete(parent.path)[0].step)
    same, other = toy_fork(parent, step).run, toy_fork(parent, step, {"trainer": {"lr": 0.2}}).run
    assert compare([parent, other]).branches == [
        f"{other.id} is {parent.id} up to step {step}; since then: trainer.lr 0.05 → 0.2"
    ]
    assert len(compare([same, other]).branches) == 2 and "nothing changed" in compare([same, other]).remarks[0]
    assert compare([other]).branches == []

"""Naming the weights that a run starts from, before anything is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.config import Layer, Resolved, resolve
from dlkit.errors import UsageError
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from dlkit.runs.init_from import initial_weights, pinned, pinned_as_far_as_known
from dlkit.runs.own import marks_again
from recorded import record_run
from toy import toy_catalog, toy_run


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def source(workspace: Path) -> RunFolder:
    return toy_run(workspace, epochs=2, keep=5)


def starting_from(reference: str | None) -> Resolved:
    return resolve(toy_catalog(), "toy", [Layer("test", {"engine": {"init_from": reference} if reference else {}})])


def test_a_run_that_starts_from_nothing_is_left_as_it_is(workspace: Path) -> None:
    resolved = starting_from(None)
    assert initial_weights(resolved, workspace) is None
    assert pinned_as_far_as_known(resolved, workspace) is resolved


def test_a_pinned_name_means_the_same_weights(workspace: Path, source: RunFolder) -> None:
    last = choose(source.path, "last")
    found = initial_weights(starting_from("last@last"), workspace)
    assert found is not None
    assert found.folder == last.folder
    name = pinned(starting_from("last@last"), found).engine.init_from
    assert name == f"{source.id}@{last.sha256[:16]}"
    again = initial_weights(starting_from(name), workspace)
    assert again is not None
    assert again.sha256 == last.sha256


def test_a_run_that_has_ended_is_pinned_when_the_new_one_is_handed_over(workspace: Path, source: RunFolder) -> None:
    best = f"{source.id}@{choose(source.path, 'best').sha256[:16]}"
    for reference in ("last", "last@best", best):
        assert pinned_as_far_as_known(starting_from(reference), workspace).engine.init_from == best
    with pytest.raises(UsageError, match="no checkpoint '7'"):
        pinned_as_far_as_known(starting_from("last@7"), workspace)


@pytest.mark.parametrize(("reference", "known"), [("last", ""), ("last@last", "@last")])
def test_a_run_that_still_trains_is_only_named(workspace: Path, source: RunFolder, reference: str, known: str) -> None:
    before = source.read()
    source.update(**marks_again(source.path, before, state="queued", job={"queued": True}))
    try:
        assert pinned_as_far_as_known(starting_from(reference), workspace).engine.init_from == source.id + known
    finally:
        source.update(state=before["state"], job={})


def test_a_hash_of_digits_alone_is_a_hash(workspace: Path, source: RunFolder) -> None:
    reference = f"{source.id}@{'1234567890123456'}"
    assert pinned_as_far_as_known(starting_from(reference), workspace).engine.init_from == reference
    with pytest.raises(UsageError, match="has no checkpoint any more with the weights 1234567890123456"):
        initial_weights(starting_from(reference), workspace)


def test_a_run_of_another_workspace_is_named_so_that_a_worker_finds_it(tmp_path: Path) -> None:
    """It looks into the new run's workspace, and not from the folder in which this was typed."""
    there = record_run(tmp_path / "there", state="interrupted")
    here = tmp_path / "here"
    named = pinned_as_far_as_known(starting_from(f"{there.path}@last"), here).engine.init_from
    assert named == f"{there.path}@last"
    ended = toy_run(tmp_path / "ended", epochs=1)
    named = pinned_as_far_as_known(starting_from(str(ended.path)), here).engine.init_from
    assert named == f"{ended.path}@{choose(ended.path, 'best').sha256[:16]}"
    assert initial_weights(starting_from(named), here) is not None
    inside = record_run(here, state="interrupted")
    assert pinned_as_far_as_known(starting_from(inside.id), here).engine.init_from == inside.id

"""A study's folder: what is written is what is read, and a torn or strange line spoils nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asked import asked, recorded
from dlkit.errors import RunError, UsageError
from dlkit.json_types import Json
from dlkit.studies import folder, log
from dlkit.studies.folder import StudyFolder, find_study, is_own, list_studies
from dlkit.studies.question import read_question
from dlkit.studies.results import Look
from dlkit.studies.state import _APPLY, State, StudyState, state_of
from dlkit.studies.waking import wake

pytestmark = pytest.mark.usefixtures("toy_installed")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = (
    "number", "setting", "seed", "run", "trial", "state", "seeds", "settings", "values", "step", "value", "reason",
          "metrics", "runs", "trials", "best", "seconds", "steps", "time", "looked_before")  # fmt: skip


def test_a_question_is_read_as_it_was_written(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=0.1,0.2", "model.dropout=0", seeds=3, layer={"dataset": {"points": 64}}, name="one",
                  search="grid", max_time=30.0, priority=-2)  # fmt: skip
    found = read_question(study)
    assert (found.task, found.metric, found.direction, found.name) == ("toy", "val/mse", "min", "one")
    assert list(found.vary) == ["lr=0.1,0.2", "model.dropout=0"] and (found.max_time, found.priority) == (30.0, -2)
    assert found.layers[0][1]["dataset"] == {"points": 64}
    state = state_of(study)
    assert state.settings == {0: {"trainer.lr": 0.1, "model.dropout": 0}, 1: {"trainer.lr": 0.2, "model.dropout": 0}}
    assert list(state.planned()) == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]


def test_which_study_is_meant(tmp_path: Path) -> None:
    studies = [asked(tmp_path, "lr=0.1,0.2", name=name) for name in ("first", "second")]
    assert {study.id for study in list_studies(tmp_path)} == {study.id for study in studies}
    for study in studies:
        assert find_study(tmp_path, study.id) == find_study(tmp_path, study.short) == study
    assert find_study(tmp_path, "second") == studies[1]
    assert find_study(tmp_path, "last") == list_studies(tmp_path)[0]
    for reference, says in (
        ("nothing", "no study 'nothing'"),
        ("20", "could be any of"),
        ("last~7", "there are 2 studies"),
    ):
        with pytest.raises(UsageError, match=says):
            find_study(tmp_path, reference)
    with pytest.raises(UsageError, match="there are no studies"):
        find_study(tmp_path / "elsewhere", "last")


def test_a_torn_line_is_one_that_nobody_wrote(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=0.1,0.2")
    recorded(study, {(0, 0): 1.0})
    whole = study.log.read_bytes()
    for size in range(len(whole) - 120, len(whole)):
        study.log.write_bytes(whole[:size])
        state = state_of(study)
        assert set(state.trials) == {0} and state.trials[0].state == "handed"
        log.append(study.log, "ended", trial=0, state="failed", reason="")
        assert state_of(study).trials[0].state == "failed", "what comes next is whole"


def test_what_was_read_is_not_read_again(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=0.1,0.2")
    follower = StudyState(study)
    assert len(follower.refresh().settings) == 2
    with study.log.open("ab") as file:
        file.write(b'{"event": "setting", "number": 2, "val')
    assert len(follower.refresh().settings) == 2
    with study.log.open("ab") as file:
        file.write(b'ues": {}, "time": 1}\n')
    assert len(follower.refresh().settings) == 3


@given(st.lists(st.fixed_dictionaries({"event": st.sampled_from(sorted(_APPLY))},
                                      optional=dict.fromkeys(FIELDS, JSON)), max_size=8))  # fmt: skip
def test_lines_that_make_no_sense_are_passed_over(lines: list[dict[str, Json]]) -> None:
    state = State(settings={0: {}}, seeds={0: [0]})
    for line in lines:
        try:
            _APPLY[str(line["event"])](state, line)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    list(state.planned())
    state.values()


def test_a_study_that_was_brought_starts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlkit.studies.waking.detach", lambda *_: pytest.fail("it was started"))
    study = asked(tmp_path / "a", "lr=0.1,0.2")
    assert is_own(study)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    brought = StudyFolder(tmp_path / "b" / "studies" / study.id)
    assert not is_own(brought) and not wake(brought)
    Look(brought).results()
    study.question.write_text(study.question.read_text().replace("test = false", "test = true"))
    assert not is_own(study) and not wake(study)
    folder.adopt(study)
    assert is_own(study)


@pytest.mark.parametrize("text", ["", "format = 99\n", "format = 1\ntask = 3\n", 'format = 1\nvary = "x"\n', "="])
def test_a_damaged_question_is_named(tmp_path: Path, text: str) -> None:
    study = asked(tmp_path, "lr=0.1,0.2")
    study.question.write_text(text)
    with pytest.raises(RunError, match=study.id):
        read_question(study)


def test_the_log_is_strict_json(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=0.1,0.2")
    state = recorded(study, {(0, 0): float("inf")})
    assert state.trials[0].best == float("inf") and state.values()[0] == {}
    for line in study.log.read_text().splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(word))

"""The far end of a question, without its process: options, examples, what a form is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.errors import UsageError
from dlkit.predictor import ASKS, Predictor
from dlkit.runs.folder import RunFolder
from dlkit.use.helper import Helper
from dlkit.use.load import load_predictor
from moody import moody_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    with moody_run(tmp_path_factory.mktemp("helper")) as found:
        yield found


@pytest.fixture
def helper(run: RunFolder, tmp_path: Path) -> Helper:
    catalog = Catalog.load_everything()
    return Helper(catalog, load_predictor(catalog, run), run, tmp_path)


def test_options_of_a_question_reload_no_weights(helper: Helper) -> None:
    model = helper._loaded.predictor.model
    assert helper.reply({"ask": ["x"], "options": {"temperature": "0.5"}})["answers"][0]["temperature"] == 0.5
    assert helper._present.predictor is not helper._loaded.predictor
    assert helper._present.predictor.model is model
    assert helper.reply({"ask": ["x"]})["answers"][0]["temperature"] == 1.0
    assert helper._present is helper._loaded


def test_a_refused_option_leaves_the_old_ones(helper: Helper) -> None:
    with pytest.raises(UsageError, match="temperature"):
        helper.reply({"ask": ["x"], "options": {"temperature": "hot"}})
    assert helper.reply({"ask": ["x"]})["answers"][0]["temperature"] == 1.0


def test_examples_are_given_without_the_data_too(helper: Helper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toy_parts.build_plane", lambda config, context: 1 / 0)
    assert helper.reply({"example": True}) == {"words": ["hello without data"]}


def test_an_answer_replaces_the_files_of_the_one_before(helper: Helper, tmp_path: Path) -> None:
    first = helper.reply({"ask": ["x"]})["samples"]
    second = helper.reply({"ask": ["y"]})["samples"]
    assert not Path(first[0]).exists() and Path(second[0]).exists()


def test_a_predictor_need_not_say_how_it_is_asked() -> None:
    assert Predictor.asks in ASKS and Predictor.label and Predictor.placeholder == ""
    assert Predictor.example(None, None, None, Path()) == []  # type: ignore[arg-type]

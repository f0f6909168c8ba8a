"""A run is asked by whatever inference component fits its task and model, not only by its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import validate

import dlkit
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.engine.start import start
from dlkit.errors import PluginError, UsageError
from dlkit.monitor.model_process import ModelProcess, QuestionRefused
from dlkit.runs.folder import RunFolder
from dlkit.samples import Text
from dlkit.use.helper import Helper
from dlkit.use.load import Question, load_predictor, offered
from moody import moody_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """Trained to be asked for values, where other components are installed too."""
    with moody_run(tmp_path_factory.mktemp("other"), "values") as found:
        yield found


@pytest.fixture(scope="module")
def catalog(run: RunFolder) -> Catalog:
    return Catalog.load_everything()


def test_another_component_is_asked_about_the_same_model(run: RunFolder, catalog: Catalog) -> None:
    own = load_predictor(catalog, run)
    other = load_predictor(catalog, run, question=Question("choosy", {"word": "why"}))
    assert own.predictor.predict([[1, 2, 3]])[0].keys() == {"y"}
    (answer,) = other.predictor.predict(["x"])
    assert answer == {"said": "x", "task": "toy", "inputs": ["x"], "word": "why"}
    weights = zip(own.predictor.model.state_dict().items(), other.predictor.model.state_dict().items(), strict=True)
    assert all(one[0] == two[0] and one[1].equal(two[1]) for one, two in weights)


def test_every_predictor_knows_the_task_that_its_model_was_made_for(run: RunFolder, catalog: Catalog) -> None:
    task = load_predictor(catalog, run).predictor.task
    assert task is not None and task.name == "toy"


def test_what_is_needed_of_the_model_is_checked_first_and_named(run: RunFolder, catalog: Catalog) -> None:
    with pytest.raises(UsageError) as refused:
        load_predictor(catalog, run, question=Question("lofty"))
    assert str(refused.value) == (
        "inference 'lofty' cannot ask model 'linear' of task 'toy': it needs a convolution, and Plane has none. "
        "There are: broken, choosy, moody, teller, values"
    )


def test_a_run_is_not_begun_with_a_component_that_its_model_does_not_fit(run: RunFolder, catalog: Catalog) -> None:
    from dlkit.config import Layer, resolve
    from dlkit.data.context import Context

    workspace = run.path.parent.parent
    before = sorted(run.path.parent.iterdir())
    resolved = resolve(catalog, "toy", [Layer("test", {"inference": {"name": "lofty"}})])
    with pytest.raises(UsageError, match="it needs a convolution"):
        start(catalog, resolved, workspace, Context(workspace / "data"))
    assert sorted(run.path.parent.iterdir()) == before


def test_a_name_that_the_task_does_not_have_is_named_with_the_nearest(run: RunFolder, catalog: Catalog) -> None:
    with pytest.raises(UsageError, match=r"no inference 'chosy' for task 'toy': did you mean 'choosy'\?"):
        load_predictor(catalog, run, question=Question("chosy"))
    with pytest.raises(UsageError, match="no inference 'foreign' for task 'toy'"):
        load_predictor(catalog, run, question=Question("foreign"))


def test_an_option_of_another_component_is_its_own(run: RunFolder, catalog: Catalog) -> None:
    with pytest.raises(UsageError, match=r"inference\.word"):
        load_predictor(catalog, run, question=Question("choosy"))
    with pytest.raises(UsageError, match=r"inference\.temperature"):
        load_predictor(catalog, run, question=Question("choosy", {"word": "why", "temperature": 1.0}))


def test_a_broken_component_is_its_plugins_fault(run: RunFolder, catalog: Catalog) -> None:
    with pytest.raises(PluginError, match="inference 'broken' of plugin 'moody'"):
        load_predictor(catalog, run, question=Question("broken"))


def test_what_can_ask_is_listed_with_what_cannot_and_why(run: RunFolder, catalog: Catalog) -> None:
    found = {o["name"]: o["lacks"] for o in offered(catalog, load_predictor(catalog, run))}
    assert list(found) == ["broken", "choosy", "lofty", "moody", "teller", "values"]
    assert [name for name, lacks in found.items() if not lacks] == ["choosy", "moody", "teller", "values"]
    assert "a convolution" in found["lofty"] and "cannot import moody_parts:Missing" in found["broken"]


def test_from_python_it_is_an_argument_beside_the_options(run: RunFolder) -> None:
    predictor = dlkit.open_run(run.id, run.path.parent.parent).predictor(inference="choosy", word="why")
    assert predictor("x")[0]["word"] == "why"


def test_the_command_line_predicts_and_samples_by_name(run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    by = ["--inference", "choosy", "--inference.word", "why", "--json"]
    for command, words in (("predict", ["x"]), ("sample", [])):
        assert main([command, str(run.path), *words, *by]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["inference"] == "choosy"
        validate(found, json.loads((files("dlkit") / "schemas" / f"{command}.json").read_text()))
        assert "why" in str(found["predictions" if command == "predict" else "samples"])
        assert main([command, str(run.path), *words, "--inference", "lofty"]) == 2
        assert "it needs a convolution" in capsys.readouterr().err


def test_a_helper_goes_from_one_to_the_other_and_back(run: RunFolder, catalog: Catalog, tmp_path: Path) -> None:
    helper = Helper(catalog, load_predictor(catalog, run), run, tmp_path)
    hello = helper.reply({"inference": "moody"})["hello"]
    assert isinstance(hello, dict)
    assert (hello["inference"], hello["asks"], [o["name"] for o in hello["options"]]) == (
        "moody",
        "prompt",
        ["temperature"],
    )
    assert helper.reply({"ask": ["x"], "options": {"temperature": "0.5"}})["answers"][0]["temperature"] == 0.5  # type: ignore[index]
    with pytest.raises(UsageError, match="it needs a convolution"):
        helper.reply({"inference": "lofty"})
    assert helper.reply({"ask": ["x"]})["answers"][0]["temperature"] == 1.0, "a refusal changes nothing"  # type: ignore[index]
    assert helper.reply({"inference": "values"})["hello"] == helper.hello()
    assert helper.reply({"ask": ["1,2,3"]})["answers"][0].keys() == {"y"}  # type: ignore[index]


def test_a_process_is_asked_what_else_there_is_and_by_that(run: RunFolder) -> None:
    asked = ModelProcess(run, inference="moody")
    try:
        assert asked.start().inference == "moody"
        assert {o.name for o in asked.offered() if not o.lacks} == {"choosy", "moody", "teller", "values"}
        (sample,) = asked.ask(["x"]).samples
        assert isinstance(sample, Text)
        with pytest.raises(QuestionRefused, match=r"inference\.word"):
            asked.ask_by("choosy")
        assert asked.ask_by("values").asks == "text" and asked.ask(["1,2,3"]).answers[0].keys() == {"y"}
    finally:
        asked.close()

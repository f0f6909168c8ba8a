"""The launch form without its screen: fields of every task, problems at their field, the command line, handing in."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import toy
from dlkit.catalog import BUILTIN, GROUP, Catalog, Refused
from dlkit.cli.flags import layers_of, split_words
from dlkit.config import CHOICES, SECTIONS, fields_of, parse_text, resolve
from dlkit.errors import RunError, UsageError
from dlkit.monitor.form import AFTER, LAUNCHER, NAME, PRIORITY, Checked, Form
from dlkit.monitor.form_check import check
from dlkit.monitor.form_fields import Field, kind_of, text_of
from dlkit.monitor.form_submit import hand_in

INSTALLED = Catalog.load_everything()
MIXTURE = Catalog([EntryPoint(BUILTIN, "dlkit.builtin", GROUP), EntryPoint("mixture", "mixture", GROUP)])
MIXTURE.load("mixture")
MIXTURE.load_all()
NOWHERE = Path("/nonexistent/workspace")


def look(form: Form, catalog: Catalog = MIXTURE, workspace: Path = NOWHERE) -> Checked:
    return check(form, catalog, workspace)


def fields(checked: Checked) -> dict[str, Field]:
    return {field.key: field for field in checked.fields()}


def problems(checked: Checked) -> dict[str, str]:
    return {field.key: field.problem for field in checked.fields() if field.problem}


def again(checked: Checked, catalog: Catalog, **how: Any) -> Any:
    """What the command line resolves to, through a shell's reading of it."""
    tool, command, *words = shlex.split(checked.command(NOWHERE, **how))
    assert (tool, command) == ("dlkit", "train")
    split = split_words(words)
    assert split.positional == [checked.form.task]
    return resolve(catalog, checked.form.task, layers_of(catalog, checked.form.task, split)), split


# Every installed task


@pytest.mark.parametrize("task", [spec.name for spec in INSTALLED.specs("task")])
def test_every_task_has_a_form_of_all_its_options(task: str) -> None:
    checked = look(Form(task), INSTALLED)
    assert (checked.general, problems(checked)) == ((), {})
    assert checked.resolved is not None
    for section in SECTIONS:
        for info in fields_of(type(checked.resolved.sections[section])):
            field = fields(checked)[f"{section}.{info.name}"]
            assert field.description == info.description
            assert not field.changed
            value = checked.resolved.values()[section].get(info.name)
            assert field.text == text_of(info.schema, value)
            assert field.origin == checked.resolved.origins.get(field.key, "")
            assert field.kind != "choice" or field.text in dict(field.choices)


@pytest.mark.parametrize("task", [spec.name for spec in INSTALLED.specs("task")])
def test_every_component_of_every_task_can_be_chosen(task: str) -> None:
    for part in CHOICES:
        for spec in INSTALLED.specs(part, task):
            checked = look(Form(task).choose(part, spec.name), INSTALLED)
            assert checked.sections
            needed = {key for key in problems(checked) if fields(checked)[key].required}
            assert problems(checked).keys() == needed
            assert all("do not combine" in text for text in checked.general)
            chosen = {part.name: part.chosen for part in checked.parts}
            assert part == "launcher" or chosen[part] == spec.name


@pytest.mark.parametrize("task", [spec.name for spec in INSTALLED.specs("task")])
def test_every_preset_of_every_task_can_be_taken(task: str) -> None:
    for name, _ in look(Form(task), INSTALLED).presets[1:]:
        checked = look(Form(task, name), INSTALLED)
        if checked.problems:  # made for another model than the task's own, one for each of several, for files of yours
            wrong = [text.partition(":")[0] for text in (*checked.general, *problems(checked).values())]
            assert wrong in (["these do not combine"], [f"preset {name!r} fits several choices"], ["is needed"])
            continue
        assert any(field.origin == f"preset {name}" for field in checked.fields())
        resolved, _ = again(checked, INSTALLED)
        assert checked.resolved is not None
        assert resolved.values() == checked.resolved.values()


# Fields


def test_fields_say_their_kind_and_who_set_them() -> None:
    checked = look(Form("mixture").choose("model", "deep"))
    found = fields(checked)
    kinds = {key: found[key].kind for key in ("model.hidden", "model.activation", "model.dropout", "model.norm")}
    assert list(kinds.values()) == ["list", "choice", "number", "switch"]
    assert found["inference.top"].kind == "whole number"
    assert found["engine.eval_every"].kind == "text"
    assert (found["model.hidden"].text, found["model.activation"].choices[0]) == ("16, 16", ("relu", "relu"))
    assert (found["trainer.lr"].text, found["trainer.lr"].origin) == ("0.5", "task mixture")
    assert (found["engine.steps"].text, found["engine.steps"].origin) == ("900", "model deep")
    assert ("auto", "auto") in found["engine.device"].choices
    assert checked.sections[0].key == "run"


def test_what_was_typed_is_marked_and_can_be_reset() -> None:
    form = Form("mixture").set("model.width", "32").set("trainer.lr", "5e-1")
    found = fields(look(form))
    assert (found["model.width"].text, found["model.width"].default, found["model.width"].changed) == ("32", "8", True)
    assert not found["trainer.lr"].changed  # another way to write the default
    assert found["trainer.lr"].text == "5e-1"
    assert fields(look(form.reset("model.width")))["model.width"].text == "8"


def test_an_emptied_field_means_its_default() -> None:
    checked = look(Form("mixture").set("model.width", "").set("engine.max_time", ""))
    assert checked.problems == 0
    assert not fields(checked)["model.width"].changed


def test_epochs_and_steps_displace_each_other() -> None:
    form = Form("mixture").set("engine.epochs", "3").set("engine.steps", "50")
    checked = look(form)
    assert checked.resolved is not None
    assert (checked.resolved.engine.epochs, checked.resolved.engine.steps) == (None, 50)
    assert (fields(checked)["engine.epochs"].text, fields(checked)["engine.epochs"].origin) == ("", "steps given")


# Problems


def test_every_problem_lands_at_its_field() -> None:
    form = Form("mixture").choose("model", "deep")
    for key, text in {
        "model.hidden": "16, x",
        "model.dropout": "2",
        "trainer.lr": "fast",
        "engine.epochs": "0",
        "engine.eval_every": "sometimes",
        PRIORITY: "high",
        AFTER: "last",
    }.items():
        form = form.set(key, text)
    checked = look(form)
    assert checked.resolved is None
    assert checked.general == ()
    assert set(problems(checked)) == set(form.settings)
    assert checked.problems == len(form.settings)
    assert "below 1" in problems(checked)["model.dropout"]
    assert "above 0" in problems(checked)["trainer.lr"]
    assert fields(checked)["model.dropout"].text == "2"


def test_what_options_cannot_say_alone_lands_at_one_of_them() -> None:
    checked = look(Form("mixture").set("job.nproc", "4").set("engine.batch_size", "2"))
    assert list(problems(checked)) == ["engine.batch_size"]
    assert fields(checked)[LAUNCHER].text == "torchrun"
    checked = look(Form("mixture").set("job.nproc", "4").set(LAUNCHER, "local"))
    assert list(problems(checked)) == ["job.nproc"]


def test_components_that_do_not_combine_are_a_general_problem_and_can_be_put_right() -> None:
    form = Form("mixture").choose("loss", "l1").choose("model", "handmade")
    checked = look(form)
    assert len(checked.general) == 1
    assert checked.general[0].startswith("these do not combine: model 'handmade' (handmade), loss 'l1'")
    loss = next(part for part in checked.parts if part.name == "loss")
    assert (loss.chosen, loss.automatic) == ("l1", "byhand")
    assert look(form.choose("loss", "")).problems == 0


def test_a_preset_that_does_not_fit_or_is_not_there_leaves_the_form() -> None:
    for form, words in (
        (Form("mixture", "thorough"), "fits several"),
        (Form("mixture", "quik"), "did you mean 'quick'"),
        (Form("mixture", "thorough").choose("model", "handmade"), "is not made for"),
    ):
        checked = look(form)
        assert any(words in text for text in checked.general), checked.general
        assert checked.sections
        assert form.preset in dict(checked.presets)


def test_a_task_that_is_gone_is_a_message() -> None:
    checked = look(Form("mixtur"))
    assert "did you mean 'mixture'" in checked.general[0]
    assert (checked.sections, checked.resolved) == ((), None)


BROKEN = """
from dlkit import DatasetSpec, ModelSpec, hookimpl

@hookimpl
def dlkit_models():
    return [
        ModelSpec(name="gone", task="mixture", summary="s", target="a.b:c", config="nowhere_at_all:Config"),
        ModelSpec(name="raises", task="mixture", summary="s", target="a.b:c", config="stranger_options:Raises"),
        ModelSpec(name="exits", task="mixture", summary="s", target="a.b:c", config="stranger_options:Exits"),
    ]
"""
OPTIONS = """
from pydantic import field_validator
from dlkit.config import Config

class Raises(Config):
    size: int = 1
    @field_validator("size")
    @classmethod
    def judge(cls, value):
        raise ZeroDivisionError("of mine")

class Exits(Raises):
    @classmethod
    def model_json_schema(cls, *args, **kwargs):
        raise SystemExit(3)
"""


@pytest.mark.parametrize(("model", "words"), [("gone", "nowhere_at_all"), ("raises", "of mine"), ("exits", "3")])
def test_a_broken_components_options_are_a_message(
    model: str, words: str, write_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_plugin("stranger", BROKEN)
    (folder / "stranger_options.py").write_text(OPTIONS)
    monkeypatch.syspath_prepend(str(folder))
    names = ((BUILTIN, "dlkit.builtin"), ("mixture", "mixture"), ("stranger", "stranger_plugin"))
    catalog = Catalog([EntryPoint(name, value, GROUP) for name, value in names])
    catalog.load_all()
    form = Form("mixture").choose("model", model).set("engine.seed", "5")
    checked = look(form, catalog)
    assert any(words in text for text in checked.general), checked.general
    assert checked.resolved is None
    assert fields(checked)["engine.seed"].text == "5"
    assert look(form.choose("model", ""), catalog).problems == 0


# Changing components


def test_another_component_drops_what_it_lacks_and_says_so() -> None:
    form = Form("mixture").set("model.width", "32").set("trainer.lr", "0.25").choose("model", "deep")
    checked = look(form)
    assert checked.dropped == ("model.width",)
    assert dict(checked.form.settings) == {"trainer.lr": "0.25"}
    assert "model.hidden" in fields(checked)
    assert checked.asked is form


def test_a_components_followers_follow_it() -> None:
    chosen = {part.name: part.chosen for part in look(Form("mixture").choose("model", "handmade")).parts}
    assert (chosen["loss"], chosen["trainer"]) == ("byhand", "byhand")
    parts = {part.name: part for part in look(Form("mixture").choose("dataset", "large")).parts}
    assert (parts["model"].chosen, parts["model"].origin) == ("deep", "dataset large")


# The command line


def test_the_command_names_only_what_differs() -> None:
    form = Form("mixture", "quick").choose("model", "deep").set("model.hidden", "8, 8").set("engine.epochs", "2")
    form = form.set("trainer.lr", "0.5").set(NAME, "my run").set("engine.device", "auto")
    assert look(form).command(NOWHERE).split(" --workspace")[0] == (
        "dlkit train mixture --preset quick --model deep --lr 0.5 --model.hidden '8, 8' --name 'my run' --detach"
    )


def test_the_queues_command_has_its_place(tmp_path: Path) -> None:
    run = toy.toy_run(tmp_path)
    form = Form("mixture").set(PRIORITY, "-2").set(AFTER, f"last {run.id}")
    checked = look(form, workspace=tmp_path)
    assert checked.problems == 0
    _, split = again(checked, MIXTURE, queued=True)
    assert (split.switches, split.values["priority"], split.values["after"]) == ({"queue"}, "-2", f"last {run.id}")


numbers = st.floats(0, 10, allow_nan=False).map(repr)
TEXTS = {
    "model.hidden": st.lists(st.integers(-5, 5000), max_size=4).map(lambda found: ", ".join(map(str, found))),
    "model.activation": st.sampled_from(["relu", "tanh", "", "gelu"]),
    "model.dropout": numbers,
    "model.norm": st.sampled_from(["true", "false"]),
    "model.width": st.integers(0, 5000).map(str),
    "model.bias": st.sampled_from(["true", "false"]),
    "dataset.folder": st.text(max_size=12),
    "dataset.share": numbers,
    "trainer.lr": numbers,
    "trainer.betas": st.tuples(numbers, numbers).map(", ".join),
    "inference.labels": st.lists(st.text("ab,'\" -", max_size=5), max_size=3).map(str),
    "inference.top": st.sampled_from(["", "1", "7"]),
    "engine.epochs": st.integers(0, 20).map(str),
    "engine.steps": st.integers(0, 2000).map(str),
    "engine.eval_every": st.sampled_from(["never", "3 steps", "1 epoch"]),
    "engine.init_from": st.text("-x '\"$", max_size=8),
    NAME: st.text("-x '\"$\\n", max_size=8),
}
forms = st.builds(
    Form,
    st.just("mixture"),
    st.sampled_from(["", "quick", "thorough"]),
    st.fixed_dictionaries(
        {},
        optional={
            "dataset": st.sampled_from(["small", "large"]),
            "model": st.sampled_from(["plain", "deep", "handmade"]),
            "loss": st.sampled_from(["l1", "l2", "byhand"]),
            "trainer": st.sampled_from(["usual", "byhand"]),
        },
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    forms, st.lists(st.sampled_from(sorted(TEXTS)).flatmap(lambda key: st.tuples(st.just(key), TEXTS[key])), max_size=6)
)
def test_the_command_line_does_what_the_form_does(form: Form, typed: list[tuple[str, str]]) -> None:
    for key, text in typed:
        form = form.set(key, text)
    checked = look(form)
    if checked.resolved is None:
        assert checked.problems
        return
    resolved, split = again(checked, MIXTURE)
    assert resolved.values() == checked.resolved.values()
    assert split.values.get("name", "") == checked.name


@given(
    st.sampled_from(
        [
            ({"type": "array", "items": {"type": "string"}}, st.lists(st.text(max_size=6), max_size=4)),
            ({"type": "array", "items": {"type": "integer"}}, st.lists(st.integers(), max_size=4)),
            ({"type": "array", "items": {"type": "array"}}, st.lists(st.lists(st.integers(), max_size=2), max_size=3)),
            ({"type": "number"}, st.floats(allow_nan=False)),
            ({"type": "boolean"}, st.booleans()),
            ({"type": "string"}, st.text()),
            ({"enum": [3, 5], "type": "integer"}, st.sampled_from([3, 5])),
            (
                {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                st.one_of(st.integers(), st.text("a1 ", min_size=1)),
            ),
        ]
    ).flatmap(lambda pair: st.tuples(st.just(pair[0]), pair[1]))
)
def test_values_as_text_are_read_as_the_same_values(pair: tuple[dict[str, Any], Any]) -> None:
    prop, value = pair
    assert parse_text(prop, text_of(prop, value)) == value


def test_an_option_that_may_be_nothing_is_a_choice_of_three() -> None:
    assert kind_of({"anyOf": [{"type": "boolean"}, {"type": "null"}]}) == "choice"
    assert kind_of({"anyOf": [{"type": "integer"}, {"type": "null"}]}) == "whole number"


# Data, handing in


def test_data_to_be_downloaded_is_said_with_its_size() -> None:
    checked = look(Form("classification").choose("dataset", "mnist"), INSTALLED)
    assert (checked.data.state, checked.data.sources) == ("download", ("mnist",))
    assert 10e6 < checked.data.size < 13e6
    dataset = next(part for part in checked.parts if part.name == "dataset")
    assert "(download 11.6 MB)" in dict(dataset.choices)["mnist"]
    assert look(Form("classification"), INSTALLED).data.state == "embedded"


def test_data_that_cannot_be_downloaded_is_said_to_be_fetched_by_hand() -> None:
    """And not to be a download of 0 bytes."""
    checked = look(Form("autoencoder").choose("dataset", "lfwcrop"), INSTALLED)
    assert (checked.data.state, checked.data.sources) == ("by hand", ("lfwcrop",))
    dataset = next(part for part in checked.parts if part.name == "dataset")
    assert dict(dataset.choices)["lfwcrop"].endswith("(fetched by hand)")


SOURCELESS = """
from dlkit import DatasetSpec, hookimpl

@hookimpl
def dlkit_datasets():
    return [DatasetSpec(name="odd", task="toy", summary="s", sources=("nowhere",), target="toy_parts:build_plane")]
"""


def test_data_of_a_source_that_no_plugin_has_is_unknown(
    write_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may lie there all the same: that is no reason not to try."""
    monkeypatch.syspath_prepend(str(write_plugin("odd", SOURCELESS, module="odd_data")))
    checked = look(Form("toy").choose("dataset", "odd"), toy.toy_catalog("odd_data"))
    assert (checked.data.state, checked.data.sources, checked.problems) == ("unknown", (), 0)


def test_a_queued_form_is_a_job_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[Path] = []
    monkeypatch.setattr("dlkit.jobs.handover.wake", woken.append)
    catalog = toy.toy_catalog()
    form = Form("toy").set("engine.epochs", "7").set(PRIORITY, "3").set(NAME, " mine ")
    submitted = hand_in(look(form, catalog, tmp_path), catalog, tmp_path, queued=True)
    record = submitted.run.read()
    assert (record["state"], record["name"]) == ("queued", "mine")
    assert (record["job"]["queued"], record["job"]["priority"]) == (True, 3)
    assert "epochs = 7" in submitted.run.config.read_text()
    assert woken == [tmp_path]
    assert submitted.reason


def test_what_cannot_be_started_is_refused(tmp_path: Path) -> None:
    catalog = toy.toy_catalog()
    with pytest.raises(UsageError, match="go with the queue"):
        hand_in(look(Form("toy").set(PRIORITY, "3"), catalog, tmp_path), catalog, tmp_path, queued=False)
    with pytest.raises(UsageError, match="problems"):
        hand_in(look(Form("toy").set("trainer.lr", "0"), catalog, tmp_path), catalog, tmp_path, queued=False)
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(RunError, match="cannot make a run"):
        hand_in(look(Form("toy"), catalog, tmp_path), catalog, tmp_path, queued=False)


# What cannot be used


def test_what_cannot_be_used_stands_where_it_would_with_the_reason(plant: Callable[..., str]) -> None:
    package = plant({"odd.toml": "preset = ", "quick.toml": "preset = 'quick'\nsummary = 'Soon'\n"})
    catalog = toy.toy_catalog(package)
    checked = look(Form("toy"), catalog)
    assert not checked.problems and checked.resolved is not None, "it is nobody's fault who does not ask for it"
    none, quick, odd = checked.presets
    assert none == ("", "none  1 broken") and quick == ("quick", "quick  Soon")
    assert odd[0] == "odd"
    assert odd[1].startswith(f"odd  preset file {package}:presets/odd.toml is broken: Invalid value")
    taken = "model 'linear' for task 'toy' is already offered by plugin 'toy'"
    (model,) = (part for part in checked.parts if part.name == "model")
    assert f"(that of plugin {package!r} cannot be used: {taken})" in dict(model.choices)["linear"]
    (problem,) = set(look(Form("toy", "odd"), catalog).general)
    assert problem.startswith(f"preset file {package}:presets/odd.toml is broken: Invalid value")


def test_a_lost_component_that_nobody_else_has_stands_alone() -> None:
    catalog = toy.toy_catalog("mixture")
    (spec,) = (spec for spec in catalog.specs("model") if spec.name == "linear" and spec.fits("toy"))
    catalog.owner(spec).refused += (Refused(replace(spec, name="lost"), "model 'lost' is already offered"),)
    (model,) = (part for part in look(Form("toy"), catalog).parts if part.name == "model")
    assert dict(model.choices)["lost"] == "lost  that of plugin 'toy' cannot be used: model 'lost' is already offered"
    assert any(
        "is already offered" in problem for problem in look(Form("toy").choose("model", "lost"), catalog).general
    )

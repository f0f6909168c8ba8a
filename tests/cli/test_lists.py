"""``dlkit tasks``, ``plugins``, ``components`` and ``doctor``."""

from __future__ import annotations

import tomllib
from importlib import invalidate_caches

import pytest

from dlkit.components import PARTS
from installed import all_but

REMOTE = """
from dlkit import *
from dlkit.components import LayoutFile

@hookimpl
def dlkit_tasks():
    defaults = dict(dataset="far", model="m", loss="l", trainer="supervised", inference="i")
    return [TaskSpec(name="remote", title="Remote", summary="s", target="remote_plugin:x", metric="val/a",
                     direction="max", defaults=defaults)]

@hookimpl
def dlkit_sources():
    file = SourceFile(url="https://example.org/a.bin", size=11_500_000, sha256="0" * 64)
    return [SourceSpec(name="far", summary="far away", files=(file,), layout=(LayoutFile(path="a.bin", size=3),))]

@hookimpl
def dlkit_datasets():
    return [DatasetSpec(name="far", task="remote", summary="s", target="remote_plugin:x", sources=("far",)),
            DatasetSpec(name="lost", task="remote", summary="s", target="remote_plugin:x", sources=("nowhere",))]
"""
BROKEN = "raise RuntimeError('no\\nluck')\n"
BAD_CONFIG = """
from dlkit import ModelSpec, hookimpl

@hookimpl
def dlkit_models():
    return [ModelSpec(name="odd", task="toy", summary="s", target="nowhere:x", config="nowhere_at_all:Config")]
"""
CLAIMER = """
from dlkit import ModelSpec, hookimpl

@hookimpl
def dlkit_models():
    return [ModelSpec(name="linear", task="toy", summary="s", target="nowhere:x")]
"""


@pytest.fixture
def install(write_plugin, monkeypatch):
    def installed(name, source):
        monkeypatch.syspath_prepend(str(write_plugin(name, source)))
        invalidate_caches()

    return installed


def test_tasks_lists_names_defaults_and_data(dlkit, tmp_path):
    outcome = dlkit("tasks", "--workspace", tmp_path)
    assert outcome.code == 0
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("toy")]
    assert line.split()[1:] == ["Toy", "plane", "embedded", "linear", "val/mse"]
    (task,) = dlkit("tasks", "--json", "--workspace", tmp_path).json
    assert task["name"] == "toy"
    assert task["defaults"]["trainer"] == "supervised"
    assert task["datasets"][0]["state"] == "embedded"
    assert task["models"] == ["faulty", "linear"]


def test_tasks_names_the_components_that_a_run_has_by_default(dlkit, monkeypatch, tmp_path):
    monkeypatch.setenv("DLKIT_DISABLE", all_but("localization"))
    (task,) = dlkit("tasks", "--json", "--workspace", tmp_path).json
    config = tomllib.loads(dlkit("train", "localization", "--print-config").out)
    assert task["defaults"] == {part: config[part]["name"] for part in PARTS}
    assert task["defaults"]["loss"] == "iou", "the model's, not the task's own"


def test_tasks_tells_what_must_be_downloaded(dlkit, install, tmp_path):
    install("remote", REMOTE)
    outcome = dlkit("tasks", "--workspace", tmp_path)
    assert "to be downloaded (11.5 MB)" in outcome.out
    states = {d["name"]: d["state"] for d in dlkit("tasks", "--json", "--workspace", tmp_path).json[0]["datasets"]}
    assert states == {"far": "download", "lost": "unknown"}
    (tmp_path / "data" / "far").mkdir(parents=True)
    (tmp_path / "data" / "far" / "a.bin").write_bytes(b"abc")
    assert dlkit("tasks", "--json", "--workspace", tmp_path).json[0]["datasets"][0]["state"] == "present"


def test_tasks_shows_broken_plugins_below_in_one_line(dlkit, install, tmp_path):
    install("broken", BROKEN)
    outcome = dlkit("tasks", "--workspace", tmp_path)
    assert outcome.code == 0
    assert "toy" in outcome.out
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("broken")]
    assert line == "broken (dlkit-broken 1.0) is broken: RuntimeError: no"


def test_plugins_lists_what_each_offers(dlkit):
    outcome = dlkit("plugins")
    assert outcome.code == 0
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("toy")]
    assert "dlkit-toy 1.0" in line
    assert "1 task, 1 dataset, 2 models, 1 loss, 1 inference" in line
    found = {plugin["name"]: plugin for plugin in dlkit("plugins", "--json").json}
    assert found["dlkit"]["offers"] == {"source": 12, "trainer": 2, "launcher": 2}
    assert found["toy"]["state"] == "ready"
    assert found["regression"]["state"] == "disabled"


def test_plugins_shows_broken_ones_with_reason_and_exits_with_0(dlkit, install):
    install("broken", BROKEN)
    outcome = dlkit("plugins")
    assert outcome.code == 0
    assert "broken (dlkit-broken 1.0) is broken: RuntimeError: no" in outcome.out
    assert "Traceback" not in outcome.out
    assert "raise RuntimeError" in dlkit("plugins", "--verbose").out
    (broken,) = [p for p in dlkit("plugins", "--verbose", "--json").json if p["name"] == "broken"]
    assert "raise RuntimeError" in broken["traceback"]


def test_plugins_shows_components_that_were_lost(dlkit, install):
    install("claimer", CLAIMER)
    outcome = dlkit("plugins")
    assert outcome.code == 0
    said = "model 'linear' for task 'toy' is already offered by plugin 'toy'"
    assert f"claimer (dlkit-claimer 1.0) lost a component: {said}" in outcome.out
    (claimer,) = [p for p in dlkit("plugins", "--json").json if p["name"] == "claimer"]
    assert claimer["refused"] == [{"kind": "model", "name": "linear", "reason": said}]
    assert (claimer["state"], claimer["offers"]) == ("ready", {})


def test_components_lists_options_with_bounds(dlkit):
    text = dlkit("components", "model").out
    assert "model linear  (toy, for toy, supervised)" in text
    assert "dropout: Share of inputs left out at a step [number ≥ 0, < 1; default 0.1]" in text
    assert "dataset" not in text


def test_components_json_has_the_schema(dlkit):
    found = {(c["kind"], c["name"]): c for c in dlkit("components", "--task", "toy", "--json").json}
    linear = found["model", "linear"]
    assert linear["interface"] == "supervised"
    assert linear["schema"]["properties"]["dropout"]["exclusiveMaximum"] == 1
    assert {"name", "type", "allowed", "default", "required", "description"} == linear["options"][0].keys()
    assert found["task", "toy"]["contract"]["batch"]["x"]["column"] == "float32[N,D]"
    assert ("trainer", "supervised") in found


def test_components_of_a_task_prints_its_contract(dlkit):
    text = dlkit("components", "--task", "toy").out
    assert text.startswith("contract of task toy")
    assert "x: float32[N,D]" in text
    assert "features: size of x [integer; required]" in text


def test_a_source_that_two_plugins_declare_is_listed_once(dlkit, install):
    install("remote", REMOTE)
    install("other", REMOTE.replace('"remote"', '"other"'))
    names = [record["name"] for record in dlkit("components", "source", "--json").json]
    assert names.count("far") == 1


def test_a_component_whose_options_cannot_be_imported_is_listed_with_the_reason(dlkit, install):
    install("odd", BAD_CONFIG)
    outcome = dlkit("components", "model")
    assert outcome.code == 0
    assert "cannot be used: model 'odd' of plugin 'odd'" in outcome.out
    assert "model linear" in outcome.out


@pytest.mark.parametrize(
    ("words", "said"), [(("modle",), "did you mean 'model'?"), (("--task", "tyo"), "did you mean 'toy'?")]
)
def test_components_refuses_unknown_kinds_and_tasks(dlkit, words, said):
    outcome = dlkit("components", *words)
    assert outcome.code == 2
    assert said in outcome.err


def test_doctor_finds_everything_in_order(dlkit, tmp_path):
    outcome = dlkit("doctor", "--workspace", tmp_path / "new")
    assert outcome.code == 0
    assert "torch" in outcome.out and "cpu" in outcome.out and "not there yet" in outcome.out
    assert not (tmp_path / "new").exists()
    found = dlkit("doctor", "--json", "--workspace", tmp_path).json
    assert found["versions"]["torch"]
    assert found["devices"][0]["device"] == "cpu"
    assert found["workspace"]["writable"] is True
    assert not [problem for problem in found["problems"] if problem["stops_training"]]


def test_doctor_says_where_dlkit_may_use_fewer_cores_than_there_are(dlkit, tmp_path, monkeypatch):
    monkeypatch.setattr("dlkit.cli.machine.own_cores", lambda: 1)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert "64 cores, 1 for dlkit, threads a step: up to 1" in dlkit("doctor", "--workspace", tmp_path).out


def test_doctor_says_what_stops_training_and_what_to_do(dlkit, install, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    outcome = dlkit("doctor", "--workspace", tmp_path / "file" / "workspace")
    assert outcome.code == 1
    assert "cannot be written\n  give another with --workspace" in outcome.out
    install("broken", BROKEN)
    outcome = dlkit("doctor", "--workspace", tmp_path)
    assert outcome.code == 4
    assert "note: plugin 'broken' is broken: RuntimeError: no" in outcome.out
    assert outcome.out.count("RuntimeError: no") == 1
    monkeypatch.setenv("DLKIT_DISABLE", all_but())
    outcome = dlkit("doctor", "--workspace", tmp_path)
    assert outcome.code == 1
    assert "problem: no plugin offers a task" in outcome.out


def test_doctor_reports_offline(dlkit, tmp_path, monkeypatch):
    monkeypatch.setenv("DLKIT_OFFLINE", "1")
    assert dlkit("doctor", "--json", "--workspace", tmp_path).json["network"]["offline"] is True


def test_unknown_commands_and_options_exit_with_2(dlkit):
    outcome = dlkit("taks")
    assert outcome.code == 2
    assert "did you mean 'tasks'?" in outcome.err
    for command in ("tasks", "plugins", "components", "show", "compare", "clean", "doctor"):
        assert dlkit(command, "--no-such-option").code == 2

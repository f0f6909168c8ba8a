"""Plugins that misbehave: none stops the others, each is kept with its reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import invalidate_caches
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import dlkit
from dlkit.catalog import BUILTIN, GROUP, Catalog, load_target
from dlkit.errors import PluginError, UsageError

HEAD = "from dlkit import *\nfrom dlkit import hookimpl\n"
MODEL = "ModelSpec(name={name!r}, task={task!r}, summary='s', target='m:x')"


def models(*names: str, task: object = "toy") -> str:
    specs = ", ".join(MODEL.format(name=name, task=task) for name in names)
    return f"{HEAD}\n@hookimpl\ndef dlkit_models():\n    return [{specs}]\n"


def source(size: int) -> str:
    file = f"SourceFile(url='https://example.org/a', size={size}, sha256='0')"
    return f"{HEAD}\n@hookimpl\ndef dlkit_sources():\n    return [SourceSpec(name='a', summary='s', files=({file},))]\n"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """``load(bad=source)``: a catalogue of the built-in plugin, toy, and modules of these sources, all loaded."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def loaded(disabled: tuple[str, ...] = (), seconds: float | None = None, **sources: str) -> Catalog:
        entries = [EntryPoint(BUILTIN, "dlkit.builtin", GROUP), EntryPoint("toy", "toy", GROUP)]
        for name, text in sources.items():
            (tmp_path / f"{name}_{tmp_path.name}.py").write_text(text)
            entries.append(EntryPoint(name, f"{name}_{tmp_path.name}", GROUP))
        invalidate_caches()
        catalog = Catalog(entries, disabled)
        catalog.load_all(seconds)
        return catalog

    return loaded


def plugin(catalog: Catalog, name: str):
    return next(p for p in catalog.plugins if p.name == name)


BROKEN = {
    "raises at import": ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
    "ends the process": ("import sys; sys.exit(3)", "SystemExit: 3"),
    "is no Python": ("def (", "SyntaxError: "),
    "imports what is missing": ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
    "misspells a hook": (models("a").replace("dlkit_models", "dlkit_modles"), "dlkit_modles"),
    "lacks the mark": (models("a").replace("@hookimpl", ""), "dlkit_models lacks the @hookimpl mark"),
    "takes an unknown argument": (models("a").replace("models()", "models(x)"), "dlkit_models"),
    "returns nothing": (
        f"{HEAD}\n@hookimpl\ndef dlkit_models():\n    return 3\n",
        "dlkit_models returned int, not a list",
    ),
    "returns text": (
        f"{HEAD}\n@hookimpl\ndef dlkit_models():\n    return 'mlp'\n",
        "dlkit_models returned str, not a list",
    ),
    "returns strangers": (
        f"{HEAD}\n@hookimpl\ndef dlkit_models():\n    return ['mlp']\n",
        "returned a str, not a ModelSpec",
    ),
    "returns the wrong kind": (
        models("a").replace("dlkit_models", "dlkit_losses"),
        "returned a ModelSpec, not a LossSpec",
    ),
    "raises in a hook": (
        f"{HEAD}\n@hookimpl\ndef dlkit_models():\n    return 1 / 0\n",
        "ZeroDivisionError: division by zero",
    ),
    "has a bad name": (models("Big Name"), "'Big Name' is not made of lower-case letters"),
    "has a bad target": (models("a").replace("m:x", "m.x"), "target 'm.x' is not of the form"),
}


@pytest.mark.parametrize(("text", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_kept_with_its_reason_and_the_others_go_on(load, text, reason):
    catalog = load(unsound=text, zgood=models("after"))
    bad = plugin(catalog, "unsound")
    assert bad.state == "broken"
    assert reason in bad.reason
    assert "Traceback" in bad.traceback
    assert bad.specs == ()
    assert {s.name for s in catalog.specs("model", "toy")} == {"after", "faulty", "linear"}
    with pytest.raises(PluginError, match="plugin 'unsound' is broken"):
        catalog.load("unsound")


CLAIMING = {
    "takes a model's name": (models("linear", "b"), "model 'linear' for task 'toy' is already offered by plugin 'toy'"),
    "takes it for any task": (models("linear", "b", task="any"), "is already offered by plugin 'toy'"),
    "takes it for two tasks": (models("linear", "b", task=("own", "toy")), "is already offered by plugin 'toy'"),
    "offers a name twice": (models("b", "b"), "model 'b' for task 'toy' is already offered by plugin 'claimer'"),
    "offers one thing twice": (
        models("b").replace("return [", "return 2 * ["),
        "model 'b' for task 'toy' is already offered by plugin 'claimer'",
    ),
}


@pytest.mark.parametrize("name", ["claimer", "zclaimer"])
@pytest.mark.parametrize(("text", "reason"), CLAIMING.values(), ids=CLAIMING)
def test_who_claims_a_taken_name_loses_that_component_alone(load, text, reason, name):
    catalog = load(**{name: text})
    claimer, toy = plugin(catalog, name), plugin(catalog, "toy")
    assert (claimer.state, [spec.name for spec in claimer.specs]) == ("ready", ["b"])
    assert [reason.replace("claimer", name) in refused.reason for refused in claimer.refused] == [True]
    assert (toy.state, toy.refused) == ("ready", ())
    assert catalog.owner(catalog.find("model", "linear", "toy")) is toy
    assert catalog.load(name) is claimer
    assert len(claimer.refused) == 1


@pytest.mark.parametrize("first", ["toy", "aaa"])
def test_a_task_keeps_its_components_whoever_comes_first(load, first):
    """``aaa`` has a task of its own, named as itself, and comes before ``toy`` in every order."""
    own = (Path(__file__).parent / "toy.py").read_text().replace('name="toy"', 'name="aaa"')
    catalog = load(aaa=own)  # its components are still for the task toy
    catalog.load(first)
    assert [p.state for p in (plugin(catalog, "toy"), plugin(catalog, "aaa"))] == ["ready", "ready"]
    assert plugin(catalog, "toy").refused == ()
    assert [spec.kind for spec in plugin(catalog, "aaa").specs] == ["task"]
    assert {(r.spec.kind, r.spec.name) for r in plugin(catalog, "aaa").refused} == {
        ("dataset", "plane"), ("model", "linear"), ("model", "faulty"), ("loss", "mse"), ("inference", "values")
    }  # fmt: skip


def test_a_task_name_is_taken_once(load):
    text = (Path(__file__).parent / "toy.py").read_text()
    catalog = load(twin=text)
    assert plugin(catalog, "toy").state == "ready"
    assert "task 'toy' is already offered by plugin 'toy'" in [r.reason for r in plugin(catalog, "twin").refused]
    assert plugin(catalog, "twin").specs == ()


def test_one_name_may_serve_different_tasks(load):
    catalog = load(other=models("linear", task="elsewhere"))
    assert plugin(catalog, "other").state == "ready"
    assert catalog.find("model", "linear", "toy").task == "toy"
    assert catalog.find("model", "linear", "elsewhere").task == "elsewhere"


def test_equal_sources_may_be_declared_twice_and_differing_ones_not(load):
    same = load(one=source(5), two=source(5))
    assert plugin(same, "two").state == "ready"
    differing = load(three=source(5), four=source(6))
    (refused,) = plugin(differing, "three").refused
    assert refused.reason == "source 'a' is already offered by plugin 'four'"


def test_a_second_plugin_of_a_name_is_refused(tmp_path, monkeypatch):
    (tmp_path / "second_of_toy.py").write_text("raise AssertionError('never imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    catalog = Catalog([EntryPoint("toy", "toy", GROUP), EntryPoint("toy", "second_of_toy", GROUP)])
    catalog.load_all()
    assert {p.module: p.state for p in catalog.plugins} == {"toy": "ready", "second_of_toy": "broken"}
    assert "the name 'toy' is taken by toy" in catalog.plugins[1].reason


def test_a_disabled_plugin_is_not_imported(load):
    catalog = load(disabled=("bad",), bad="raise AssertionError('imported')")
    assert plugin(catalog, "bad").state == "disabled"
    assert "DLKIT_DISABLE" in plugin(catalog, "bad").reason
    with pytest.raises(PluginError, match="disabled"):
        catalog.load("bad")


def test_a_plugin_that_never_loads_keeps_nobody_waiting_who_sets_a_limit(load):
    catalog = load(seconds=1.0, endless=f"import time; time.sleep(30)\n{models('late')}", other=models("early"))
    endless = plugin(catalog, "endless")
    assert (endless.state, endless.reason, endless.specs) == ("broken", "has not been imported within 1 s", ())
    assert plugin(catalog, "other").state == "ready"
    assert catalog.find("model", "early", "toy").name == "early"


def test_a_slow_plugin_works_and_is_reported(load):
    catalog = load(slow=f"import time; time.sleep(0.6)\n{models('late')}")
    slow = plugin(catalog, "slow")
    assert slow.state == "slow"
    assert slow.usable and slow.seconds > 0.5
    assert catalog.find("model", "late", "toy")


@pytest.mark.skipif(not Path("/proc/thread-self/schedstat").exists(), reason="only Linux tells who waited for a core")
def test_a_busy_machine_makes_no_plugin_slow(load):
    """Others have the core for most of the time that it takes."""
    wait = "import time\nend = time.thread_time() + 0.3\nwhile time.thread_time() < end: pass"
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    others = [
        subprocess.Popen([sys.executable, "-c", "print(1, flush=True)\nwhile True: pass"], stdout=-1) for _ in "abc"
    ]
    try:
        for other in others:
            assert other.stdout.readline()
        catalog = load(good=f"{wait}\n{models('m')}")
    finally:
        os.sched_setaffinity(0, cores)
        for other in others:
            other.kill()
            other.communicate()
    good = plugin(catalog, "good")
    assert good.state == "ready" and good.seconds < 0.5


def test_names_are_known_without_importing(tmp_path, monkeypatch):
    (tmp_path / "never_imported.py").write_text("raise AssertionError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    catalog = Catalog([EntryPoint("never", "never_imported", GROUP)])
    assert [(p.name, p.state) for p in catalog.plugins] == [("never", "found")]
    assert catalog.specs("model") == []


def test_finding_names_the_nearest_and_the_broken(load):
    catalog = load(bad="raise RuntimeError('no luck')")
    with pytest.raises(UsageError, match=r"no model 'liner' for task 'toy': did you mean 'linear'\?.*'bad' is broken"):
        catalog.find("model", "liner", "toy")
    with pytest.raises(PluginError, match="plugin 'bad' is broken: RuntimeError: no luck"):
        catalog.task("bad")
    with pytest.raises(UsageError, match="no plugin 'tyo': did you mean 'toy'"):
        catalog.load("tyo")


def test_finding_a_component_that_was_lost_says_so(load):
    catalog = load(claimer=models("linear", task=("own", "toy")))
    with pytest.raises(
        UsageError, match=r"no model 'linear' for task 'own': .*model 'linear' .* is already offered by"
    ):
        catalog.find("model", "linear", "own")


def test_a_component_that_cannot_be_imported_names_its_plugin(load):
    catalog = load(hollow=models("hollow").replace("m:x", "nowhere_at_all:build"))
    with pytest.raises(PluginError, match="model 'hollow' of plugin 'hollow': cannot import nowhere_at_all:build"):
        load_target(catalog.find("model", "hollow", "toy"), catalog)


def test_observers_are_those_that_implement_the_hook(load):
    text = f"{HEAD}\n@hookimpl\ndef dlkit_event(run, event):\n    pass\n"
    assert [p.name for p in load(watcher=text).observers()] == ["watcher"]


def test_installed_plugins_are_found_by_their_metadata(write_plugin):
    """As pip leaves them: three distributions, one of them broken, one disabled, in a process of its own."""
    write_plugin("good", models("good-model", task="any"), version="2.5")
    write_plugin("ugly", "raise SystemExit('out')")
    root = write_plugin("unwanted", "raise AssertionError('imported')")
    path = os.pathsep.join([str(Path(dlkit.__file__).parents[1]), str(root)])
    environment = {**os.environ, "PYTHONPATH": path, "DLKIT_DISABLE": "unwanted, classification"}
    command = [sys.executable, "-m", "dlkit", "plugins", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = {p["name"]: p for p in json.loads(done.stdout)}
    good = found["good"]
    assert (good["state"], good["distribution"], good["version"]) == ("ready", "dlkit-good", "2.5")
    assert good["components"] == [{"kind": "model", "name": "good-model"}]
    assert (found["ugly"]["state"], found["ugly"]["reason"]) == ("broken", "SystemExit: out")
    assert found["unwanted"]["state"] == found["classification"]["state"] == "disabled"
    used = subprocess.run(
        [sys.executable, "-m", "dlkit", "train", "ugly"], env=environment, capture_output=True, text=True
    )
    assert used.returncode == 4
    assert "plugin 'ugly' is broken: SystemExit: out" in used.stderr

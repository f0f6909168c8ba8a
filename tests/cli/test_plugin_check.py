"""``dlkit plugins --check`` and ``doctor``: what of the plugins' components cannot be used, by name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path

import pytest

from outcome import Outcome

HEAD = "from dlkit import *\nfrom dlkit.components import PARTS\n"
MODEL = (
    HEAD
    + """
@hookimpl
def dlkit_models():
    return [ModelSpec(name="planted", task="toy", summary="s", {fields})]
"""
)
OTHERS = (
    HEAD
    + """
@hookimpl
def {hook}():
    return [{spec}(name="planted", task="toy", summary="s", target="{target}", **{more})]
"""
)
TASK = (
    HEAD
    + """
@hookimpl
def dlkit_tasks():
    names = dict(dataset="plane", model="lineal", loss="mse", trainer="supervised", inference="values")
    return [TaskSpec(name="planted", title="Planted", summary="s", target="{target}", defaults=names,
                     metric="val/mse", direction="min")]
"""
)
FINE = 'target="toy_parts:build_linear", config="toy_options:LinearConfig"'


def model(fields: str) -> str:
    return MODEL.format(fields=fields)


def suggesting(settings: str, when: str = "{}") -> str:
    return model(f"{FINE}, suggest=(Suggest(settings={settings}, when={when}),)")


def other(hook: str, spec: str, target: str, more: str = "{}") -> str:
    return OTHERS.format(hook=hook, spec=spec, target=target, more=more)


WRONG = {
    "a module that is not there": (
        model('target="nowhere_at_all:build"'),
        ("model", "planted", "cannot import nowhere_at_all:build: ModuleNotFoundError"),
    ),
    "a function that is not there": (
        model('target="toy_parts:build_lineal"'),
        ("model", "planted", "cannot import toy_parts:build_lineal: AttributeError"),
    ),
    "a module that exits": (model('target="planted_exits:build"'), ("model", "planted", "SystemExit: no")),
    "what cannot be called": (model('target="toy_parts:SLOPES"'), ("model", "planted", "SLOPES cannot be called")),
    "options that are none": (
        model('target="toy_parts:build_linear", config="toy_options:ToyInfo"'),
        ("model", "planted", "toy_options:ToyInfo is not a subclass of dlkit.config.Config"),
    ),
    "a migration that is not there": (
        model(f'{FINE}, migrate="toy_options:upgrade"'),
        ("model", "planted", "cannot import toy_options:upgrade: AttributeError"),
    ),
    "a trainer that is none": (
        other("dlkit_trainers", "TrainerSpec", "toy_parts:build_linear"),
        ("trainer", "planted", "is not a subclass of dlkit.engine.trainer.Trainer"),
    ),
    "a predictor that is none": (
        other("dlkit_inference", "InferenceSpec", "toy_parts:build_linear"),
        ("inference", "planted", "is not a subclass of dlkit.predictor.Predictor"),
    ),
    "a source that is not there": (
        other("dlkit_datasets", "DatasetSpec", "toy_parts:build_plane", "dict(sources=('mnits',))"),
        ("dataset", "planted", "no source 'mnits': did you mean 'mnist'?"),
    ),
    "a misspelt option": (
        suggesting("{'trainer.lrr': 1.0}"),
        ("model", "planted", "suggests trainer.lrr: no such option: did you mean 'lr'?"),
    ),
    "a misspelt option of the engine": (
        suggesting("{'engine.epoch': 1}"),
        ("model", "planted", "suggests engine.epoch: no such option: did you mean 'epochs'?"),
    ),
    "a misspelt part": (
        suggesting("{'trainr.lr': 1.0}"),
        ("model", "planted", "suggests trainr.lr: no part 'trainr': did you mean 'trainer'?"),
    ),
    "a value out of bounds": (
        suggesting("{'engine.epochs': 'many'}"),
        ("model", "planted", "suggests engine.epochs = 'many': Input should be a valid integer"),
    ),
    "a component that is not there": (
        suggesting("{'loss': 'mes'}"),
        ("model", "planted", "suggests loss: no loss 'mes': did you mean 'mse'?"),
    ),
    "a condition that never holds": (
        suggesting("{'engine.epochs': 1}", "{'dataset': 'plain'}"),
        ("model", "planted", "suggests when dataset = 'plain': no dataset 'plain': did you mean 'plane'?"),
    ),
    "a misspelt condition": (
        suggesting("{'engine.epochs': 1}", "{'datset': 'plane'}"),
        ("model", "planted", "suggests when datset = 'plane': no part 'datset': did you mean 'dataset'?"),
    ),
    "a default that is not there": (
        model(f"{FINE}, defaults=dict(loss='mes')"),
        ("model", "planted", "defaults: no loss 'mes': did you mean 'mse'?"),
    ),
    "a task that is none": (
        TASK.format(target="toy_options:ToyInfo"),
        ("task", "planted", "toy_options:ToyInfo is not a subclass of dlkit.task.Task"),
    ),
    "a task's default that is not there": (
        TASK.format(target="toy_options:ToyTask"),
        ("task", "planted", "defaults: no model 'lineal': "),
    ),
    "presets that are not there": (
        model(f'{FINE}, presets="toy:nowhere"'),
        ("model", "planted", "preset file toy:nowhere is broken: "),
    ),
    "a name that is taken": (
        other("dlkit_losses", "LossSpec", "toy_parts:build_mse").replace('name="planted"', 'name="mse"'),
        ("loss", "mse", "loss 'mse' for task 'toy' is already offered by plugin 'toy'"),
    ),
    "a module that raises": ("raise RuntimeError('no')", ("", "", "RuntimeError: no")),
}


@pytest.fixture
def install(write_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def installed(source: str) -> None:
        root = write_plugin("planted", source)
        (root / "planted_exits.py").write_text("raise SystemExit('no')")
        monkeypatch.syspath_prepend(str(root))
        invalidate_caches()

    return installed


def test_nothing_is_wrong_with_what_is_sound(dlkit: Callable[..., Outcome], install: Callable[[str], None]) -> None:
    install(suggesting("{'trainer.lr': 0.5, 'engine.epochs': None, 'loss': 'mse'}", "{'dataset': 'plane'}"))
    outcome = dlkit("plugins", "--check")
    assert outcome.code == 0
    assert outcome.out.endswith(" components, every one can be used\n")
    assert dlkit("plugins", "--check", "--json").json == []


@pytest.mark.parametrize(("source", "expected"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_used_is_told_by_name(
    dlkit: Callable[..., Outcome], install: Callable[[str], None], source: str, expected: tuple[str, str, str]
) -> None:
    install(source)
    kind, name, said = expected
    outcome = dlkit("plugins", "--check", "--json")
    assert outcome.code == 4
    problems = [p for p in outcome.json if said in p["problem"]]
    assert [(p["plugin"], p["kind"], p["name"]) for p in problems] == [("planted", kind, name)]
    assert {p["plugin"] for p in outcome.json} == {"planted"}
    assert said in dlkit("plugins", "--check").out


def test_doctor_tells_it_too(dlkit: Callable[..., Outcome], install: Callable[[str], None], tmp_path: Path) -> None:
    install(suggesting("{'trainer.lrr': 1.0}"))
    outcome = dlkit("doctor", "--workspace", tmp_path)
    assert outcome.code == 4
    assert "note: plugin planted: model planted: suggests trainer.lrr: no such option" in outcome.out
    assert "see `dlkit plugins --check`" in outcome.out


def test_the_list_alone_imports_no_torch(toy_installed: Path) -> None:
    code = "import sys; from dlkit.cli.main import main; main(['plugins']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0

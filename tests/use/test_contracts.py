"""Every task gives a batch of nobody's data, and every predictor says what it takes from afar and keeps to it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine.build import Job, build_predictor, predictor_class, prepare
from dlkit.errors import DataError, DlkitError, PluginError, UsageError
from dlkit.predictor import AnyPredictor
from dlkit.task import axes_of, check_columns, first_batch
from small import UNTRAINED, models, small
from toy_options import ToyInfo, ToyTask

CATALOG = Catalog.load_everything()
MODELS = models(CATALOG)
FIRST = list({task: (task, model) for task, model in reversed(MODELS)}.values())
"""A model of each task."""


@cache
def job(task: str, model: str) -> Job:
    resolved = resolve(CATALOG, task, [Layer("test", small(task, model, steps=0 if (task, model) in UNTRAINED else 2))])
    return prepare(CATALOG, resolved, make_context(CATALOG, Path(mkdtemp())))


def predictors(task: str, model: str) -> Iterator[AnyPredictor]:
    """Of all components that can ask it, the run's own first."""
    made = job(task, model)
    own = made.resolved.specs["inference"].name
    names = [own, *(spec.name for spec in CATALOG.specs("inference", task) if spec.name != own)]
    for name in names:
        kind = predictor_class(CATALOG, CATALOG.find("inference", name, task))
        if kind.lacks(made.task, made.trainer.model, made.info):
            continue
        layers = [Layer("run", made.resolved.values()), Layer("other", {"inference": {"name": name}})]
        resolved = resolve(CATALOG, task, layers if name != own else layers[:1], suggest=False)
        yield build_predictor(CATALOG, resolved, made.task, made.trainer.model, made.info)


@pytest.mark.parametrize(("task", "model"), MODELS)
def test_an_example_is_a_batch_of_the_task_that_its_models_take(task: str, model: str) -> None:
    made = job(task, model)
    batch = made.task.example(made.info, 3, seed=1)
    sizes = check_columns(made.task.batch, batch, "its example", {**axes_of(made.info), "N": 3})
    data = first_batch(made.data.val, 2)
    fixed = {axis: size for axis, size in check_columns(made.task.batch, data, "its data").items() if axis != "N"}
    assert {axis: sizes[axis] for axis in fixed if axis not in made.task.free} == {
        axis: size for axis, size in fixed.items() if axis not in made.task.free
    }
    again, other = made.task.example(made.info, 3, seed=1), made.task.example(made.info, 3, seed=2)
    assert all(torch.equal(batch[key], again[key]) for key in batch)
    assert any(not torch.equal(batch[key], other[key]) for key in made.task.inputs)
    network = made.trainer.model.eval()
    with torch.no_grad():
        for given in (batch, made.task.example(made.info, 1), data):
            outputs = network(*(given[key] for key in made.task.inputs))
            declared = made.task.outputs if isinstance(made.task.outputs, Mapping) else {"": made.task.outputs}
            found = outputs if isinstance(outputs, Mapping) else {"": outputs}
            of_batch = check_columns(made.task.batch, given, "it")
            check_columns(declared, found, "its outputs", {**made.task.axes(made.info), **of_batch})
            assert all(torch.isfinite(found[key]).all() for key in declared)


@pytest.mark.parametrize(("task", "model"), [(t, m) for t, m in MODELS if t in ("textgen", "translation", "kernels")])
def test_free_axes_have_other_sizes(task: str, model: str) -> None:
    made = job(task, model)
    for size in (2, 5):
        batch = made.task.example(made.info, 2, sizes=dict.fromkeys(made.task.free, size))
        assert all(check_columns(made.task.batch, batch, "it")[axis] == size for axis in made.task.free)
        with torch.no_grad():
            made.trainer.model.eval()(*(batch[key] for key in made.task.inputs))


def test_an_example_says_what_it_lacks() -> None:
    class Sizeless(ToyTask):
        def axes(self, info: ToyInfo) -> dict[str, int]:
            return {}

    task = Sizeless()
    task.name = "toy"
    with pytest.raises(PluginError, match=r"task 'toy': no example of 'x' \(float32\[N,D\]\).* the size of D"):
        task.example(ToyInfo(features=3))
    with pytest.raises(UsageError, match="axis 'D' has one size"):
        ToyTask().example(ToyInfo(features=3), sizes={"D": 4})


@contextmanager
def watched_opens() -> Iterator[list[str]]:
    _OPENED.clear()
    _WATCHING.append(True)
    try:
        yield _OPENED
    finally:
        _WATCHING.clear()


_OPENED: list[str] = []
_WATCHING: list[bool] = []
sys.addaudithook(lambda event, args: _OPENED.append(str(args[0])) if _WATCHING and event == "open" else None)

STRANGE: list[Any] = [
    None, True, 7, -1, 1e400, float("nan"), 2**80, "", " ", "a" * 300, "\0", "/etc/passwd", "../secret.png", "-",
    "file:///etc/passwd", "http://127.0.0.1/x.png", "data:image/png;base64,AAAA", "data:,x", "iVBORw0KGgo=", "\ud800",
    [], [[]], [1, 2], [[1, 2], [3]], [["a"]], [[[300]]], [None] * 3, {}, {"x": {}}, {"path": "/etc/passwd"}, [[[[]]]],
    b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xfe", b"8\0\0\0\0\0\0\0{", bytes(64), {"a": [1] * 100},
]  # fmt: skip


@pytest.mark.parametrize(("task", "model"), FIRST)
def test_questions_from_afar(task: str, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the schema says is what is taken and answered; what is strange is refused by its own error, and nothing that
    a stranger names is opened."""
    monkeypatch.chdir(tmp_path)
    for name in ("secret.png", "secret.txt", "secret"):
        (tmp_path / name).write_text("word1 word2 1.0\n")
    for number, predictor in enumerate(predictors(task, model)):
        schema = predictor.schema()
        for part in (schema["question"], schema["answer"]):
            Draft202012Validator.check_schema(part)
        try:
            value = predictor.accept(json.loads(json.dumps(schema["example"])))
        except UsageError as error:
            assert number and ("dlkit sample" in str(error) or "no accept()" in str(error)), error
            continue
        except DataError as error:
            assert schema["example"] in ("", None) or number, (schema, error)
            continue
        Draft202012Validator(schema["question"]).validate(schema["example"])
        (answer,) = predictor.predict([value])
        Draft202012Validator(schema["answer"]).validate(json.loads(json.dumps(dict(answer))))
        with watched_opens() as opened:
            for strange in [*STRANGE, "secret.png", "secret.txt", "secret", str(tmp_path / "secret.txt")]:
                if number and len(str(strange)) > 100:
                    continue  # those that look inside translate a text before they take it
                try:
                    accepted = predictor.accept(strange)
                except DlkitError as error:
                    assert str(error) and len(str(error)) < 2500
                    continue
                if task != "style" and len(str(strange)) < 100:
                    predictor.predict([accepted])
        assert not [name for name in opened if "secret" in name or "passwd" in name], opened

"""Of every model that ships: Muon has the hidden matrices, AdamW the rest; answers and embeddings are never Muon's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from torch import nn

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.engine.build import Job, prepare, trainer_class
from dlkit.engine.supervised import SupervisedTrainer, _muon_parameters
from small import models, small

CATALOG = Catalog.load_everything()
ANSWERS: Mapping[str, set[str]] = {
    "autoencoder convolutional": {"decoder.13.weight"},
    "autoencoder deep": {"decoder.2.weight"},
    "autoencoder denoising": {"decoder.13.weight"},
    "autoencoder linear": {"decoder.weight"},
    "autoencoder variational": {"decoder.14.weight", "mixture.mean", "mixture.log_variance"},
    "classification cnn": {"11.weight"},
    "classification mlp": {"5.weight"},
    "classification pretrained": {"head.3.weight"},
    "classification resnet": {"head.weight"},
    "conjugation attention": {"head.4.weight"},
    "conjugation mlp": {"head.4.weight"},
    "conjugation rnn": {"head.4.weight"},
    "detection grid-lenet": {"last.weight"},
    "detection grid-relu": {"last.weight"},
    "detection grid-wide": {"last.weight"},
    "detection pyramid": {"head.objects.weight", "head.boxes.weight"},
    "embeddings cbow": {"head.weight"},
    "localization lenet": {"head.weight"},
    "localization lenet-relu": {"head.weight"},
    "localization lenet-wide": {"head.weight"},
    "localization spotlight": {"grid.weight", "present.weight", "classes.1.weight"},
    "points mlp": {"layers.1.weight"},
    "regression mlp": {"3.weight"},
    "textgen gru": {"head.weight"},
    "textgen lstm": {"head.weight"},
    "textgen transformer": set(),  # they are made by the embedding
    "translation recurrent": {"combine.weight"},  # what the embedding makes them of
    "translation transformer": set(),
}
"""By task and model, the matrices that make answers, or the prior of codes."""
ALONE = {"regression linear", "points perceptron", "points logistic", "points softmax"}
"""Models of one matrix: whoever asks for Muon there has nothing else for it."""
NOTHING = {"kernels fixed", "kernels learnt"}
"""Models without a matrix: a kernel's numbers are a vector, and given ones are nothing to learn."""


@cache
def job(task: str, model: str) -> Job:
    resolved = resolve(CATALOG, task, [Layer("test", small(task, model))])
    return prepare(CATALOG, resolved, make_context(CATALOG, Path(mkdtemp())))


def is_supervised(task: str, model: str) -> bool:
    resolved = resolve(CATALOG, task, [Layer("test", small(task, model))])
    return issubclass(trainer_class(CATALOG, resolved), SupervisedTrainer)


SUPERVISED = [pair for pair in models(CATALOG) if is_supervised(*pair) and " ".join(pair) not in NOTHING]


@pytest.mark.parametrize(("task", "model"), SUPERVISED)
def test_every_parameter_goes_where_it_belongs(task: str, model: str) -> None:
    trainer, name = job(task, model).trainer, f"{task} {model}"
    matrices, rest = _muon_parameters(trainer.model, trainer.parameters)
    assert sorted(map(id, [*matrices, *rest])) == sorted(map(id, trainer.parameters))
    if name in ALONE:
        assert [p.dim() > 1 for p in trainer.parameters].count(True) == len(matrices) == 1
        return
    embeddings = {id(m.weight) for m in trainer.model.modules() if isinstance(m, nn.Embedding)}
    hidden = {n: p for n, p in trainer.model.named_parameters() if p.requires_grad and p.dim() > 1}
    wanted = {n for n, p in hidden.items() if id(p) not in embeddings}
    assert ANSWERS[name] <= wanted
    named = {id(p): n for n, p in trainer.model.named_parameters()}
    assert {named[id(p)] for p in matrices} == wanted - ANSWERS[name]


def test_each_model_is_named() -> None:
    assert ANSWERS.keys() | ALONE == {f"{task} {model}" for task, model in SUPERVISED}


def test_a_spotlight_of_before_goes_on_as_it_was() -> None:
    layer = small("localization", "spotlight")
    layer["model"]["muon_answers"] = True
    resolved = resolve(CATALOG, "localization", [Layer("test", layer)])
    trainer = prepare(CATALOG, resolved, make_context(CATALOG, Path(mkdtemp()))).trainer
    _, rest = _muon_parameters(trainer.model, trainer.parameters)
    named = {id(p): n for n, p in trainer.model.named_parameters()}
    assert {named[id(p)] for p in rest if p.dim() > 1} == {"classes.1.weight"}

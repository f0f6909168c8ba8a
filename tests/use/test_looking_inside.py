"""Every model of images that the plugins offer can be asked what it sees, and why: whatever it does on its way."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

from dlkit.catalog import Catalog, load_target
from dlkit.config import Layer, config_class, resolve
from dlkit.data.context import make_context
from dlkit.engine.build import Job, prepare
from dlkit.samples import Images
from small import models, small

CATALOG = Catalog.load_everything()
TASKS = ("classification", "localization", "detection")
MODELS = [pair for pair in models(CATALOG) if pair[0] in TASKS]
NUMPY = {"logistic", "perceptron", "softmax", "scratch-mlp"}
"""Their gradients are made by hand: nothing can be followed through them."""
REFUSED = {"saliency": NUMPY, "grad-cam": {*NUMPY, "mlp"}, "occlusion": set[str](), "layers": {*NUMPY, "mlp"}}
"""By component, the models that lack what it looks at."""


@cache
def job(task: str, model: str) -> Job:
    resolved = resolve(CATALOG, task, [Layer("test", small(task, model))])
    return prepare(CATALOG, resolved, make_context(CATALOG, Path(mkdtemp())))


@pytest.mark.parametrize("way", REFUSED)
@pytest.mark.parametrize(("task", "model"), MODELS)
def test_it_is_looked_into(task: str, model: str, way: str) -> None:
    made = job(task, model)
    spec = CATALOG.find("inference", way, task)
    kind = load_target(spec, CATALOG)
    missing = kind.lacks(made.task, made.trainer.model, made.info)
    assert bool(missing) is (model in REFUSED[way]), missing
    if missing:
        return
    predictor = kind(made.trainer.model, made.info, config_class(CATALOG, spec)())
    predictor.task = made.task
    found = predictor.samples(2, np.random.default_rng(0), made.data.val)
    assert found and any(isinstance(sample, Images) and len(sample.images) for sample in found)

"""Settings that train well, found on the validation splits: by model, then by data set and model.

The task suggests the first for any data set; each data set suggests its own above them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import Suggest


def _recipe(name: str, /, **sections: Mapping[str, object]) -> Suggest:
    """For a model, trained by the trainer made for it: ``engine={"epochs": 10}, trainer={…}, …``."""
    return Suggest.recipe({"model": name, "trainer": _TRAINERS.get(name, "supervised")}, **sections)


def _each(names: tuple[str, ...], /, **sections: Mapping[str, object]) -> tuple[Suggest, ...]:
    return tuple(_recipe(name, **sections) for name in names)


_TRAINERS = {"variational": "variational"}
_GRIDS = ("convolutional", "denoising", "variational")
_ADAM = {"optimizer": "adamw", "lr": 3e-3, "beta2": 0.99, "schedule": "cosine", "warmup": 0.1}
_MUON = {"optimizer": "muon", "lr": 0.02, "aux_lr": 3e-3, "schedule": "one-cycle", "warmup": 0.1}

ANY = (
    _recipe("linear", trainer=_ADAM, engine={"epochs": 40, "batch_size": 128, "sample_every": "10 epochs"}),
    _recipe("deep", trainer=_MUON, engine={"epochs": 40, "batch_size": 64}),
    *_each(_GRIDS, trainer=_MUON, engine={"epochs": 30, "batch_size": 64}),
    _recipe("variational", trainer={"aux_lr": 0.01, "prior_warmup": 0.3}),
)

_SMALL = {"width": 32, "stem": 8, "blocks": 0}
DIGITS = (
    _recipe("linear", engine={"epochs": 100, "sample_every": "25 epochs", "eval_every": "5 epochs"}),
    _recipe("deep", engine={"epochs": 30, "sample_every": "10 epochs", "eval_every": "2 epochs"}),
    *_each(_GRIDS, model=_SMALL, engine={"sample_every": "10 epochs", "eval_every": "2 epochs"}),
    _recipe("convolutional", model={"hidden": 128}, trainer={"lr": 0.03}, engine={"epochs": 40}),
    _recipe("denoising", model={"hidden": 128}, engine={"epochs": 60}),
    _recipe("variational", engine={"epochs": 60}),
)

_LARGE = {"width": 48, "hidden": 128}
MNIST = (
    _recipe("linear", engine={"epochs": 15, "batch_size": 256, "sample_every": "5 epochs"}),
    _recipe("deep", engine={"epochs": 18, "batch_size": 512, "sample_every": "6 epochs"}),
    *_each(_GRIDS, model=_LARGE, trainer={"lr": 0.04}, engine={"epochs": 8, "batch_size": 128}),
    *_each(_GRIDS, engine={"sample_every": "2 epochs"}),
)

_COLOUR = {"likelihood": "gaussian"}
FACES = (
    *_each(("linear", "deep"), model={"code": 128}, engine={"batch_size": 128}),
    _recipe("linear", dataset={"reference": 128}),
    *_each(("convolutional", "denoising"), model={**_LARGE, "code": 128}, engine={"epochs": 8}),
    _recipe("variational", model={**_LARGE, "code": 64}, loss=_COLOUR, engine={"epochs": 8}),
    *_each(_GRIDS, engine={"sample_every": "2 epochs"}),
)

FILES = (
    *_each(("linear", "deep", *_GRIDS), engine={"epochs": 100, "batch_size": 32, "eval_every": "5 epochs"}),
    *_each(("linear", "deep", "convolutional", "denoising"), model={"code": 64}),
    _recipe("linear", dataset={"reference": 64}),
    _recipe("variational", model={"code": 32}, loss=_COLOUR),
)

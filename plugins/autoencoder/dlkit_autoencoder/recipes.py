"""Settings that train well, found on the validation splits: by model, then by data set and model.

The task suggests the first for any data set; each data set suggests its own above them.
"""

from __future__ import annotations

from typing import Any

from dlkit import Suggest


def _recipe(name: str, /, **sections: dict[str, Any]) -> Suggest:
    """For a model, trained by the trainer made for it: ``engine={"epochs": 10}, trainer={…}, …``."""
    settings = {f"{section}.{key}": value for section, fields in sections.items() for key, value in fields.items()}
    return Suggest(settings=settings, when={"model": name, "trainer": _TRAINERS.get(name, "supervised")})


def _each(names: tuple[str, ...], /, **sections: dict[str, Any]) -> tuple[Suggest, ...]:
    return tuple(_recipe(name, **sections) for name in names)


_TRAINERS = {"variational": "variational"}
_GRIDS = ("convolutional", "denoising", "variational")
_ADAM = {"optimizer": "adamw", "lr": 3e-3, "beta2": 0.99, "schedule": "cosine", "warmup": 0.1}
_MUON = {"optimizer": "muon", "lr": 0.02, "aux_lr": 3e-3, "schedule": "one-cycle", "warmup": 0.1}

ANY = (
    _recipe("linear", trainer=_ADAM, engine={"epochs": 20, "batch_size": 128, "sample_every": "10 epochs"}),
    _recipe("deep", trainer=_MUON, engine={"epochs": 20, "batch_size": 128}),
    *_each(_GRIDS, trainer=_MUON, engine={"epochs": 20, "batch_size": 128}),
)

DIGITS = (
    _recipe("linear", engine={"epochs": 100, "sample_every": "25 epochs", "eval_every": "10 epochs"}),
    _recipe("deep", engine={"epochs": 40, "sample_every": "10 epochs", "eval_every": "5 epochs"}),
    *_each(_GRIDS, engine={"epochs": 60, "sample_every": "15 epochs", "eval_every": "5 epochs"}),
)

MNIST = (
    _recipe("linear", engine={"epochs": 15, "batch_size": 256, "sample_every": "5 epochs"}),
    _recipe("deep", engine={"epochs": 15, "batch_size": 256, "sample_every": "5 epochs"}),
    *_each(_GRIDS, engine={"epochs": 5, "batch_size": 256, "sample_every": "1 epoch"}),
)

FACES = ()

FILES = ()

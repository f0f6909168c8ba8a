"""Settings that train well, found on the validation splits: by model, then by data set and model.

The task suggests the first for any data set; each data set suggests its own above them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import Suggest

GRIDS = ("grid-lenet", "grid-relu", "grid-wide")


def _recipe(name: str, /, **sections: Mapping[str, object]) -> Suggest:
    """For a model, trained by the built-in trainer: ``engine={"epochs": 10}, trainer={…}, …``."""
    return Suggest.recipe({"model": name, "trainer": "supervised"}, **sections)


_COSINE = {"optimizer": "adamw", "lr": 2e-3, "weight_decay": 0.01, "schedule": "cosine", "warmup": 0.05}

ANY = (
    *(_recipe(name, trainer=_COSINE, engine={"epochs": 20, "batch_size": 128}) for name in GRIDS),
    _recipe("pyramid", trainer=_COSINE, engine={"epochs": 20, "batch_size": 64}),
)

DIGITS = (
    _recipe(
        "pyramid",
        model={"strides": [4], "widths": [24, 48, 96, 128], "neck": 48},
        trainer={"lr": 4e-3},
        engine={"epochs": 6, "batch_size": 64},
    ),
)

FILES = (
    _recipe(
        "pyramid",
        model={"strides": [8, 16], "widths": [32, 64, 128, 192], "blocks": [0, 1, 1, 1]},
        engine={"epochs": 100, "batch_size": 16, "eval_every": "5 epochs"},
    ),
)

"""Settings that train well, found on the validation splits: by model, then by data set and model."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import Suggest


def _recipe(name: str, /, **sections: Mapping[str, object]) -> Suggest:
    """For a model, trained by the built-in trainer: ``engine={"epochs": 10}, trainer={…}, …``."""
    return Suggest.recipe({"model": name, "trainer": "supervised"}, **sections)


_MUON = {
    "optimizer": "muon",
    "lr": 0.02,
    "aux_lr": 0.003,
    "weight_decay": 0.02,
    "schedule": "one-cycle",
    "warmup": 0.2,
}
_ENGINE = {"batch_size": 128, "sample_every": "end"}

ANY = (
    *(_recipe(name, trainer=_MUON, engine={**_ENGINE, "epochs": 10}) for name in ("lenet", "lenet-relu", "lenet-wide")),
    _recipe("spotlight", trainer={**_MUON, "lr": 0.03, "aux_lr": 0.005}, engine={**_ENGINE, "epochs": 8}),
)

FILES = tuple(
    _recipe(name, engine={"epochs": 100, "batch_size": 32, "eval_every": "5 epochs"})
    for name in ("lenet", "lenet-relu", "lenet-wide", "spotlight")
)
"""Of some hundreds of images, eight passes in batches of 128 would be ten steps."""

"""Settings that train well, found on the validation splits: by model, then by data set and model.

The task suggests the first for any data set; each data set suggests its own above them.
"""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import Suggest


def _recipe(name: str, /, **sections: Mapping[str, object]) -> Suggest:
    """For a model, trained by the built-in trainer: ``engine={"epochs": 10}, trainer={…}, …``."""
    loss = {"loss": "cross-entropy"} if "loss" in sections else {}
    return Suggest.recipe({"model": name, "trainer": "supervised", **loss}, **sections)


_MUON = {
    "optimizer": "muon", "lr": 0.01, "aux_lr": 3e-3, "momentum": 0.95, "beta2": 0.95, "weight_decay": 0.01,
    "schedule": "one-cycle", "warmup": 0.1,
}  # fmt: skip
_ADAM = {"optimizer": "adamw", "lr": 3e-3, "weight_decay": 0.01, "schedule": "one-cycle", "warmup": 0.1}
_OFTEN = {"sample_every": "1 epoch", "clip": 1.0}

ANY = (
    _recipe("transformer", trainer=_MUON, engine={**_OFTEN, "batch_size": 128}),
    _recipe("recurrent", trainer=_ADAM, engine={**_OFTEN, "batch_size": 128}),
)
GRAMMAR = (
    _recipe("transformer", model={"width": 128, "dropout": 0.0}, loss={"label_smoothing": 0.0}, engine={"epochs": 3}),
    _recipe("recurrent", model={"dropout": 0.0}, loss={"label_smoothing": 0.0}, engine={"epochs": 3}),
)
FRA_ENG = (
    _recipe(
        "transformer",
        dataset={"vocabulary": 4000},
        model={"width": 256, "layers": 2, "decoder_layers": 2, "dropout": 0.0, "tie": "all"},
        engine={"epochs": 3, "batch_size": 256},
    ),
    _recipe("recurrent", model={"width": 384, "embedding": 256, "dropout": 0.2}, engine={"epochs": 5}),
)

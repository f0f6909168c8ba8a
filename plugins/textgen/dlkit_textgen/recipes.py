"""Settings that train well, found on validation splits: by model for any text, then by text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlkit import Suggest


def _recipe(model: str, /, **sections: Mapping[str, object]) -> Suggest:
    """For a model, trained by this plugin's trainer: ``engine={"epochs": 10}, trainer={…}, …``."""
    return Suggest.recipe({"model": model, "trainer": "language"}, **sections)


_MUON = {
    "optimizer": "muon",
    "lr": 0.01,
    "aux_lr": 5e-3,
    "momentum": 0.95,
    "beta1": 0.9,
    "beta2": 0.95,
    "weight_decay": 0.05,
    "schedule": "cosine",
    "warmup": 0.02,
    "final": 0.0,
}
_STREAMS: dict[str, dict[str, Any]] = {
    "dataset": {"reading": "streams"},
    "engine": {
        "epochs": 8,
        "batch_size": 32,
        "eval_batch_size": 64,
        "clip": 1.0,
        "eval_every": "1 epoch",
        "sample_every": "2 epochs",
    },
    "trainer": {"optimizer": "adamw", "lr": 3e-3, "weight_decay": 0.01, "schedule": "cosine", "warmup": 0.02},
}

ANY = (
    _recipe(
        "transformer",
        dataset={"context": 128},
        engine={
            "epochs": 8,
            "batch_size": 16,
            "eval_batch_size": 64,
            "eval_every": "1 epoch",
            "sample_every": "2 epochs",
        },
        trainer=_MUON,
    ),
    _recipe("lstm", **_STREAMS),
    _recipe("gru", **_STREAMS),
)

TINYSHAKESPEARE = (_recipe("transformer", engine={"epochs": 4}),)

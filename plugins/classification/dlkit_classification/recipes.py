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


_COSINE = {"optimizer": "adamw", "lr": 2e-3, "weight_decay": 0.01, "schedule": "cosine", "warmup": 0.05}

ANY = (
    _recipe("mlp", trainer=_COSINE),
    _recipe("cnn", trainer=_COSINE, engine={"epochs": 20}),
    _recipe("resnet", trainer={**_COSINE, "lr": 5e-3, "schedule": "one-cycle", "warmup": 0.25}, engine={"epochs": 20}),
)

DIGITS = (
    _recipe("mlp", model={"hidden": [128, 64]}, trainer={"lr": 3e-3}, engine={"epochs": 30}),
    _recipe("cnn", model={"dropout": 0.1, "dense_dropout": 0.2}, trainer={"lr": 5e-3}),
    _recipe(
        "resnet",
        model={"stem_width": 16, "whiten": False, "widths": [32, 64], "blocks": [0, 1], "block_convolutions": 1},
        engine={"epochs": 10},
    ),
)

MNIST = (
    _recipe("mlp", model={"hidden": [512, 256]}, dataset={"crop": 1}, engine={"epochs": 10, "batch_size": 256}),
    _recipe(
        "cnn",
        model={"kernel": 5, "pad": False, "hidden": 256, "dropout": 0.1, "dense_dropout": 0.3},
        dataset={"crop": 2},
        trainer={"warmup": 0.1},
        engine={"epochs": 12, "batch_size": 256},
    ),
)

CIFAR10 = (
    _recipe(
        "cnn",
        model={"channels": [32, 64, 128], "hidden": [256], "batch_norm": True, "dropout": 0.1, "dense_dropout": 0.3},
        dataset={"crop": 2},
        trainer={"lr": 4e-3, "schedule": "one-cycle", "warmup": 0.25},
        engine={"epochs": 8, "batch_size": 128},
    ),
    _recipe(
        "resnet",
        model={
            "stem_kernel": 2,
            "stem_width": 24,
            "widths": [32, 96, 128],
            "blocks": [1, 1, 1],
            "block_convolutions": 1,
            "mirror": True,
        },
        dataset={"crop": 2},
        loss={"label_smoothing": 0.1},
        trainer={
            "optimizer": "muon",
            "lr": 0.03,
            "aux_lr": 0.01,
            "beta2": 0.95,
            "weight_decay": 0.05,
            "schedule": "one-cycle",
            "warmup": 0.2,
        },
        engine={"epochs": 13, "batch_size": 256},
    ),
)

FILES = tuple(
    _recipe(name, engine={"epochs": 100, "batch_size": 32, "eval_every": "5 epochs"})
    for name in ("mlp", "cnn", "resnet")
)
"""Of some hundreds of images, twenty passes would be a minute's work and learn little."""

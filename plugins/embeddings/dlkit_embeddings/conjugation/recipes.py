"""Settings that train well, found on validation splits: by model for any text, then by text."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import Suggest

Setting = str | float | int


def _recipe(model: str, /, **sections: Mapping[str, Setting]) -> Suggest:
    """For a model, trained by the built-in trainer: ``engine={"epochs": 10}, trainer={…}, …``."""
    settings = {f"{section}.{key}": value for section, fields in sections.items() for key, value in fields.items()}
    return Suggest(settings=settings, when={"model": model, "trainer": "supervised"})


_TRAINER: Mapping[str, Setting] = {
    "optimizer": "adamw",
    "lr": 1e-3,
    "weight_decay": 0.01,
    "schedule": "one-cycle",
    "final": 0.01,
}
_ENGINE: Mapping[str, Setting] = {
    "epochs": 15,
    "batch_size": 64,
    "eval_batch_size": 2000,
    "sample_every": "5 epochs",
    "threads": 1,  # of steps this small a second one only costs
}

ANY = tuple(_recipe(model, engine=_ENGINE, trainer=_TRAINER) for model in ("mlp", "attention", "rnn"))

GUTENBERG = tuple(
    _recipe(
        model, engine={"epochs": 8, "batch_size": 256, "sample_every": "4 epochs", "threads": 0}, trainer={"lr": 2e-3}
    )
    for model in ("mlp", "attention", "rnn")
)

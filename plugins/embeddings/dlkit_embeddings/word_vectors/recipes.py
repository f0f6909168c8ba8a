"""Settings that train well, found on validation splits: by model for any text, then by text."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import Suggest

Setting = str | float | int


def _recipe(model: str, trainer: str, /, **sections: Mapping[str, Setting]) -> Suggest:
    """For a model and its trainer: ``dataset={"window": 5}, engine={"epochs": 5}, …``."""
    settings = {f"{section}.{key}": value for section, fields in sections.items() for key, value in fields.items()}
    return Suggest(settings=settings, when={"model": model, "trainer": trainer})


SKIP_GRAM = ("skip-gram", "skip-gram")
CBOW = ("cbow", "supervised")

ANY = (
    _recipe(
        *SKIP_GRAM,
        dataset={"reading": "passages", "unknown": "drop", "window": 5, "subsample": 1e-3, "evaluated": 5_000},
        # The matrices are small: where something else is running too, a second thread waits more than it works.
        engine={"epochs": 5, "batch_size": 16_384, "sample_every": "end", "threads": 1},
    ),
    _recipe(
        *CBOW,
        engine={"epochs": 3, "batch_size": 1024, "eval_batch_size": 2_000, "sample_every": "end"},
        trainer={"optimizer": "adamw", "lr": 3e-3, "weight_decay": 0.01, "schedule": "one-cycle"},
    ),
)

PYTHON_DOCS = (
    _recipe(
        *SKIP_GRAM,
        dataset={"window": 3, "subsample": 1e-4},
        engine={"batch_size": 4096, "epochs": 200, "eval_every": "40 epochs", "sample_every": "100 epochs"},
    ),
)

GUTENBERG = (_recipe(*CBOW, dataset={"least": 100}),)

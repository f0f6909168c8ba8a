"""Settings that train well, found on the validation splits: by model."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import Suggest

Suggestions = tuple[Suggest, ...]


def _suggest(dataset: str = "", settings: Mapping[str, object] | None = None, **options: object) -> Suggestions:
    """``settings`` as they are; of ``options``, epochs and batch size for the engine, the rest for this trainer."""
    when = {"dataset": dataset} if dataset else {}
    engine = {f"engine.{key}": options.pop(key) for key in ("epochs", "batch_size") if key in options}
    return (
        Suggest(settings={**engine, **(settings or {})}, when=when),
        Suggest.recipe({**when, "trainer": "scratch"}, trainer=options),
    )


REGRESSION_MLP = (
    *_suggest(epochs=40, batch_size=32, lr=0.01),
    *_suggest("diabetes", {"model.dropout": 0.3}, lr=0.01, l2=0.01),
    # The course's network: 56 features, 20 sigmoid units, one output.
    *_suggest("bike-sharing", {"model.hidden": [20], "model.activation": "sigmoid"}, epochs=30, batch_size=128, lr=0.2),
)
REGRESSION_LINEAR = (*_suggest(epochs=40, batch_size=32, lr=0.01), *_suggest("bike-sharing", epochs=10))
CLASSIFICATION_MLP = (
    *_suggest(settings={"model.hidden": [64], "model.dropout": 0.2}, epochs=20, batch_size=32, lr=0.02),
    *_suggest("mnist", {"model.hidden": [128]}, epochs=10, batch_size=128, lr=0.05),
)
CONVEX = (*_suggest(epochs=20, batch_size=32, lr=0.02), *_suggest("mnist", epochs=10, batch_size=128))
# As published: one example at a time, every mistake corrected in full.
PERCEPTRON = _suggest(epochs=10, batch_size=1, lr=1.0, momentum=0.0)
PLANE = _suggest(batch_size=10, lr=0.1, momentum=0.0)
PLANE_PERCEPTRON = _suggest(
    settings={"engine.eval_every": "1 epoch", "engine.sample_every": "1 epoch"},
    epochs=20,
    batch_size=1,
    lr=1.0,
    momentum=0.0,
)
PLANE_MLP = (
    *_suggest(settings={"model.hidden": [8, 8], "model.activation": "tanh"}, batch_size=10, lr=0.1),
    *_suggest("spiral", {"model.hidden": [16, 16]}, epochs=300, lr=0.1),
)

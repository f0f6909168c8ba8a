"""Settings that train well in seconds, and make a picture often enough to see it move."""

from __future__ import annotations

from collections.abc import Mapping

from dlkit import Suggest


def _engine(when: Mapping[str, str], **engine: object) -> Suggest:
    return Suggest.recipe(when, engine=engine)


def _supervised(model: str, **trainer: object) -> Suggest:
    return Suggest.recipe({"model": model, "trainer": "supervised"}, trainer=trainer)


ANY = (
    # One thread: a second one has nothing to do beside matrices of eight columns.
    _engine({}, threads=1, batch_size=10, epochs=60, eval_every="2 epochs", sample_every="2 epochs"),
    _engine({"dataset": "spiral"}, epochs=120, eval_every="4 epochs", sample_every="4 epochs"),
)
MLP = (_supervised("mlp", optimizer="adam", lr=0.01),)
SPIRAL_MLP = Suggest(settings={"model.hidden": [16, 16]}, when={"dataset": "spiral"})
LINEAR = tuple(
    _supervised(model, optimizer="sgd", lr=0.1, momentum=0.0, nesterov=False) for model in ("logistic", "softmax")
)
# As published: one example at a time, every mistake corrected in full.
PERCEPTRON = (
    _supervised("perceptron", optimizer="sgd", lr=1.0, momentum=0.0, nesterov=False),
    _engine({"model": "perceptron"}, batch_size=1, epochs=20, eval_every="1 epoch", sample_every="1 epoch"),
)

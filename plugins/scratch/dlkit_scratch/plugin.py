"""What this plugin offers: networks in raw NumPy for the tasks ``regression`` and ``classification``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlkit import LossSpec, ModelSpec, Suggest, TrainerSpec, hookimpl

REGRESSION, CLASSIFICATION = "regression", "classification"
INTERFACE = "scratch"


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        _model(
            "scratch-mlp",
            REGRESSION,
            "Multilayer perceptron",
            "mlp_regressor",
            loss="mse",
            config="MlpConfig",
            suggest=(
                *_suggest(epochs=40, batch_size=32, lr=0.01),
                *_suggest("diabetes", {"model.dropout": 0.3}, lr=0.01, l2=0.01),
                # The course's network: 56 features, 20 sigmoid units, one output.
                *_suggest(
                    "bike-sharing",
                    {"model.hidden": [20], "model.activation": "sigmoid"},
                    epochs=30,
                    batch_size=128,
                    lr=0.2,
                ),
            ),
        ),
        _model(
            "scratch-linear",
            REGRESSION,
            "Linear regression by gradient descent",
            "linear_regressor",
            loss="mse",
            suggest=(*_suggest(epochs=40, batch_size=32, lr=0.01), *_suggest("bike-sharing", epochs=10)),
        ),
        _model(
            "scratch-mlp",
            CLASSIFICATION,
            "Multilayer perceptron",
            "mlp_classifier",
            loss="cross-entropy",
            config="MlpConfig",
            suggest=(
                *_suggest(settings={"model.hidden": [64], "model.dropout": 0.2}, epochs=20, batch_size=32, lr=0.02),
                *_suggest("mnist", {"model.hidden": [128]}, epochs=10, batch_size=128, lr=0.05),
            ),
        ),
        _model("softmax", CLASSIFICATION, "Softmax regression", "linear_classifier", "cross-entropy", suggest=_CONVEX),
        _model(
            "logistic",
            CLASSIFICATION,
            "Logistic regression, one class against the rest",
            "linear_classifier",
            loss="logistic",
            suggest=_CONVEX,
        ),
        _model(
            "perceptron",
            CLASSIFICATION,
            "Rosenblatt's perceptrons, one a class",
            "linear_classifier",
            loss="perceptron",
            # As published: one example at a time, every mistake corrected in full.
            suggest=_suggest(epochs=10, batch_size=1, lr=1.0, momentum=0.0),
        ),
    ]


def _suggest(dataset: str = "", settings: Mapping[str, Any] | None = None, **options: Any) -> tuple[Suggest, ...]:
    """``settings`` as they are; of ``options``, epochs and batch size for the engine, the rest for this trainer."""
    when = {"dataset": dataset} if dataset else {}
    engine = {f"engine.{key}": options.pop(key) for key in ("epochs", "batch_size") if key in options}
    trainer = {f"trainer.{key}": value for key, value in options.items()}
    return (
        Suggest(settings={**engine, **(settings or {})}, when=when),
        Suggest(settings=trainer, when={**when, "trainer": "scratch"}),
    )


_CONVEX = (*_suggest(epochs=20, batch_size=32, lr=0.02), *_suggest("mnist", epochs=10, batch_size=128))


def _model(
    name: str, task: str, summary: str, target: str, loss: str, config: str = "", suggest: tuple[Suggest, ...] = ()
) -> ModelSpec:
    return ModelSpec(
        name=name,
        task=task,
        summary=f"{summary}, in raw NumPy",
        target=f"dlkit_scratch.models:{target}",
        config=f"dlkit_scratch.options:{config}" if config else "",
        interface=INTERFACE,
        defaults={"loss": f"scratch-{loss}", "trainer": "scratch"},
        suggest=suggest,
    )


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        _loss("mse", REGRESSION, "Mean squared error", "SquaredError"),
        _loss("cross-entropy", CLASSIFICATION, "Cross-entropy of the softmax", "CrossEntropy"),
        _loss("logistic", CLASSIFICATION, "Cross-entropy of a sigmoid a class", "Logistic"),
        _loss(
            "perceptron", CLASSIFICATION, "Perceptron criterion: Rosenblatt's rule with a step function", "Perceptron"
        ),
    ]


def _loss(name: str, task: str, summary: str, target: str) -> LossSpec:
    return LossSpec(
        name=f"scratch-{name}",
        task=task,
        summary=f"{summary}, its gradient by hand",
        target=f"dlkit_scratch.losses:{target}",
        interface=INTERFACE,
    )


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="scratch",
            task=(REGRESSION, CLASSIFICATION),
            summary="Backpropagation by hand in NumPy: momentum, L1, L2, dropout; CPU only",
            target="dlkit_scratch.trainer:ScratchTrainer",
            config="dlkit_scratch.options:DescentConfig",
            interface=INTERFACE,
            # Matrices of these sizes are too small to share between threads.
            suggest=(Suggest(settings={"engine.device": "cpu", "engine.threads": 1}),),
            presets="dlkit_scratch:presets",
        )
    ]

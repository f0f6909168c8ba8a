"""What this plugin offers: networks in raw NumPy for the tasks ``regression``, ``classification`` and ``points``."""

from __future__ import annotations

from dlkit import LossSpec, ModelSpec, Suggest, TrainerSpec, hookimpl
from dlkit_scratch import recipes

REGRESSION, CLASSIFICATION, POINTS = "regression", "classification", "points"
INTERFACE = "scratch"
LABELLED = (CLASSIFICATION, POINTS)


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    mlp = ("scratch-mlp", "Multilayer perceptron", "MlpConfig")
    logistic = "Logistic regression, one class against the rest"
    return [
        _model(*mlp, REGRESSION, "mlp_regressor", "mse", recipes.REGRESSION_MLP),
        _model(
            "scratch-linear",
            "Linear regression by gradient descent",
            "",
            REGRESSION,
            "linear_regressor",
            "mse",
            recipes.REGRESSION_LINEAR,
        ),
        _model(*mlp, CLASSIFICATION, "mlp_classifier", "cross-entropy", recipes.CLASSIFICATION_MLP),
        _classifier("softmax", "Softmax regression", "cross-entropy", recipes.CONVEX),
        _classifier("logistic", logistic, "logistic", recipes.CONVEX),
        _classifier("perceptron", "Rosenblatt's perceptrons, one a class", "perceptron", recipes.PERCEPTRON),
        # Beside that task's own models, which have the short names.
        _plane("perceptron", "Rosenblatt's perceptrons, one a class", "perceptron", recipes.PLANE_PERCEPTRON),
        _plane("logistic", logistic, "logistic", recipes.PLANE),
        _plane("softmax", "Softmax regression", "cross-entropy", recipes.PLANE),
        _plane("mlp", "Multilayer perceptron", "cross-entropy", recipes.PLANE_MLP),
    ]


def _classifier(name: str, summary: str, loss: str, suggest: recipes.Suggestions) -> ModelSpec:
    """The linear classifier; the loss makes it what it is."""
    return _model(name, summary, "", CLASSIFICATION, "linear_classifier", loss, suggest)


def _plane(name: str, summary: str, loss: str, suggest: recipes.Suggestions) -> ModelSpec:
    """A network over points of the plane."""
    return ModelSpec(
        name=f"scratch-{name}",
        task=POINTS,
        summary=f"{summary}, in raw NumPy",
        target=f"dlkit_scratch.plane:{name}",
        config="dlkit_scratch.options:MlpConfig" if name == "mlp" else "",
        interface=INTERFACE,
        defaults={"loss": f"scratch-{loss}", "trainer": "scratch"},
        suggest=suggest,
    )


def _model(
    name: str, summary: str, config: str, task: str, target: str, loss: str, suggest: recipes.Suggestions
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
        _loss("cross-entropy", LABELLED, "Cross-entropy of the softmax", "CrossEntropy"),
        _loss("logistic", LABELLED, "Cross-entropy of a sigmoid a class", "Logistic"),
        _loss("perceptron", LABELLED, "Perceptron criterion: Rosenblatt's rule with a step function", "Perceptron"),
    ]


def _loss(name: str, task: str | tuple[str, ...], summary: str, target: str) -> LossSpec:
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
            task=(REGRESSION, CLASSIFICATION, POINTS),
            summary="Backpropagation by hand in NumPy: momentum, L1, L2, dropout; CPU only",
            target="dlkit_scratch.trainer:ScratchTrainer",
            config="dlkit_scratch.options:DescentConfig",
            interface=INTERFACE,
            # Matrices of these sizes are too small to share between threads.
            suggest=(Suggest(settings={"engine.device": "cpu", "engine.threads": 1}),),
            presets="dlkit_scratch:presets",
            recipes="dlkit_scratch:studies",
        )
    ]

"""What this plugin offers: the task ``points`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, Suggest, TaskSpec, hookimpl
from dlkit_points import recipes

TASK = "points"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Points in the plane",
            summary="Two numbers in, a class out: what the first networks can and cannot do, on the whole plane",
            target="dlkit_points.task:Points",
            defaults={
                "dataset": "spiral",
                "model": "mlp",
                "loss": "cross-entropy",
                "trainer": "supervised",
                "inference": "explorer",
            },
            metric="val/accuracy",
            direction="max",
            suggest=recipes.ANY,
            presets="dlkit_points:presets",
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    gates = [
        _dataset(name, f"The truth table of {name.upper()}, each corner a cloud", target, "GateConfig")
        for name, target in (("and", "and_"), ("or", "or_"), ("xor", "xor"))
    ]
    return [
        *gates,
        _dataset("blobs", "A round cloud for each class", "blobs", "BlobsConfig"),
        _dataset("moons", "Half-moons that hold on to one another", "moons", "MoonsConfig"),
        _dataset("circles", "Rings around one another", "circles", "CirclesConfig"),
        _dataset("spiral", "Arms that wind around one another", "spiral", "SpiralConfig"),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own points: a CSV file with two columns of numbers and a label",
            target="dlkit_points.datasets.files:build",
            config="dlkit_points.options:FilesConfig",
            example="dlkit_points.datasets.example:write",
        ),
    ]


def _dataset(name: str, summary: str, target: str, config: str) -> DatasetSpec:
    return DatasetSpec(
        name=name,
        task=TASK,
        summary=summary,
        target=f"dlkit_points.datasets.shapes:{target}",
        config=f"dlkit_points.options:{config}",
    )


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        _model("perceptron", "Units that step: Rosenblatt's perceptron", "perceptron", recipes.PERCEPTRON),
        _model("logistic", "Units with a sigmoid in the step's place: logistic regression", "logistic", recipes.LINEAR),
        _model("softmax", "A unit a class and the softmax over them", "cross-entropy", recipes.LINEAR),
        ModelSpec(
            name="mlp",
            task=TASK,
            summary="Multilayer perceptron: layers of hidden units, whose borders bend",
            target="dlkit_points.models:mlp",
            config="dlkit_points.options:MlpConfig",
            suggest=(*recipes.MLP, recipes.SPIRAL_MLP),
        ),
    ]


def _model(name: str, summary: str, loss: str, suggest: tuple[Suggest, ...]) -> ModelSpec:
    return ModelSpec(
        name=name,
        task=TASK,
        summary=summary,
        target=f"dlkit_points.models:{name}",
        config="dlkit_points.options:LinearConfig",
        defaults={"loss": loss},
        suggest=suggest,
    )


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        _loss("cross-entropy", "Cross-entropy of the softmax", "cross_entropy"),
        _loss("logistic", "Cross-entropy of a sigmoid a class", "logistic"),
        _loss("perceptron", "Perceptron criterion, whose gradient is Rosenblatt's rule", "perceptron"),
    ]


def _loss(name: str, summary: str, target: str) -> LossSpec:
    return LossSpec(name=name, task=TASK, summary=summary, target=f"dlkit_points.losses:{target}")


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="explorer",
            task=TASK,
            summary="Decision regions with the points, hidden units' maps, the error surface and the way on it",
            target="dlkit_points.explorer:Explorer",
            answers="dlkit_points.answering:PointAnswering",
            config="dlkit_points.options:ExplorerConfig",
        )
    ]

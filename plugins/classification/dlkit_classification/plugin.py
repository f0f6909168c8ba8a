"""What this plugin offers: the task ``classification`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, SourceSpec, TaskSpec, hookimpl
from dlkit_classification import recipes
from dlkit_classification.sources import CIFAR10

TASK = "classification"
PRESETS = "dlkit_classification:presets"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Image classification",
            summary="One of several classes for each image: digits, things, or your own folders",
            target="dlkit_classification.task:Classification",
            defaults={
                "dataset": "digits",
                "model": "cnn",
                "loss": "cross-entropy",
                "trainer": "supervised",
                "inference": "classifier",
            },
            metric="val/accuracy",
            direction="max",
            recipes="dlkit_classification:studies",
            suggest=recipes.ANY,
            presets=PRESETS,
        )
    ]


@hookimpl
def dlkit_sources() -> list[SourceSpec]:
    return [CIFAR10]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="digits",
            task=TASK,
            summary="1,797 handwritten digits, 8x8 grey (scikit-learn; no network needed)",
            target="dlkit_classification.datasets.digits:build",
            config="dlkit_classification.options:DigitsConfig",
            suggest=recipes.DIGITS,
        ),
        DatasetSpec(
            name="mnist",
            task=TASK,
            summary="70,000 handwritten digits, 28x28 grey",
            target="dlkit_classification.datasets.mnist:build",
            config="dlkit_classification.options:MnistConfig",
            suggest=recipes.MNIST,
            sources=("mnist",),
        ),
        DatasetSpec(
            name="cifar10",
            task=TASK,
            summary="60,000 photographs of ten kinds of things, 32x32 RGB",
            target="dlkit_classification.datasets.cifar10:build",
            config="dlkit_classification.options:Cifar10Config",
            suggest=recipes.CIFAR10,
            sources=("cifar10",),
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own images: a folder per class",
            target="dlkit_classification.datasets.files:build",
            config="dlkit_classification.options:FilesConfig",
            example="dlkit.data.examples:class_images",
            version=2,
            migrate="dlkit.data.earlier:class_folders",
            suggest=recipes.FILES,
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="mlp",
            task=TASK,
            summary="Multilayer perceptron on the flattened image",
            target="dlkit_classification.models:mlp",
            config="dlkit_classification.options:MlpConfig",
        ),
        ModelSpec(
            name="cnn",
            task=TASK,
            summary="Convolutions and dense layers with dropout, as many as you say: the course network",
            target="dlkit_classification.models:cnn",
            config="dlkit_classification.options:CnnConfig",
        ),
        ModelSpec(
            name="resnet",
            task=TASK,
            summary="Small residual network that trains fast",
            target="dlkit_classification.resnet:build",
            config="dlkit_classification.options:ResnetConfig",
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="cross-entropy",
            task=TASK,
            summary="Cross-entropy of the softmax, with label smoothing",
            target="dlkit_classification.losses:cross_entropy",
            config="dlkit_classification.options:CrossEntropyConfig",
        )
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="classifier",
            task=TASK,
            summary="Names the class of image files; samples show mistakes first",
            target="dlkit_classification.classifier:Classifier",
            answers="dlkit_classification.answering:ClassAnswering",
            config="dlkit_classification.options:ClassifierConfig",
        )
    ]

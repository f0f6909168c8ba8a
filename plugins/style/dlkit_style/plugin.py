"""What this plugin offers: the task ``style`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, TaskSpec, TrainerSpec, hookimpl
from dlkit_style import recipes

TASK = "style"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Style transfer",
            summary="One picture in the style of another: its pixels are what is learnt",
            target="dlkit_style.task:Style",
            defaults={
                "dataset": "photographs",
                "model": "backbone",
                "loss": "perceptual",
                "trainer": "pixels",
                "inference": "painter",
            },
            metric="val/loss",
            direction="min",
            suggest=recipes.ANY,
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="photographs",
            task=TASK,
            summary="A temple and a flower (scikit-learn; no network needed), either in the other's style",
            target="dlkit_style.datasets.photographs:build",
            config="dlkit_style.options:PhotographsConfig",
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own pictures: one, and those in whose style it is to be",
            target="dlkit_style.datasets.files:build",
            config="dlkit_style.options:FilesConfig",
            example="dlkit_style.datasets.example:write",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="backbone",
            task=TASK,
            summary="Seen through the small network that comes with dlkit",
            target="dlkit_style.models:backbone",
            config="dlkit_style.options:BackboneConfig",
            suggest=recipes.BACKBONE,
        ),
        ModelSpec(
            name="vgg19",
            task=TASK,
            summary="Seen through VGG-19, as published; ImageNet weights, those of a file or run, or random ones",
            target="dlkit_style.models:vgg19",
            config="dlkit_style.options:Vgg19Config",
        ),
        ModelSpec(
            name="squeezenet",
            task=TASK,
            summary="Seen through SqueezeNet 1.1, small and quick; weights as of vgg19",
            target="dlkit_style.models:squeezenet",
            config="dlkit_style.options:SqueezeNetConfig",
            suggest=recipes.SQUEEZENET,
        ),
        ModelSpec(
            name="run",
            task=TASK,
            summary="Seen through the network of an earlier run: of classification, localization or detection",
            target="dlkit_style.models:run",
            config="dlkit_style.options:RunConfig",
            suggest=recipes.BACKBONE,
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="perceptual",
            task=TASK,
            summary="How far the picture is from the content's features and from the styles' correlations of them",
            target="dlkit_style.losses:Perceptual",
            config="dlkit_style.options:PerceptualConfig",
        )
    ]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="pixels",
            task=TASK,
            summary="L-BFGS or Adam on the pixels, from coarse to fine",
            target="dlkit_style.trainer:PixelTrainer",
            config="dlkit_style.options:PixelsConfig",
        )
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="painter",
            task=TASK,
            summary="Shows the picture as it forms; paints other pictures by the same recipe",
            target="dlkit_style.painter:Painter",
            config="dlkit_style.options:PainterConfig",
        )
    ]

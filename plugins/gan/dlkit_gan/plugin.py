"""What this plugin offers: the task ``gan`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, SourceSpec, TaskSpec, hookimpl
from dlkit.data.known import LFWCROP
from dlkit_gan import recipes

TASK = "gan"
INTERFACE = "adversarial"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Images from noise",
            summary="A generator and a discriminator against each other: digits, faces, or your own images",
            target="dlkit_gan.task:Gan",
            defaults={
                "dataset": "digits",
                "model": "spectral",
                "loss": "hinge",
                "trainer": "adversarial",
                "inference": "artist",
            },
            metric="val/judge_frechet",
            direction="min",
            recipes="dlkit_gan:studies",
            suggest=recipes.ANY,
            presets="dlkit_gan:presets",
        )
    ]


@hookimpl
def dlkit_sources() -> list[SourceSpec]:
    return [LFWCROP]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="digits",
            task=TASK,
            summary="1,797 handwritten digits (scikit-learn; no network needed)",
            target="dlkit_gan.datasets.digits:build",
            config="dlkit_gan.options:DigitsConfig",
            version=2,
            migrate="dlkit_gan.earlier:dataset",
        ),
        DatasetSpec(
            name="mnist",
            task=TASK,
            summary="70,000 handwritten digits",
            target="dlkit_gan.datasets.digits:build_mnist",
            config="dlkit_gan.options:DigitsConfig",
            version=2,
            migrate="dlkit_gan.earlier:dataset",
            sources=("mnist",),
        ),
        DatasetSpec(
            name="lfwcrop",
            task=TASK,
            summary="13,233 faces, 64x64 RGB",
            target="dlkit_gan.datasets.files:build_faces",
            config="dlkit_gan.options:FacesConfig",
            version=2,
            migrate="dlkit_gan.earlier:dataset",
            sources=("lfwcrop",),
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own images: a folder of them",
            target="dlkit_gan.datasets.files:build",
            config="dlkit_gan.options:FilesConfig",
            example="dlkit.data.examples:images",
            version=3,
            migrate="dlkit_gan.earlier:files",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="spectral",
            task=TASK,
            summary="DCGAN's networks, the discriminator kept smooth by spectral norm",
            target="dlkit_gan.dcgan:build",
            config="dlkit_gan.options:SpectralConfig",
            interface=INTERFACE,
            suggest=recipes.SPECTRAL,
        ),
        ModelSpec(
            name="dcgan",
            task=TASK,
            summary="DCGAN as published, with batch norm in both networks",
            target="dlkit_gan.dcgan:build",
            config="dlkit_gan.options:DcganConfig",
            interface=INTERFACE,
            defaults={"loss": "cross-entropy"},
            suggest=recipes.PUBLISHED,
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="hinge",
            task=TASK,
            summary="Hinge loss: only what is not told apart clearly counts",
            target="dlkit_gan.losses:Hinge",
            interface=INTERFACE,
        ),
        LossSpec(
            name="cross-entropy",
            task=TASK,
            summary="Sigmoid cross-entropy, with label smoothing",
            target="dlkit_gan.losses:CrossEntropy",
            config="dlkit_gan.options:CrossEntropyConfig",
            interface=INTERFACE,
        ),
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="artist",
            task=TASK,
            summary="Draws images from seeds; samples show a grid, and walks from one image to another",
            target="dlkit_gan.artist:Artist",
            answers="dlkit_gan.answering:SeedAnswering",
            config="dlkit_gan.options:ArtistConfig",
        )
    ]

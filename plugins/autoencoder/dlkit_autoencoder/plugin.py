"""What this plugin offers: the task ``autoencoder`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, SourceSpec, TaskSpec, TrainerSpec, hookimpl
from dlkit.data.known import LFWCROP
from dlkit_autoencoder import recipes

TASK = "autoencoder"
VARIATIONAL = "variational"
"""The interface of models with a posterior over codes, and of the losses and trainers that know what to do with it."""


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Autoencoder",
            summary="Images squeezed into a few numbers and restored: compression, denoising, new images",
            target="dlkit_autoencoder.task:Autoencoder",
            defaults={
                "dataset": "digits",
                "model": "variational",
                "loss": "mse",
                "trainer": "supervised",
                "inference": "compressor",
            },
            metric="val/mse",
            direction="min",
            recipes="dlkit_autoencoder:studies",
            suggest=recipes.ANY,
            presets="dlkit_autoencoder:presets",
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
            summary="1,797 handwritten digits, enlarged to 28x28 grey (scikit-learn; no network needed)",
            target="dlkit_autoencoder.datasets.digits:build",
            config="dlkit_autoencoder.options:DigitsConfig",
            suggest=recipes.DIGITS,
        ),
        DatasetSpec(
            name="mnist",
            task=TASK,
            summary="70,000 handwritten digits, 28x28 grey",
            target="dlkit_autoencoder.datasets.digits:build_mnist",
            config="dlkit_autoencoder.options:DigitsConfig",
            suggest=recipes.MNIST,
            sources=("mnist",),
        ),
        DatasetSpec(
            name="lfwcrop",
            task=TASK,
            summary="13,233 faces, 64x64 RGB",
            target="dlkit_autoencoder.datasets.files:build_lfwcrop",
            config="dlkit_autoencoder.options:LfwcropConfig",
            suggest=recipes.FACES,
            sources=("lfwcrop",),
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own images: a folder of them",
            target="dlkit_autoencoder.datasets.files:build",
            config="dlkit_autoencoder.options:FilesConfig",
            example="dlkit.data.examples:images",
            version=2,
            migrate="dlkit.data.earlier:image_folders",
            suggest=recipes.FILES,
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="linear",
            task=TASK,
            summary="One linear layer each way: at its best, principal components",
            target="dlkit_autoencoder.models:linear",
            config="dlkit_autoencoder.options:LinearConfig",
        ),
        ModelSpec(
            name="deep",
            task=TASK,
            summary="A multilayer perceptron each way",
            target="dlkit_autoencoder.models:deep",
            config="dlkit_autoencoder.options:DeepConfig",
        ),
        ModelSpec(
            name="convolutional",
            task=TASK,
            summary="A small residual network each way",
            target="dlkit_autoencoder.convolutional:convolutional",
            config="dlkit_autoencoder.options:ConvolutionalConfig",
        ),
        ModelSpec(
            name="denoising",
            task=TASK,
            summary="The residual network, trained to restore images with noise or holes",
            target="dlkit_autoencoder.convolutional:denoising",
            config="dlkit_autoencoder.options:DenoisingConfig",
        ),
        ModelSpec(
            name="variational",
            task=TASK,
            summary="The residual network with a distribution over codes: draws new images too",
            target="dlkit_autoencoder.variational:build",
            config="dlkit_autoencoder.options:VariationalConfig",
            version=2,
            migrate="dlkit_autoencoder.earlier:variational",
            interface=VARIATIONAL,
            defaults={"loss": "elbo", "trainer": "variational"},
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="mse",
            task=TASK,
            summary="Mean squared error over pixels",
            target="dlkit_autoencoder.losses:mse",
        ),
        LossSpec(
            name="cross-entropy",
            task=TASK,
            summary="Cross-entropy over pixels, each taken for the probability of white",
            target="dlkit_autoencoder.losses:cross_entropy",
        ),
        LossSpec(
            name="elbo",
            task=TASK,
            summary="The evidence lower bound: reconstruction, and divergence of the codes from a normal distribution",
            target="dlkit_autoencoder.losses:elbo",
            config="dlkit_autoencoder.options:ElboConfig",
            version=2,
            migrate="dlkit_autoencoder.earlier:elbo",
            interface=VARIATIONAL,
        ),
    ]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="variational",
            task=TASK,
            summary="Gradient descent on a bound whose divergence comes in slowly",
            target="dlkit_autoencoder.trainer:VariationalTrainer",
            config="dlkit_autoencoder.options:VariationalTrainerConfig",
            interface=VARIATIONAL,
        )
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="compressor",
            task=TASK,
            summary="Compresses image files and restores them; samples show originals above reconstructions",
            target="dlkit_autoencoder.compressor:Compressor",
            answers="dlkit_autoencoder.answering:CodeAnswering",
            config="dlkit_autoencoder.options:CompressorConfig",
        )
    ]

"""What this plugin offers: the task ``kernels``, and ways to look inside the runs of any task."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, Suggest, TaskSpec, hookimpl
from dlkit_insight.representations import REPRESENTATIONS
from dlkit_insight.sequences import SEQUENCES

KERNELS = "kernels"
_AT_ONCE = Suggest(settings={"engine.steps": 0}, when={"model": "fixed"})
_DESCENT = Suggest.recipe(
    {"model": "learnt"},
    engine={"steps": 300, "eval_every": "20 steps", "sample_every": "5 steps", "eval_first": True, "batch_size": 8},
    trainer={"optimizer": "sgd", "lr": 0.03, "momentum": 0.0, "nesterov": False},
)


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=KERNELS,
            title="Edges and kernels",
            summary="Images filtered by kernels: the known ones compared, and one that is found by gradient descent",
            target="dlkit_insight.kernels.task:Kernels",
            defaults={
                "dataset": "photographs",
                "model": "learnt",
                "loss": "mse",
                "trainer": "supervised",
                "inference": "filter",
            },
            metric="val/mse",
            direction="min",
            suggest=(_AT_ONCE, _DESCENT),
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="photographs",
            task=KERNELS,
            summary="A temple and a flower, and what a kernel makes of them (scikit-learn; no network needed)",
            target="dlkit_insight.kernels.data:build",
            config="dlkit_insight.kernels.options:FilteredConfig",
        ),
        DatasetSpec(
            name="files",
            task=KERNELS,
            summary="Your own images; or one, and what became of it",
            target="dlkit_insight.kernels.data:build_files",
            config="dlkit_insight.kernels.options:FilesConfig",
            example="dlkit.data.examples:photographs",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="fixed",
            task=KERNELS,
            summary="Kernels that are given by name, by numbers or in files: nothing to train",
            target="dlkit_insight.kernels.models:fixed",
            config="dlkit_insight.kernels.options:FixedConfig",
        ),
        ModelSpec(
            name="learnt",
            task=KERNELS,
            summary="One kernel, found from an image and its filtered version",
            target="dlkit_insight.kernels.models:learnt",
            config="dlkit_insight.kernels.options:LearntConfig",
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="mse",
            task=KERNELS,
            summary="Mean squared error over pixels",
            target="dlkit_insight.kernels.losses:mse",
        )
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="filter",
            task=KERNELS,
            summary="Filters image files by the model's kernels, side by side; samples show the kernels",
            target="dlkit_insight.kernels.filtering:Filter",
            answers="dlkit_insight.kernels.answering:FilterAnswering",
            config="dlkit_insight.kernels.options:FilterConfig",
        ),
        InferenceSpec(
            name="layers",
            summary="Filters, maps before and after ReLU and pooling, and the images that excite a channel most",
            target="dlkit_insight.layers:Layers",
            config="dlkit_insight.options:LayersConfig",
        ),
        InferenceSpec(
            name="saliency",
            summary="Why: the pixels that a score would change with most (every task of images that says its scores)",
            target="dlkit_insight.why:Saliency",
            config="dlkit_insight.options:SaliencyConfig",
        ),
        InferenceSpec(
            name="grad-cam",
            summary="Why: the places of a convolution's map that speak for a score, as heat over the image",
            target="dlkit_insight.why:GradCam",
            config="dlkit_insight.options:GradCamConfig",
        ),
        InferenceSpec(
            name="occlusion",
            summary="Why: what a score loses where the image is covered",
            target="dlkit_insight.why:Occlusion",
            config="dlkit_insight.options:OcclusionConfig",
        ),
        InferenceSpec(
            name="weights",
            summary="Each layer's weights: how many, of what shape, how they are spread",
            target="dlkit_insight.weights:Weights",
        ),
        *SEQUENCES,
        *REPRESENTATIONS,
    ]

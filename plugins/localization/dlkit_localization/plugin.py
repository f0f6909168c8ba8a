"""What this plugin offers: the task ``localization`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, TaskSpec, hookimpl
from dlkit_localization import recipes

TASK = "localization"
PRESETS = "dlkit_localization:presets"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Object localization",
            summary="One object at most in an image: is there one, where, and which",
            target="dlkit_localization.task:Localization",
            defaults={
                "dataset": "digit-canvas",
                "model": "spotlight",
                "loss": "three-part",
                "trainer": "supervised",
                "inference": "localizer",
            },
            metric="val/strict_accuracy",
            direction="max",
            recipes="dlkit_localization:studies",
            suggest=recipes.ANY,
            presets=PRESETS,
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="digit-canvas",
            task=TASK,
            summary="A digit, or none, on a noisy canvas: MNIST's where present, else scikit-learn's",
            target="dlkit_localization.datasets.digit_canvas:build",
            config="dlkit_localization.options:DigitCanvasConfig",
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own images with Pascal VOC XML, COCO JSON or YOLO's labels; the first box of each",
            target="dlkit_localization.datasets.files:build",
            config="dlkit_localization.options:FilesConfig",
            example="dlkit.data.examples:boxed_image_of_one",
            suggest=recipes.FILES,
            version=3,
            migrate="dlkit.data.earlier:annotated_files",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="lenet",
            task=TASK,
            summary="LeNet-5 as it was: tanh and average pooling",
            target="dlkit_localization.lenet:build",
            config="dlkit_localization.options:LenetConfig",
        ),
        ModelSpec(
            name="lenet-relu",
            task=TASK,
            summary="LeNet-5 with ReLU, batch norm and maximum pooling",
            target="dlkit_localization.lenet:build",
            config="dlkit_localization.options:LenetReluConfig",
        ),
        ModelSpec(
            name="lenet-wide",
            task=TASK,
            summary="A wider and deeper LeNet-5",
            target="dlkit_localization.lenet:build",
            config="dlkit_localization.options:LenetWideConfig",
        ),
        ModelSpec(
            name="spotlight",
            task=TASK,
            summary="Small residual network that answers from the place it looks at",
            target="dlkit_localization.spotlight:build",
            config="dlkit_localization.options:SpotlightConfig",
            version=2,
            migrate="dlkit_localization.earlier:spotlight",
            defaults={"loss": "iou"},
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="three-part",
            task=TASK,
            summary="The course's: presence, and where there is an object, squared error of the box and the class",
            target="dlkit_localization.losses:three_part",
            config="dlkit_localization.options:ThreePartConfig",
        ),
        LossSpec(
            name="iou",
            task=TASK,
            summary="The three parts, and how little the boxes overlap: GIoU or CIoU",
            target="dlkit_localization.losses:with_overlap",
            config="dlkit_localization.options:IouConfig",
        ),
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="localizer",
            task=TASK,
            summary="Says what is where on image files and draws it; samples show the worst first",
            target="dlkit_localization.localizer:Localizer",
            answers="dlkit_localization.answering:BoxAnswering",
            config="dlkit_localization.options:LocalizerConfig",
        )
    ]

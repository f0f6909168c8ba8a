"""What this plugin offers: the task ``detection`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, TaskSpec, hookimpl
from dlkit_detection import recipes

TASK = "detection"
GRID = {"loss": "grid"}


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Object detection",
            summary="Several objects in an image, where and which: digits on canvases, or your own annotated images",
            target="dlkit_detection.task:Detection",
            defaults={
                "dataset": "digits-canvas",
                "model": "pyramid",
                "loss": "focal",
                "trainer": "supervised",
                "inference": "detector",
            },
            metric="val/map",
            direction="max",
            recipes="dlkit_detection:studies",
            suggest=recipes.ANY,
            presets="dlkit_detection:presets",
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="digits-canvas",
            task=TASK,
            summary="One to four handwritten digits on a noisy canvas (scikit-learn's, or MNIST's where present)",
            target="dlkit_detection.datasets.digits_canvas:build",
            config="dlkit_detection.options:DigitsCanvasConfig",
            suggest=recipes.DIGITS,
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own images, with Pascal VOC XML, COCO JSON or YOLO's labels",
            target="dlkit_detection.datasets.files:build",
            config="dlkit_detection.options:FilesConfig",
            example="dlkit.data.examples:boxed_images",
            suggest=recipes.FILES,
            version=3,
            migrate="dlkit.data.earlier:annotated_files",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="grid-lenet",
            task=TASK,
            summary="LeNet-5 as it was, convolutions to the end: a grid of cells",
            target="dlkit_detection.models.grid:build",
            config="dlkit_detection.options:GridLenetConfig",
            defaults=GRID,
        ),
        ModelSpec(
            name="grid-relu",
            task=TASK,
            summary="The same with ReLU, batch norm and maximum pooling",
            target="dlkit_detection.models.grid:build",
            config="dlkit_detection.options:GridReluConfig",
            defaults=GRID,
        ),
        ModelSpec(
            name="grid-wide",
            task=TASK,
            summary="The same, wider and deeper",
            target="dlkit_detection.models.grid:build",
            config="dlkit_detection.options:GridWideConfig",
            defaults=GRID,
        ),
        ModelSpec(
            name="pyramid",
            task=TASK,
            summary="Anchor-free detector with a feature pyramid; its backbone from scratch or torchvision's",
            target="dlkit_detection.models.pyramid:build",
            config="dlkit_detection.options:PyramidConfig",
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="grid",
            task=TASK,
            summary="The course's: presence, box and class, summed over cells",
            target="dlkit_detection.losses:grid",
            config="dlkit_detection.options:GridLossConfig",
        ),
        LossSpec(
            name="focal",
            task=TASK,
            summary="Focal loss of the presence, CIoU or GIoU of the boxes, cross-entropy of the classes",
            target="dlkit_detection.losses:focal",
            config="dlkit_detection.options:FocalConfig",
        ),
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="detector",
            task=TASK,
            summary="Finds and names objects on image files, and draws them; samples show mistakes first",
            target="dlkit_detection.detector:Detector",
            answers="dlkit_detection.answering:ObjectAnswering",
            config="dlkit_detection.options:DetectorConfig",
        )
    ]

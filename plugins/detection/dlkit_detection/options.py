"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dlkit.config import Config, Gibibytes
from dlkit.data.options import AnnotatedFiles, AskedImages, Weights

Width = Annotated[int, Field(ge=1)]
MOST_CANVASES = 10_000_000
"""Each is at least four kB in memory, and they are drawn from some thousand digits."""
Factor = Annotated[float, Field(ge=0.1, le=8)]
Stride = Literal[2, 4, 8, 16, 32, 64]


class Augmentation(Config):
    """Random changes to training images and their boxes, made on the device."""

    flip: bool = Field(False, description="Mirror images left and right at random")
    zoom: tuple[Factor, Factor] = Field((1.0, 1.0), description="Lowest and highest factor that images are resized by")
    shift: float = Field(0.0, ge=0, lt=1, description="Share of its sides that an image is moved by at most")
    light: float = Field(0.0, ge=0, lt=1, description="Share that brightness and contrast change by at most")

    @model_validator(mode="after")
    def _zoom_in_order(self) -> Self:
        if self.zoom[0] > self.zoom[1]:
            raise ValueError(f"zoom goes from the lowest to the highest factor, not from {self.zoom[0]} down")
        return self


class DigitsCanvasConfig(Augmentation):
    """Several digits on a noisy canvas. Counts that are not given: 54,000 / 3,000 / 10,000 canvases of MNIST's digits,
    8,000 / 1,000 / 1,000 of the embedded ones.
    """

    source: Literal["auto", "digits", "mnist"] = Field(
        "auto", description="mnist; digits: scikit-learn's 1,797; auto: mnist where it lies in the workspace"
    )
    classes: int = Field(10, ge=1, le=10, description="The first so many digits; 2: zeros and ones, as in the course")
    train: int | None = Field(None, ge=1, le=MOST_CANVASES, description="Training canvases")
    val: int | None = Field(None, ge=1, le=MOST_CANVASES, description="Validation canvases")
    test: int | None = Field(None, ge=1, le=MOST_CANVASES, description="Test canvases")
    height: int = Field(48, ge=8, le=512, description="Height of a canvas in pixels")
    width: int = Field(60, ge=8, le=512, description="Width of a canvas in pixels")
    fewest: int = Field(1, ge=1, le=64, description="Digits on a canvas at least")
    most: int = Field(4, ge=1, le=64, description="Digits on a canvas at most")
    scale: tuple[Factor, Factor] = Field((0.6, 1.0), description="Lowest and highest factor that digits are resized by")
    angle: float = Field(15.0, ge=0, le=45, description="Degrees that digits are turned by at most, either way")
    noise: float = Field(0.2, ge=0, le=1, description="Standard deviation of the noise, as a share of full scale")
    empty: float = Field(0.0, ge=0, lt=1, description="Share of canvases without a digit")
    max_iou: float = Field(0.05, ge=0, le=1, description="Intersection over union of two boxes of a canvas at most")
    canvas_seed: int = Field(0, ge=0, description="Everything on the canvases is a function of it")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale goes from the lowest to the highest factor, not from {self.scale[0]} down")
        if self.fewest > self.most:
            raise ValueError(f"fewest = {self.fewest} is more than most = {self.most}")
        return self


class FilesConfig(AnnotatedFiles, Augmentation):
    """Images of your own, of any size, with Pascal VOC XML, COCO JSON or YOLO's labels."""

    height: int | None = Field(
        None, ge=16, le=2048, description="Height that images are letter-boxed to, in pixels; not given: by their shape"
    )
    width: int | None = Field(
        None, ge=16, le=2048, description="Width that images are letter-boxed to; neither given: some 160 × 160 pixels"
    )
    memory: Gibibytes = Field(
        1.0,
        ge=0,
        description="GiB of pixels (or 500MB) that are kept in memory; of more, images are read when it is their turn",
    )


class GridLenetConfig(Config):
    """LeNet-5 (LeCun et al. 1998), convolutions to the end: the last map has rows × columns cells, 5 + classes each."""

    grid: tuple[Width, Width] = Field((2, 3), description="Rows and columns of cells")
    channels: list[Width] = Field(
        [6, 16], min_length=1, description="Filters of each convolution, which pooling halves"
    )
    kernel: Literal[3, 5] = Field(5, description="Side of the filters in pixels")
    pad: bool = Field(False, description="Pad so that convolutions keep the image's size; false: they shrink it")
    hidden: list[Width] = Field(
        [120, 84], min_length=1, description="Filters of the convolutions after the pooled ones"
    )
    activation: Literal["tanh", "relu"] = Field("tanh", description="Activation of all layers but the last")
    pooling: Literal["mean", "max"] = Field("mean", description="How 2 × 2 pixels become one")
    batch_norm: bool = Field(False, description="Batch normalisation after convolutions")


class GridReluConfig(GridLenetConfig):
    """The same with what came after LeNet: ReLU, batch norm, maximum pooling."""

    activation: Literal["tanh", "relu"] = Field("relu", description="Activation of all layers but the last")
    pooling: Literal["mean", "max"] = Field("max", description="How 2 × 2 pixels become one")
    batch_norm: bool = Field(True, description="Batch normalisation after convolutions")


class GridWideConfig(GridReluConfig):
    """Wider and deeper."""

    channels: list[Width] = Field(
        [32, 64, 128], min_length=1, description="Filters of each convolution, which pooling halves"
    )
    kernel: Literal[3, 5] = Field(3, description="Side of the filters in pixels")
    pad: bool = Field(True, description="Pad so that convolutions keep the image's size; false: they shrink it")
    hidden: list[Width] = Field(
        [256, 128], min_length=1, description="Filters of the convolutions after the pooled ones"
    )


class PyramidConfig(Config):
    """An anchor-free detector: a backbone, a pyramid of its maps, and a head that every level shares."""

    backbone: Literal[
        "own", "embedded", "squeezenet1_1", "mobilenet_v3_small", "mobilenet_v3_large", "resnet18", "resnet50"
    ] = Field(
        "own",
        description="Network that features come from: own, from scratch; embedded, trained before; torchvision's",
    )
    weights: Weights | None = Field(
        None,
        description="Weights of the backbone: a .safetensors or .pth file, or a RUN; without, torchvision's has none",
    )
    freeze: bool = Field(False, description="Keep the backbone's weights as they are")
    widths: list[Width] = Field(
        [32, 64, 128, 128],
        min_length=2,
        description="Filters of each stage of the own backbone, which halves the image",
    )
    blocks: list[Annotated[int, Field(ge=0, le=100)]] = Field([0, 1, 1, 1], description="Residual blocks of each stage")
    strides: list[Stride] = Field(
        [4, 8], min_length=1, description="Pixels from point to point on each level where objects are looked for"
    )
    reach: float = Field(
        8.0, gt=0, description="Longest side of an object that a level answers for, in its strides; the last: any"
    )
    neck: Width = Field(64, description="Channels of the pyramid")
    head: int = Field(2, ge=0, le=8, description="Convolutions of the head before its answers")
    quality: bool = Field(True, description="Say of each box how well it fits, too; scores take it into account")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.blocks) != len(self.widths):
            raise ValueError(f"blocks and widths must have one entry a stage; {self.blocks} and {self.widths} differ")
        if list(self.strides) != sorted(set(self.strides)):
            raise ValueError(f"strides must rise from level to level, not {self.strides}")
        if self.backbone == "own" and self.weights:
            raise ValueError("weights are for a torchvision backbone; the own one is trained from scratch")
        if self.freeze and not (self.weights or self.backbone == "embedded"):
            raise ValueError("freeze needs weights: a backbone from scratch must learn")
        return self


class GridLossConfig(Config):
    """The course's loss, summed over cells."""

    empty_weight: float = Field(0.5, ge=0, description="Weight of the presence at cells without an object")
    box_weight: float = Field(5.0, ge=0, description="Weight of the squared error of boxes")
    class_weight: float = Field(1.0, ge=0, description="Weight of the cross-entropy of the classes")


class FocalConfig(Config):
    """Focal loss of the presence, and an overlap's loss of the boxes."""

    alpha: float = Field(0.25, ge=0, le=1, description="Weight of places with an object; 1 − alpha: of those without")
    gamma: float = Field(2.0, ge=0, description="How much places that are right already count less")
    overlap: Literal["ciou", "giou"] = Field("ciou", description="Complete or generalised intersection over union")
    radius: float = Field(1.5, gt=0, description="Distance from an object's centre, in strides, of places that answer")
    box_weight: float = Field(2.0, ge=0, description="Weight of the overlap's loss")
    class_weight: float = Field(1.0, ge=0, description="Weight of the cross-entropy of the classes")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Probability shared out over all classes")


class DetectorConfig(AskedImages):
    """How answers are given."""

    threshold: float = Field(0.5, ge=0, le=1, description="Score from which on an object is one")
    overlap: float = Field(
        0.5, ge=0, le=1, description="Intersection over union from which on the weaker of two boxes of a class goes"
    )
    most: int = Field(100, ge=1, le=1000, description="Objects named of an image at most")
    invert: bool = Field(False, description="Negative of the images asked about: dark on light, trained light on dark")

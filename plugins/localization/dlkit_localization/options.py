"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dlkit.config import Config, at_fork
from dlkit.data.options import AnnotatedFiles, AskedImages

Width = Annotated[int, Field(ge=1)]
MOST_CANVASES = 10_000_000
"""Each is at least four kB in memory, and they are drawn from some thousand digits."""
Factor = Annotated[float, Field(ge=0.1, le=8)]


class DigitCanvasConfig(Config):
    """A digit, or none, on a noisy canvas. Counts that are not given: 54,000 / 6,000 / 10,000 canvases of MNIST's
    digits, 8,000 / 1,000 / 1,000 of the embedded ones.
    """

    source: Literal["auto", "digits", "mnist"] = Field(
        "auto", description="mnist; digits: scikit-learn's 1,797; auto: mnist where it lies in the workspace"
    )
    train: int | None = Field(None, ge=1, le=MOST_CANVASES, description="Training canvases")
    val: int | None = Field(None, ge=1, le=MOST_CANVASES, description="Validation canvases")
    test: int | None = Field(None, ge=1, le=MOST_CANVASES, description="Test canvases")
    height: int = Field(48, ge=8, le=512, description="Height of a canvas in pixels")
    width: int = Field(60, ge=8, le=512, description="Width of a canvas in pixels")
    scale: tuple[Factor, Factor] = Field((0.7, 1.3), description="Lowest and highest factor that digits are resized by")
    angle: float = Field(15.0, ge=0, le=45, description="Degrees that digits are turned by at most, either way")
    noise: float = Field(0.2, ge=0, le=1, description="Standard deviation of the noise, as a share of full scale")
    empty: float = Field(0.15, ge=0, lt=1, description="Share of canvases without a digit")
    move: bool = Field(True, description="Put training canvases' content somewhere else every time")
    canvas_seed: int = Field(0, ge=0, description="Everything on the canvases is a function of it")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale goes from the lowest to the highest factor, not from {self.scale[0]} down")
        return self


class FilesConfig(AnnotatedFiles):
    """Images of your own with VOC XML, COCO JSON or YOLO's labels; of several boxes on an image, the first."""

    height: int | None = Field(
        None, ge=8, le=1024, description="Height that images are letter-boxed to, in pixels; not given: by their shape"
    )
    width: int | None = Field(
        None, ge=8, le=1024, description="Width that images are letter-boxed to; neither given: some 96 × 96 pixels"
    )
    flip: bool = Field(False, description="Mirror training images and boxes left and right at random")


class LenetConfig(Config):
    """LeNet-5 as it was (LeCun et al. 1998): tanh and average pooling."""

    channels: list[Width] = Field(
        [6, 16], min_length=1, description="Filters of each convolution, which pooling halves"
    )
    kernel: Literal[3, 5] = Field(5, description="Side of the filters in pixels")
    pad: bool = Field(False, description="Pad so that convolutions keep the image's size; false: they shrink it")
    hidden: list[Width] = Field([120, 84], description="Units of each dense layer before the last")
    activation: Literal["tanh", "relu"] = Field("tanh", description="Activation of all layers but the last")
    pooling: Literal["mean", "max"] = Field("mean", description="How 2 × 2 pixels become one")
    batch_norm: bool = Field(False, description="Batch normalisation after convolutions and dense layers")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of dense units left out at random in training",
        json_schema_extra=at_fork("exact"),
    )


class LenetReluConfig(LenetConfig):
    """LeNet-5 with what came after it: ReLU, batch norm, maximum pooling."""

    activation: Literal["tanh", "relu"] = Field("relu", description="Activation of all layers but the last")
    pooling: Literal["mean", "max"] = Field("max", description="How 2 × 2 pixels become one")
    batch_norm: bool = Field(True, description="Batch normalisation after convolutions and dense layers")


class LenetWideConfig(LenetReluConfig):
    """A wider and deeper LeNet-5."""

    channels: list[Width] = Field(
        [16, 32, 64], min_length=1, description="Filters of each convolution, which pooling halves"
    )
    pad: bool = Field(True, description="Pad so that convolutions keep the image's size; false: they shrink it")
    hidden: list[Width] = Field([256, 128], description="Units of each dense layer before the last")


class SpotlightConfig(Config):
    """A small residual network that answers from the place it looks at."""

    stem_width: Width = Field(32, description="Filters of the first convolution, which halves the image")
    widths: list[Width] = Field([64, 128], min_length=2, description="Filters of each stage, which halves it again")
    blocks: list[Annotated[int, Field(ge=0, le=100)]] = Field([0, 1], description="Residual blocks of each stage")
    neck: Width = Field(64, description="Channels that the last two stages are joined in")
    glimpse: int = Field(28, ge=0, le=1024, description="Side in pixels of the closer look that tells classes; 0: none")
    glimpse_widths: list[Width] = Field([32, 64, 128], min_length=1, description="Filters of its stages")
    jitter: float = Field(
        0.2, ge=0, lt=1, description="What it is turned (radians), resized and moved by at random in training, at most"
    )
    dropout: float = Field(
        0.2, ge=0, lt=1, description="Share left out before the classes", json_schema_extra=at_fork("exact")
    )
    muon_answers: bool = Field(
        False, description="Muon updates what makes presence and box too, as in runs of before; false: AdamW does"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.blocks) != len(self.widths):
            raise ValueError(f"blocks and widths must have one entry a stage; {self.blocks} and {self.widths} differ")
        return self


class ThreePartConfig(Config):
    """The course's loss: there is an object, where, and which; the last two only where there is one."""

    present_weight: float = Field(1.0, ge=0, description="Weight of the binary cross-entropy on the object's presence")
    box_weight: float = Field(30.0, ge=0, description="Weight of the mean squared error of the box")
    class_weight: float = Field(1.0, ge=0, description="Weight of the cross-entropy of the classes")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Probability shared out over all classes")


class IouConfig(ThreePartConfig):
    """The three parts and a loss of the boxes' overlap."""

    overlap: Literal["giou", "ciou"] = Field("ciou", description="Generalised or complete intersection over union")
    overlap_weight: float = Field(2.0, ge=0, description="Weight of the overlap's loss")


class LocalizerConfig(AskedImages):
    """How answers are given."""

    threshold: float = Field(0.5, ge=0, le=1, description="Probability from which on there is an object")
    invert: bool = Field(False, description="Negative of the images asked about: dark on light, trained light on dark")

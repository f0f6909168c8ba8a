"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from dlkit.config import Config, at_fork
from dlkit.data.options import AskedImages, FolderOptions, ImageLists, Location, PixelOptions, Shares

Width = Annotated[int, Field(ge=1)]
Init = Literal["torch", "zeros", "ones", "uniform", "general", "normal", "xavier", "kaiming"]
"""As in ``dlkit.nn.init``, which knows torch."""
INIT = (
    "How weights start: as torch has it; uniform: 0 to 1, general: ±1/√inputs, normal: of that deviation; biases at 0"
)


def _listed(units: object) -> object:
    """A single number as a list of one: what configurations of before have."""
    return [units] if isinstance(units, int) else units


class Augmentation(Config):
    """Random changes to training batches, made on the device, and how often each class is in them."""

    balanced: bool = Field(
        False, description="Draw all classes equally often: rare images several times an epoch, common ones not in each"
    )
    flip: bool = Field(False, description="Mirror images left and right at random")
    crop: int = Field(0, ge=0, description="Shift images by up to this many pixels; 0: not")
    padding: Literal["reflect", "zero"] = Field("reflect", description="What a shift brings in at the border")
    cutout: int = Field(0, ge=0, description="Side in pixels of a square that is blanked at random; 0: none")
    zoom: float = Field(1.0, ge=1, le=8, description="Enlarge a random part of images, up to this factor; 1: not")


class Fractions(Shares, Augmentation):
    """How one set of images is split, stratified by class."""

    val_fraction: float = Field(0.15, gt=0, lt=1, description="Share of the images for validation")
    test_fraction: float = Field(0.15, ge=0, lt=1, description="Share of the images for the test; 0: no test split")
    split_seed: int = Field(0, ge=0, description="Which images go to which split is a function of it")


class DigitsConfig(Fractions):
    """scikit-learn's handwritten digits."""


class MnistConfig(Augmentation):
    """MNIST; 5,000 training images, the same share of every class, are validation."""


class Cifar10Config(Augmentation):
    """CIFAR-10; 5,000 training images, 500 of every class, are validation."""

    flip: bool = Field(True, description="Mirror images left and right at random")


class FilesConfig(Fractions, ImageLists, PixelOptions, FolderOptions):
    """A folder of images per class, of your own."""

    path: Location = Field(description="Folder with a folder per class, or with train, val and test of those")
    size: int = Field(64, ge=4, le=1024, description="Height and width that images are brought to, in pixels")
    colour: bool = Field(True, description="RGB images; false: grey")
    fit: Literal["crop", "letterbox"] = Field(
        "crop", description="Images that are not square: their middle, or the whole on black"
    )
    skip_unreadable: bool = Field(False, description="Leave unreadable images out and say how many; false: stop")
    spelling: Literal["nfc", "written"] = Field(
        "nfc", description="Classes whose names differ in code points alone are one; written: as the folders are named"
    )


class MlpConfig(Config):
    """A multilayer perceptron on the flattened image."""

    hidden: list[Width] = Field([128], description="Units of each hidden layer; empty: a linear classifier")
    activation: Literal["relu", "gelu", "tanh", "sigmoid"] = Field("relu", description="Activation of hidden layers")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of hidden units left out at random in training",
        json_schema_extra=at_fork("exact"),
    )
    init: Init = Field("torch", description=INIT)


class CnnConfig(Config):
    """Convolutions, each halved by pooling, and dense layers, with dropout after the convolutions and each layer."""

    channels: list[Width] = Field(
        [32, 64], min_length=1, max_length=12, description="Filters of each convolution, which halves the image"
    )
    kernel: Literal[3, 5] = Field(3, description="Side of the filters in pixels")
    pad: bool = Field(True, description="Pad so that convolutions keep the image's size; false: they shrink it")
    hidden: Annotated[list[Width], BeforeValidator(_listed)] = Field(
        [128], max_length=12, description="Units of each dense layer before the last; empty: none"
    )
    dropout: float = Field(
        0.25, ge=0, lt=1, description="Share left out after the convolutions", json_schema_extra=at_fork("exact")
    )
    dense_dropout: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="Share left out after each dense layer before the last",
        json_schema_extra=at_fork("exact"),
    )
    batch_norm: bool = Field(False, description="Batch normalisation after each convolution")
    init: Init = Field("torch", description=INIT)


class ResnetConfig(Config):
    """A small residual network: a stem, pooled stages with residual blocks, one vector, the logits."""

    stem_width: Width = Field(32, description="Filters of the first convolution")
    stem_kernel: Literal[2, 3] = Field(3, description="Side of the first convolution; 2 goes without padding")
    stem_stride: Literal[1, 2] = Field(1, description="Step of the first convolution; 2 halves the image at once")
    whiten: bool = Field(True, description="The first convolution whitens patches and is not trained (even stem_width)")
    widths: list[Width] = Field(
        [64, 128, 256], min_length=1, description="Filters of each stage, which halves the image"
    )
    blocks: list[Annotated[int, Field(ge=0, le=100)]] = Field([1, 1, 1], description="Residual blocks of each stage")
    block_convolutions: int = Field(2, ge=1, le=4, description="Convolutions of a residual block")
    pooling: Literal["max", "mean"] = Field("max", description="How the last stage becomes a vector")
    mirror: bool = Field(False, description="Outside training, average the logits of an image and its mirror image")
    logit_scale: float = Field(0.125, gt=0, description="What logits are multiplied by")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.blocks) != len(self.widths):
            raise ValueError(f"blocks and widths must have one entry a stage; {self.blocks} and {self.widths} differ")
        if self.whiten and self.stem_width % 2:
            raise ValueError(f"whiten needs an even stem_width, filters and their negatives; {self.stem_width} is odd")
        return self


class CrossEntropyConfig(Config):
    """Cross-entropy of the softmax."""

    label_smoothing: float = Field(0.0, ge=0, lt=1, description="Probability shared out over all classes")
    balanced: bool = Field(
        False, description="Weigh images so that all classes count alike: by all / (classes x images of the class)"
    )
    class_weights: list[Annotated[float, Field(gt=0, le=1e6)]] = Field(
        [], description="Weight of the images of each class, in the order of the classes; empty: all alike"
    )

    @model_validator(mode="after")
    def _one_kind_of_weights(self) -> Self:
        if self.balanced and self.class_weights:
            raise ValueError("balanced and class_weights are two ways to weigh classes: name one")
        return self


class ClassifierConfig(AskedImages):
    """How answers are given."""

    top: int = Field(5, ge=1, description="Most probable classes named in an answer")
    invert: bool = Field(False, description="Negative of the images asked about: dark on light, trained light on dark")

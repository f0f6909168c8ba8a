"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dlkit.config import Config
from dlkit.data.options import AskedImages, ImageFiles
from dlkit.engine.options import SupervisedConfig

Width = Annotated[int, Field(ge=1)]


class Referred(Config):
    """What results are measured against."""

    reference: int = Field(
        0,
        ge=0,
        le=1024,
        description="Principal components of the training images, for codes of up to so many numbers; 0: none",
    )


class DigitsConfig(Referred):
    """Handwritten digits, scikit-learn's or MNIST's."""

    reference: int = Field(
        64,
        ge=0,
        le=1024,
        description="Principal components of the training images, for codes of up to so many numbers; 0: none",
    )
    size: Literal[28, 32, 64] = Field(28, description="Height and width in pixels; 32 is 28 with a black border")
    shift: int = Field(0, ge=0, le=8, description="Move training images by up to so many pixels at random; 0: not")


class FilesConfig(Referred, ImageFiles):
    """A folder of images, of your own."""

    size: int = Field(
        32, ge=8, le=512, multiple_of=4, description="Height and width that images are brought to, in pixels"
    )
    flip: bool = Field(False, description="Mirror training images left and right at random")


class LfwcropConfig(Referred):
    """LFWcrop's faces; a twentieth of them is for validation, another the test."""

    size: int = Field(64, ge=8, le=64, multiple_of=4, description="Height and width that faces are brought to")
    colour: bool = Field(True, description="RGB images; false: grey")
    flip: bool = Field(True, description="Mirror training images left and right at random")


class LinearConfig(Config):
    """One linear layer each way."""

    code: Width = Field(32, description="Numbers in the code")


class DeepConfig(Config):
    """A multilayer perceptron each way."""

    code: Width = Field(32, description="Numbers in the code")
    hidden: list[Width] = Field([512, 256], min_length=1, description="Units of the encoder's layers; back in reverse")


class ConvolutionalConfig(Config):
    """A small residual network each way, and a perceptron between its grid and the code."""

    code: Width = Field(32, description="Numbers in the code")
    width: Width = Field(64, description="Filters on the coarse grid, which has a quarter of the image's sides")
    stem: Width = Field(16, description="Filters on the grid of half the image's sides")
    blocks: int = Field(1, ge=0, le=16, description="Residual blocks of the encoder, and of the decoder")
    hidden: Width = Field(256, description="Units of the layer between the grid and the code")


class DenoisingConfig(ConvolutionalConfig):
    """The convolutional network, trained to restore what it sees corrupted."""

    noise: float = Field(0.4, ge=0, le=4, description="Standard deviation of the noise added to pixels in [0, 1]")
    mask: float = Field(0.0, ge=0, lt=1, description="Share of the pixels that are blacked out at random")

    @model_validator(mode="after")
    def _corrupts(self) -> Self:
        if not (self.noise or self.mask):
            raise ValueError("noise and mask must not both be 0: nothing would be restored")
        return self


class VariationalConfig(ConvolutionalConfig):
    """The convolutional network with a distribution over codes for each image, close to a standard normal one."""

    code: Width = Field(16, description="Numbers in the code")
    components: Width = Field(32, description="Normal distributions in the prior of codes; 1: the standard one")
    bound: bool = Field(
        True, description="Outside training too, the loss is of a draw from the posterior: a bound; false: of its mean"
    )


class ElboConfig(Config):
    """The evidence lower bound."""

    likelihood: Literal["bernoulli", "gaussian"] = Field(
        "bernoulli", description="How pixels lie around their reconstruction; gaussian: of the variance that fits best"
    )
    variance: Literal["image", "batch"] = Field(
        "image", description="What the gaussian's variance fits: each image; batch: all of a batch, however it is cut"
    )
    beta: float = Field(1.0, ge=0, description="Weight of the divergence from the prior")


class VariationalTrainerConfig(SupervisedConfig):
    """Gradient descent on the bound."""

    prior_warmup: float = Field(
        0.1, ge=0, le=1, description="Share of the run in which the divergence's weight rises to its own"
    )


class CompressorConfig(AskedImages):
    """How images are compressed."""

    bits: Literal[8, 16] = Field(8, description="Bits of each number in a code file")
    invert: bool = Field(False, description="Negative of the images asked about: dark on light, trained light on dark")

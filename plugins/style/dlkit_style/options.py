"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dlkit.config import CHANGEABLE, Config, at_fork
from dlkit.data.options import AskedImages, Location, PixelOptions, Weights

RANDOM, IMAGENET = "random", "imagenet"
Layers = list[Annotated[str, Field(pattern=r"^[\w.]+(:\d+(\.\d+)?)?$")]]
"""Layers by name, each perhaps with what it counts: ``relu4_1:0.5``."""
Photograph = Literal["china", "flower"]
MOST = 4096


class SizeOptions(Config):
    """How large pictures are."""

    size: int = Field(256, ge=16, le=MOST, description="Longer side of the picture in pixels")
    style_size: int = Field(
        0, ge=0, le=MOST, description="Longer side of the styles in pixels, larger for larger strokes; 0: as size"
    )
    network: str = Field(
        "", description="Run through whose network pictures are looked at, for --model run: RUN, RUN@STEP"
    )


class PhotographsConfig(SizeOptions):
    """scikit-learn's two photographs: a temple of the Summer Palace, and a dahlia."""

    content: Photograph = Field("china", description="The picture that is painted")
    style: Literal["other", "china", "flower"] = Field(
        "other", description="The one in whose style; other: not content"
    )


class FilesConfig(SizeOptions, PixelOptions):
    """Pictures of your own."""

    content: Location = Field(description="File of the picture that is painted")
    style: list[Location] = Field(min_length=1, description="Files of the pictures in whose style, with commas between")
    blend: list[Annotated[float, Field(ge=0)]] = Field(
        [], description="What each of several styles counts, in their order; empty: all as much"
    )


class PictureConfig(Config):
    """What is learnt: a picture's pixels; and through which layers of which network they are looked at."""

    content_layers: Layers = Field(
        min_length=1, description="Layers whose features are the content's, as NAME or NAME:WEIGHT"
    )
    style_layers: Layers = Field(
        min_length=1, description="Layers whose features are to correlate as the styles' do, as NAME or NAME:WEIGHT"
    )
    start: Literal["content", "style", "noise"] = Field("content", description="What the picture is at first")
    colours: Literal["style", "content"] = Field(
        "style", description="Whose colours; content: only how light each pixel is, is learnt"
    )
    places: Literal[1, 2, 4] = Field(
        1, description="Looked at from so many places a pixel apart, which takes the grid away that strides leave"
    )
    levels: int = Field(1, ge=1, le=8, description="Sizes from coarse to fine, each twice the one before; 1: full size")


class BackboneConfig(PictureConfig):
    """The small residual network that comes with dlkit, trained on CIFAR-10."""

    content_layers: Layers = Field(
        ["stage3_1"], min_length=1, description="Layers whose features are the content's, as NAME or NAME:WEIGHT"
    )
    style_layers: Layers = Field(
        ["stage1_1", "stage2_1", "stage2_2", "stage3_1", "stage3_2", "stage4_2"],
        min_length=1,
        description="Layers whose features are to correlate as the styles' do, as NAME or NAME:WEIGHT",
    )


_WEIGHTS = "random, imagenet (torchvision's, downloaded once), a .safetensors or .pth file with its names, or a RUN"


class Vgg19Config(PictureConfig):
    """VGG-19 (Simonyan and Zisserman 2015) without its classifier."""

    weights: Weights = Field(RANDOM, description=_WEIGHTS)
    pooling: Literal["average", "max"] = Field("average", description="How it halves: average, as Gatys et al., or max")
    content_layers: Layers = Field(
        ["relu4_2"], min_length=1, description="Layers whose features are the content's, as NAME or NAME:WEIGHT"
    )
    style_layers: Layers = Field(
        ["relu1_1", "relu2_1", "relu3_1", "relu4_1"],
        min_length=1,
        description="Layers whose features are to correlate as the styles' do, as NAME or NAME:WEIGHT",
    )


class SqueezeNetConfig(PictureConfig):
    """SqueezeNet 1.1 (Iandola et al. 2016) without its classifier."""

    weights: Weights = Field(RANDOM, description=_WEIGHTS)
    content_layers: Layers = Field(
        ["fire5"], min_length=1, description="Layers whose features are the content's, as NAME or NAME:WEIGHT"
    )
    style_layers: Layers = Field(
        ["relu1", "fire2", "fire3", "fire5", "fire8"],
        min_length=1,
        description="Layers whose features are to correlate as the styles' do, as NAME or NAME:WEIGHT",
    )


class RunConfig(PictureConfig):
    """The network of an earlier run."""

    content_layers: Layers = Field(
        [], description="Modules whose outputs are the content's, as NAME or NAME:WEIGHT; empty: a convolution amid"
    )
    style_layers: Layers = Field(
        [], description="Modules whose outputs are to correlate as the styles' do; empty: convolutions from all over"
    )


class PerceptualConfig(Config):
    """What each part of the loss counts. Each layer's distance is relative: 1 is as far as nothing at all."""

    content_weight: float = Field(1.0, ge=0, description="What the content's features count")
    style_weight: float = Field(100.0, ge=0, description="What the styles' correlations count")
    smoothness: float = Field(
        0.0, ge=0, description="What total variation counts: squared differences of neighbouring pixels"
    )


class PixelsConfig(Config):
    """How the pixels are learnt."""

    optimizer: Literal["lbfgs", "adam"] = Field(
        "lbfgs", description="L-BFGS, or Adam, which needs less memory", json_schema_extra=at_fork("inexact")
    )
    lr: float = Field(
        0.02, gt=0, description="Learning rate of adam, in brightness from 0 to 1 a step", json_schema_extra=CHANGEABLE
    )
    history: int = Field(10, ge=1, le=1000, description="Steps that lbfgs looks back, each a picture's size twice")
    line_search: bool = Field(
        False, description="Have lbfgs look for the best length of each step, by strong Wolfe conditions"
    )


class PainterConfig(AskedImages):
    """How other pictures are painted."""

    size: int = Field(0, ge=0, le=MOST, description="Longer side in pixels; 0: as in training")

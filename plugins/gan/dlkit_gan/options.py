"""Options of the components; no torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.config import Config
from dlkit.data.options import ImageFiles

Look = Literal["digits", "turns"]
"""What a judge was trained to see: digits, or by how many quarter turns an image was turned."""
Size = Literal[28, 32, 64]
Augmentation = Literal["brightness", "contrast", "translation", "cutout"]


JUDGED = 5000
"""How many images are drawn to be judged: a covariance of 128 features needs many more than a thousand."""
MOST_JUDGED = 100_000
"""Twice what is usual for Fréchet distances. An evaluation draws them all: a thousand million would never end."""
_JUDGED = "Images drawn to be judged, always of the same seeds; 0: as many as a split has, at random"


class DigitsConfig(Config):
    """Handwritten digits, light on dark."""

    size: Size = Field(32, description="Side of the images in pixels: 28, 32 (a wider border) or 64 (enlarged)")
    judged: int = Field(JUDGED, ge=0, le=MOST_JUDGED, description=_JUDGED)


class FacesConfig(Config):
    """LFWcrop; a tenth of the faces is for validation, another for the test."""

    size: Size = Field(64, description="Side that the images, which have 64 pixels, are brought to")
    flip: bool = Field(True, description="Mirror images left and right at random")
    judged: int = Field(JUDGED, ge=0, le=MOST_JUDGED, description=_JUDGED)


class FilesConfig(ImageFiles):
    """A folder of images of your own."""

    size: Size = Field(64, description="Side that images are brought to, in pixels")
    flip: bool = Field(False, description="Mirror images left and right at random")
    judged: int = Field(JUDGED, ge=0, le=MOST_JUDGED, description=_JUDGED)


class DcganConfig(Config):
    """A generator and a discriminator after Radford et al. 2016, for images of 28, 32 or 64 pixels."""

    latent: int = Field(100, ge=1, description="Numbers that an image is drawn from")
    kinds: int = Field(
        0, ge=0, description="Kinds that an image is drawn as one of, at random; 0: from the numbers alone"
    )
    width: int = Field(64, ge=1, description="Filters at the largest size in the generator; twice as many at each half")
    discriminator_width: int = Field(0, ge=0, description="The same in the discriminator; 0: as in the generator")
    norm: Literal["batch", "spectral", "none"] = Field(
        "batch", description="Normalisation in the discriminator: of batches, or of weights by their spectral norm"
    )
    init: Literal["normal", "torch"] = Field(
        "normal", description="Weights at first: N(0, 0.02) as published, or as torch has them"
    )
    augment: list[Augmentation] = Field(
        [], description="Random changes to all that the discriminator sees, which gradients pass through"
    )


class SpectralConfig(DcganConfig):
    """The same two networks, the discriminator's weights normalised by their spectral norm."""

    norm: Literal["batch", "spectral", "none"] = Field(
        "spectral", description="Normalisation in the discriminator: of batches, or of weights by their spectral norm"
    )
    init: Literal["normal", "torch"] = Field(
        "torch", description="Weights at first: N(0, 0.02) as published, or as torch has them"
    )


class CrossEntropyConfig(Config):
    """Sigmoid cross-entropy."""

    smoothing: float = Field(0.0, ge=0, lt=0.5, description="What real images' label 1 is lowered by")


class ArtistConfig(Config):
    """How images are drawn."""

    temperature: float = Field(
        1.0, gt=0, le=2, description="What latents are multiplied by: less is more typical and less varied"
    )

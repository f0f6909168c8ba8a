"""Options of the task ``kernels``; no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dlkit.config import Config
from dlkit.data.options import AskedImages, Location, PixelOptions
from dlkit_insight.kernels.known import LARGEST, parse, written


def _kernels(text: object) -> object:
    # What a file holds is put in its place: a run is asked when the file may be gone.
    return written(parse(text)) if isinstance(text, str) else text


Kernels = Annotated[str, BeforeValidator(_kernels)]
Border = Literal["reflect", "symmetric", "replicate", "wrap", "zero"]
_BORDER = "What lies beyond the image: its mirror, without (reflect, OpenCV's default) or with the outermost pixels …"


class FilteredConfig(PixelOptions):
    """Images and what a kernel makes of them."""

    kernel: Kernels = Field(
        "sobel-x", description="The kernel that is to be found: a name, numbers (1,0,-1;2,0,-2;1,0,-1), or a file"
    )
    border: Border = Field("reflect", description=_BORDER)
    side: int = Field(160, ge=16, le=4096, description="Pixels of the longer side that images are scaled to")
    colour: bool = Field(False, description="RGB images, each channel filtered by itself; false: grey")


class FilesConfig(FilteredConfig):
    """Your own images, filtered by a kernel; or one image and its filtered version, made by whatever."""

    path: Location = Field(description="An image, or a folder of them; with several, the last is for validation")
    filtered: Location | None = Field(
        None, description="What became of that one image, of its size: then no kernel is needed, and none is known"
    )


class FixedConfig(Config):
    """Kernels that are given, side by side."""

    kernel: Kernels = Field(
        "sobel-x|sobel-y|laplacian|gaussian|sharpen|emboss",
        description="Names, numbers (1,0,-1;2,0,-2;1,0,-1) or files, with | between; between names commas do too",
    )


Side = Annotated[int, Field(ge=1, le=LARGEST)]


class LearntConfig(Config):
    """One kernel, found by gradient descent."""

    size: tuple[Side, Side] = Field((3, 3), description="Rows and columns of the kernel")
    whiten: bool = Field(
        True,
        description="Descend where neighbouring pixels are independent; false: as they are, alike, which takes long",
    )


class FilterConfig(AskedImages):
    """How filtered images are shown."""

    show: Literal["auto", "magnitude", "signed", "clip"] = Field(
        "auto",
        description="magnitude: how far from 0; signed: 0 is grey; clip: as pixels; auto: as the kernel is",
    )

"""Options of what looks into models of images; no torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.data.options import AskedImages


class LayersConfig(AskedImages):
    """Which layers and channels are shown."""

    layer: str = Field("", description="Layer by name; empty: the first ones that give maps")
    channels: int = Field(8, ge=2, le=64, description="Channels and filters shown of a layer, those that vary most")
    channel: int | None = Field(None, ge=0, description="Channel whose most exciting images are shown; none: several")


class WhyConfig(AskedImages):
    """What is asked about."""

    target: str = Field(
        "", description="Why this: a class by name, or what else the task has a score of; empty: the surest"
    )


class SaliencyConfig(WhyConfig):
    """Which pixels a score would change with most."""

    smooth: int = Field(16, ge=1, le=1000, description="Noisy copies whose gradients are averaged; 1: the image alone")
    noise: float = Field(0.1, ge=0, le=1, description="Standard deviation of their noise, as a share of its range")


class GradCamConfig(WhyConfig):
    """Which places of a layer's map speak for a score."""

    layer: str = Field("", description="Layer with a map, by name; empty: the last convolution's, after its activation")
    weigh: Literal["places", "channels"] = Field(
        "places",
        description="By the gradient at each place (HiResCAM), or its mean over a channel (Grad-CAM first)",
    )


class OcclusionConfig(WhyConfig):
    """What a score loses where the image is covered."""

    patch: int = Field(
        0, ge=0, description="Side of the patch that covers, in the model's pixels; 0: a sixth of the image"
    )
    stride: int = Field(0, ge=0, description="Pixels between two patches; 0: half a patch")

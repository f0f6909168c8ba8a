"""Options of the components that draw representations; no torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.config import Config


class MapConfig(Config):
    """What is drawn in the plane, and how."""

    layer: str = Field(
        "auto",
        min_length=1,
        description="Whose outputs, by the layer's name; auto: the code of an autoencoder, what the last linear layer "
        "reads, or the vectors of words",
    )
    method: Literal["pca", "t-sne"] = Field("pca", description="How many numbers become two")
    points: int = Field(500, ge=3, le=20_000, description="Validation samples, or the commonest words")
    perplexity: float = Field(30.0, ge=1, le=500, description="t-sne: about how many neighbours count as near")


class ComponentsConfig(Config):
    """What is compared with principal components."""

    shown: int = Field(16, ge=1, le=256, description="Components shown, the largest first")
    images: int = Field(1000, ge=2, le=100_000, description="Validation images that an autoencoder's are found on")

"""Options of the components that look at texts; no torch here."""

from __future__ import annotations

from pydantic import Field

from dlkit.config import Config


class AttentionConfig(Config):
    """What is shown of a model's attention."""

    layer: str = Field(
        "all", min_length=1, description="Whose attention: a layer's name, what several names begin with, or all"
    )
    heads: bool = Field(False, description="Each head by itself; if not, the mean over a layer's heads")
    shown: int = Field(4, ge=1, le=64, description="Texts in a sample")
    tokens: int = Field(48, ge=2, le=512, description="Tokens of a text in a sample, where it goes on and on")


class GatesConfig(Config):
    """What is shown of LSTM and GRU layers."""

    layer: str = Field("all", min_length=1, description="Which layers: a name, what several names begin with, or all")
    units: int = Field(48, ge=1, le=4096, description="Units in a picture, those that change most")
    tokens: int = Field(96, ge=2, le=1024, description="Tokens of a text in a picture")
    searched: int = Field(
        4000, ge=0, le=1_000_000, description="Tokens of validation text to find what units follow; 0: none"
    )
    named: int = Field(
        3, ge=0, le=64, description="Units shown in the text itself, those that follow something closest"
    )


class SurpriseConfig(Config):
    """How much text is measured in a sample."""

    shown: int = Field(3, ge=1, le=64, description="Texts in a sample")
    tokens: int = Field(300, ge=2, le=10_000, description="Tokens of a text in a sample")
    listed: int = Field(12, ge=0, le=1000, description="Most surprising tokens in the table")

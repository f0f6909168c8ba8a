"""The trainer's options: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import CHANGEABLE, Config
from pydantic import Field


class Options(Config):
    """The update rule's numbers."""

    lr: float = Field(
        3e-4, gt=0, le=10, description="Learning rate: what each weight moves by", json_schema_extra=CHANGEABLE
    )
    beta1: float = Field(0.9, ge=0, lt=1, description="Share of the average in the direction of a step")
    beta2: float = Field(0.99, ge=0, lt=1, description="Decay of the average of gradients")
    weight_decay: float = Field(0.0, ge=0, le=10, description="Share of lr by which weights shrink at a step")

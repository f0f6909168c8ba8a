"""The loss's options: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from pydantic import Field


class Options(Config):
    """Where it bends."""

    scale: float = Field(1.0, ge=1e-3, le=1e3, description="Error from which on the loss grows linearly")

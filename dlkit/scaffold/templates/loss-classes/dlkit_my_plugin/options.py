"""The loss's options: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from pydantic import Field


class Options(Config):
    """What counts less."""

    focus: float = Field(2.0, ge=1, le=8, description="The higher, the less samples count that are surely right")

"""The launcher's options: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from pydantic import Field


class Options(Config):
    """How far others come first."""

    niceness: int = Field(10, ge=0, le=19, description="0: nobody comes first; 19: everybody")

"""The network's options: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from pydantic import Field


class Options(Config):
    """How large the network is."""

    patch: int = Field(4, ge=1, le=64, description="Side of a patch in pixels; images are padded to whole patches")
    width: int = Field(64, ge=1, le=4096, description="Numbers that stand for a patch")
    depth: int = Field(4, ge=1, le=64, description="Mixing layers")

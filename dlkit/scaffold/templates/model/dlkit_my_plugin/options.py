"""The network's options: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from pydantic import Field


class Options(Config):
    """How large the network is."""

    width: int = Field(128, ge=1, le=4096, description="Units of each hidden layer")
    depth: int = Field(2, ge=1, le=32, description="Hidden layers, each with a skip around it")
    dropout: float = Field(0.0, ge=0, lt=1, description="Share of hidden units left out at a step")

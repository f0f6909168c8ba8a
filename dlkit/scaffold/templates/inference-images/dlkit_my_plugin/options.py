"""The predictor's options, which may differ from one question to the next: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from pydantic import Field


class Options(Config):
    """When an answer is doubtful."""

    doubt: float = Field(0.2, ge=0, le=1, description="Margin below which an answer is doubtful")

"""The predictor's options, which may differ from one question to the next: pydantic, no torch."""

from __future__ import annotations

from dlkit.config import Config
from pydantic import Field


class Options(Config):
    """How answers are written."""

    digits: int = Field(4, ge=0, le=12, description="Decimal places of an answer")

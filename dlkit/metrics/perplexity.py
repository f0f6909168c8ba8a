"""Nats as people read them."""

from __future__ import annotations

import math

_LARGEST = 700.0
"""A loss beyond which its exponential is not a number: e^709.8 is the largest double."""


def perplexity(loss: float) -> float:
    """The exponential of a mean loss in nats, kept finite; NaN of NaN."""
    return math.exp(min(loss, _LARGEST)) if loss == loss else loss

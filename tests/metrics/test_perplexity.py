"""Perplexity is finite, and not a number where the loss is not."""

from __future__ import annotations

import math

import pytest

from dlkit.metrics.perplexity import perplexity


def test_perplexity() -> None:
    assert perplexity(math.log(50)) == pytest.approx(50)
    assert math.isfinite(perplexity(1e9)) and math.isfinite(perplexity(math.inf))
    assert math.isnan(perplexity(math.nan))

"""Distributions are read from their pictures as they were drawn."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dlkit.present.distribution import DECADES, HEIGHT, WIDTH, captioned, histogram, spreads
from dlkit.samples import Images

BLUE = (86, 180, 233)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=200), st.floats(0.01, 100))
def test_what_was_drawn_is_read(values: list[float], reach: float) -> None:
    drawn = histogram(np.array(values), (-reach, reach), BLUE, axis=0.5)
    (found,) = spreads(Images(name="a", images=drawn[None], captions=[captioned("conv 1 Conv2d", reach)]))
    counts, _ = np.histogram(np.clip(values, -reach, reach), WIDTH, (-reach, reach))
    np.testing.assert_allclose(found.shares, np.ceil(np.sqrt(counts / counts.max()) * HEIGHT) / HEIGHT)
    assert found.name == "conv 1 Conv2d" and -found.low == found.high == float(f"{reach:.2g}")


def test_sizes_are_decades_and_other_pictures_none() -> None:
    drawn = histogram(np.array([-3.0]), DECADES, BLUE, axis=0.9)
    small = np.zeros((1, 4, 4, 3), np.uint8)
    (found,) = spreads(Images(name="a", images=drawn[None], captions=["fc Linear 1e-03"]))
    assert (found.name, found.low, found.high) == ("fc Linear", *DECADES)
    assert spreads(Images(name="a", images=small, captions=["fc 1"])) == []
    assert spreads(Images(name="a", images=drawn[None])) == []
    assert spreads(Images(name="a", images=drawn[None], captions=["fc ±0"])) == [], "an axis without a width"

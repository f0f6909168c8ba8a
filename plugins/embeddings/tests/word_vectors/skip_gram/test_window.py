"""Formula (2): what a pair of words counts is how often word2vec's random windows have it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit_embeddings.word_vectors.skip_gram.window import pair_weight, pair_weights, word_weight


@given(st.integers(1, 30), st.integers(1, 40))
def test_a_weight_is_the_share_of_the_windows_that_reach_so_far(window: int, distance: int) -> None:
    """word2vec draws one of 1 … window, all equally likely."""
    reaching = [drawn for drawn in range(1, window + 1) if distance <= drawn]
    assert float(pair_weight(distance, window, nearer=True)) == pytest.approx(len(reaching) / window, abs=1e-15)
    assert float(pair_weight(distance, window, nearer=False)) == (distance <= window)


def test_drawn_windows_have_the_pairs_as_often() -> None:
    drawn = np.random.default_rng(0).integers(1, 6, 100_000)
    for distance in range(1, 7):
        weight = float(pair_weight(distance, 5, nearer=True))
        spread = (weight * (1 - weight) / len(drawn)) ** 0.5
        assert (distance <= drawn).mean() == pytest.approx(weight, abs=4 * spread + 1e-9)


@given(st.integers(0, 5), st.integers(2, 9), st.integers(0, 5), st.booleans())
def test_the_band_has_each_pairs_weight(before: int, passage: int, after: int, nearer: bool) -> None:
    found = pair_weights(before, passage, after, nearer=nearer)
    assert found.shape == (before + passage + after, passage)
    for row in range(before + passage + after):
        for output in range(passage):
            ahead = output - (row - before)  # how far the output stands behind the input
            window = before if ahead > 0 else after
            wanted = float(pair_weight(abs(ahead), window, nearer=nearer)) if ahead else 0.0
            assert float(found[row, output]) == pytest.approx(wanted, abs=1e-7)


@given(st.integers(1, 5), st.integers(0, 5), st.booleans())
def test_a_words_weight_is_the_sum_over_its_pairs(before: int, after: int, nearer: bool) -> None:
    """Of a word in the middle of a long passage: a full row of the band."""
    middle = pair_weights(before, 21, after, nearer=nearer)[before + 10]
    assert word_weight(before, after, nearer=nearer) == pytest.approx(float(middle.sum()), rel=1e-6)

"""Formula (1): how often a frequent word stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit_embeddings.word_vectors.subsampling import keep_probability
from dlkit_embeddings.word_vectors.text import Text


def test_the_chance_to_stay_is_word2vecs() -> None:
    counts = np.array([900, 99, 1])
    kept = keep_probability(counts, 0.05)
    assert kept is not None
    for share, chance in zip(counts / 1000, kept.tolist(), strict=True):
        assert chance == pytest.approx(min(1, ((share / 0.05) ** 0.5 + 1) * 0.05 / share), rel=1e-6)
    assert keep_probability(counts, 0) is None


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=20), st.floats(1e-6, 0.5))
def test_it_is_the_papers_and_a_little_more_and_leaves_the_order(counts: list[int], threshold: float) -> None:
    kept = keep_probability(np.array(counts), threshold)
    assert kept is not None
    shares = np.array(counts) / sum(counts)
    paper = np.minimum(1, np.sqrt(threshold / shares))
    assert (kept >= paper - 1e-6).all() and (kept[shares <= threshold] == 1).all()
    left = shares * kept
    assert (np.diff(left[np.argsort(shares)]) > -1e-6).all()


def test_an_epoch_keeps_each_word_as_often_as_the_formula_says() -> None:
    counts = np.array([60_000, 30_000, 9_000, 1_000])
    words = np.random.default_rng(0).permutation(np.repeat(np.arange(4), counts)).astype(np.int32)
    kept = keep_probability(counts, 0.02)
    assert kept is not None
    text = Text(words, np.ones(4, bool), kept)
    left = np.bincount(text.epoch(7, 0).words, minlength=4)
    spread = np.sqrt(counts * kept * (1 - kept))
    assert (np.abs(left - counts * kept) <= 4 * spread).all()
    assert text.expected() <= left.sum() <= text.expected() + 8 * np.sqrt((spread**2).sum()) + 1

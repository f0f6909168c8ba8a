"""Formula (3): which words pairs are told apart from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.data.destination import HOST
from dlkit_embeddings.word_vectors.skip_gram.noise import NoiseTable, noise_distribution

COUNTS = np.array([5000, 1200, 300, 40, 5, 5])


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=30), st.sampled_from([0.0, 0.5, 0.75, 1.0]))
def test_the_distribution_is_the_counts_to_a_power(counts: list[int], power: float) -> None:
    found = noise_distribution(counts, power)
    weights = [max(count, 1) ** power for count in counts]
    assert found.tolist() == pytest.approx([weight / sum(weights) for weight in weights], rel=1e-12)
    assert np.isfinite(np.log(found)).all()


def test_rare_words_are_drawn_more_often_than_the_text_has_them() -> None:
    raised = noise_distribution(COUNTS, 0.75) / (COUNTS / COUNTS.sum())
    assert (np.diff(raised) >= 0).all() and raised[0] < 1 < raised[-1]


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 10**5), min_size=1, max_size=200))
def test_the_table_has_each_word_in_its_share(counts: list[int]) -> None:
    """To one entry on either side of a word, but for the rounding of the stored logarithms."""
    q = noise_distribution(counts, 0.75)
    words = NoiseTable(torch.from_numpy(np.log(q).astype(np.float32)), HOST)._words.numpy()
    shares = np.bincount(words, minlength=len(counts)) / len(words)
    assert np.abs(shares - q).max() < 2 / len(words) + 1e-6


def test_draws_follow_the_distribution() -> None:
    q = noise_distribution(COUNTS, 0.75)
    table = NoiseTable(torch.from_numpy(np.log(q).astype(np.float32)), HOST)
    drawn = table.draw(np.random.default_rng(1), (2000, 50))
    assert drawn.shape == (2000, 50) and drawn.dtype == torch.int64
    shares = np.bincount(drawn.flatten().numpy(), minlength=len(q)) / drawn.numel()
    assert (np.abs(shares - q) <= 4 * np.sqrt(q * (1 - q) / drawn.numel()) + 1e-5).all()

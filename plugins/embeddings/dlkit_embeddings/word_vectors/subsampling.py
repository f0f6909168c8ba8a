"""Subsampling of frequent words: most of what *the* stands beside says nothing about it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def keep_probability(counts: npt.NDArray[np.int64], threshold: float) -> npt.NDArray[np.float32] | None:
    """Formula (1): √(t/f) + t/f, at most 1, of a word's share f of the text, float32 [words]; None: t is 0.

    As word2vec's program has it; the paper (Mikolov et al. 2013, arXiv 1310.4546, equation 5) says √(t/f). A word rarer
    than t always stays.
    """
    if threshold == 0:
        return None
    ratio = threshold / np.maximum(counts / counts.sum(), 1e-12)
    kept: npt.NDArray[np.float32] = np.minimum(1, np.sqrt(ratio) + ratio).astype(np.float32)
    return kept

"""Words in the plane: which ones to draw, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from dlkit.data.text.vocabulary import UNKNOWN
from dlkit.samples import Scatter
from dlkit_embeddings.word_vectors.space import Floats, Space
from dlkit_embeddings.word_vectors.vocabulary import NUMBER

_SHORTEST = 4
"""Letters of a word that is taken to tell something."""


def telling(info: Any, count: int) -> list[int]:
    """The commonest words with a meaning of their own: no short words, no stop words of scikit-learn's list."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    order = np.argsort(-np.asarray(info.counts), kind="stable").tolist()
    known = [i for i in order if info.words[i] not in (UNKNOWN, NUMBER)]
    found = [
        i
        for i in known
        if len(info.words[i]) >= _SHORTEST
        and info.words[i].isalpha()
        and info.words[i].lower() not in ENGLISH_STOP_WORDS
    ]
    return (found or known)[:count]


def drawn(space: Space, places: Sequence[int], how: Literal["pca", "t-sne"]) -> Scatter:
    """Words on a map of their unit vectors."""
    chosen = list(dict.fromkeys(places))
    vectors = space.vectors[chosen]
    x, y = (_tsne(vectors) if how == "t-sne" and len(chosen) > _LEAST else _pca(vectors)).T
    labels = [space.words[i] for i in chosen]
    title = "Words in the plane" if how == "t-sne" else "Words, their two main directions"
    return Scatter(name="map", title=title, x=x.tolist(), y=y.tolist(), labels=labels)


_LEAST = 5
"""Words that t-SNE needs."""


def _pca(vectors: Floats) -> Floats:
    """[words, size] → [words, 2], the main directions' signs fixed by their largest component."""
    centred = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] if len(axes) > 1 else np.concatenate([axes, np.zeros_like(axes)])
    axes = axes * np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]
    found: Floats = centred @ axes.T
    return found


def _tsne(vectors: Floats) -> Floats:
    """[words, size] → [words, 2] (van der Maaten and Hinton 2008)."""
    from sklearn.manifold import TSNE

    perplexity = min(15.0, (len(vectors) - 1) / 3)
    found: Floats = TSNE(perplexity=perplexity, init="pca", metric="cosine", random_state=0).fit_transform(vectors)
    return found

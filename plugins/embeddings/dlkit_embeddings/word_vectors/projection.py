"""Words in the plane: their unit vectors, projected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from dlkit.samples import Scatter
from dlkit_embeddings.word_vectors.space import Floats, Space

_LEAST = 5
"""Words that t-SNE needs."""


def word_map(space: Space, places: Sequence[int], how: Literal["pca", "t-sne"]) -> Scatter:
    """Words by number on a map, each once."""
    chosen = list(dict.fromkeys(places))
    vectors = space.vectors[chosen]
    x, y = (_tsne(vectors) if how == "t-sne" and len(chosen) > _LEAST else _pca(vectors)).T
    labels = [space.words[i] for i in chosen]
    title = "Words in the plane" if how == "t-sne" else "Words, their two main directions"
    return Scatter(name="map", title=title, x=x.tolist(), y=y.tolist(), labels=labels)


def _pca(vectors: Floats) -> Floats:
    """[words, size] → [words, 2], the two directions of largest variance."""
    centred = vectors - vectors.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] if len(axes) > 1 else np.concatenate([axes, np.zeros_like(axes)])
    # A direction's sign is arbitrary; fixed by its largest component, maps of different steps can be compared.
    axes = axes * np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]
    found: Floats = centred @ axes.T
    return found


def _tsne(vectors: Floats) -> Floats:
    """[words, size] → [words, 2] (van der Maaten and Hinton 2008, JMLR 9, 2579–2605)."""
    from sklearn.manifold import TSNE

    perplexity = min(15.0, (len(vectors) - 1) / 3)  # it must be less than the number of words
    found: Floats = TSNE(perplexity=perplexity, init="pca", metric="cosine", random_state=0).fit_transform(vectors)
    return found

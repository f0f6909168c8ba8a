"""Whose vectors a model's are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import nn

from dlkit.errors import PluginError
from dlkit_embeddings.vectors import stored_vectors
from dlkit_embeddings.word_vectors.info import WordsInfo


def test_a_strangers_model_needs_an_embedding(info: Callable[..., WordsInfo]) -> None:
    found = info()
    words, vectors = stored_vectors(nn.Sequential(nn.Embedding(len(found.words) + 3, 4), nn.Flatten()), found)
    assert vectors.shape == (len(words), 4)
    with pytest.raises(PluginError, match="Linear has no vectors"):
        stored_vectors(nn.Linear(2, 2), found)

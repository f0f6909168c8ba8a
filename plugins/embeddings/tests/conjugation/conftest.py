"""Fixtures of the conjugation task's tests: a text whose forms follow rules, as files, vectors and data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.text.segments import split_words
from dlkit.data.text.vectors import write_vectors
from dlkit_embeddings.conjugation.datasets import by_position
from dlkit_embeddings.conjugation.info import ConjugationInfo
from dlkit_embeddings.conjugation.options import ByPositionConfig

SUBJECTS = (("I", "am", "was", "have"), ("you", "are", "were", "have"), ("she", "is", "was", "has"))
ADJECTIVES = ("glad", "tired", "late", "ready", "busy", "calm", "well", "away")
PLACES = ("here", "there", "inside", "outside", "upstairs")


def _sentences() -> list[str]:
    found = []
    for subject, present, past, perfect in SUBJECTS:
        for adjective in ADJECTIVES:
            for place in PLACES:
                found += [
                    f"Now {subject} {present} {adjective} {place}.",
                    f"Yesterday {subject} {past} {adjective} {place}!",
                    f"So far {subject} {perfect} seen {adjective} people {place}.",
                    f"Will {subject} be {adjective} {place}?",
                ]
    return found


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """These models are so small that a second thread only waits."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def text() -> str:
    """480 sentences in random order, each with one gap that its other words decide."""
    sentences = _sentences()
    order = np.random.default_rng(3).permutation(len(sentences))
    return " ".join(sentences[i] for i in order)


@pytest.fixture(scope="session")
def words(text: str) -> list[str]:
    """Its words and signs."""
    return sorted(set(split_words(text, lower=True)))


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """An empty workspace."""
    return Context(tmp_path / "data", offline=True, workspace=tmp_path)


@pytest.fixture
def vectors(words: list[str], tmp_path: Path) -> Path:
    """A vector of 16 random numbers for each word of the text, in a file."""
    path = tmp_path / "vectors.txt"
    write_vectors(path, words, np.random.default_rng(4).normal(size=(len(words), 16)))
    return path


@pytest.fixture
def data(text: str, context: Context) -> Callable[..., Data]:
    """``data(window=2)``: the text as data, with these options."""
    return lambda **options: by_position(text, ByPositionConfig(**options), context)


@pytest.fixture
def info(data: Callable[..., Data]) -> Callable[..., ConjugationInfo]:
    """Its validated ``info``."""
    return lambda **options: ConjugationInfo.model_validate(data(**options).info)

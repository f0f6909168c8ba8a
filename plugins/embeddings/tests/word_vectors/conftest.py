"""Fixtures of this plugin's tests: a small language with words that belong together, and its data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit_embeddings.word_vectors.datasets import build, by_position
from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import PythonDocsConfig
from dlkit_embeddings.word_vectors.vocabulary import words_of

ANIMALS, TOOLS = ("cat", "dog", "cow", "hen"), ("saw", "axe", "drill", "plane")


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """These models are so small that a second thread only waits."""
    torch.set_num_threads(1)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """For data sets that need no source."""
    return Context(tmp_path / "data", offline=True)


@pytest.fixture(scope="session")
def language() -> str:
    """400 sentences: animals eat and sleep, tools cut and lie."""
    generator = np.random.default_rng(0)
    sentences = []
    for _ in range(400):
        kind = int(generator.integers(2))
        word = str(generator.choice((ANIMALS, TOOLS)[kind]))
        verb = str(generator.choice((("eats", "sleeps", "runs"), ("cuts", "lies", "rusts"))[kind]))
        where = str(generator.choice((("meadow", "stable"), ("workshop", "shed"))[kind]))
        sentences.append(f"The {word} {verb} in the {where}.")
    return "\n".join(sentences)


@pytest.fixture(scope="session")
def data(language: str) -> Callable[..., Data]:
    """``data(window=3)``: the language's data, with these options."""

    def make(**options: Any) -> Data:
        config = PythonDocsConfig(**{"least": 1, **options})
        return build(by_position(words_of(language, config), config), config)

    return make


@pytest.fixture(scope="session")
def info(data: Callable[..., Data]) -> Callable[..., WordsInfo]:
    """Its validated ``info``."""
    return lambda **options: WordsInfo.model_validate(data(**options).info)

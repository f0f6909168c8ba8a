"""Fixtures of this plugin's tests: a small text, its data, and real text where there is some."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit_textgen.datasets import build
from dlkit_textgen.info import TextInfo
from dlkit_textgen.options import TextConfig
from dlkit_textgen.sources import TINYSHAKESPEARE

RHYME = "A cat sat on a mat.\nThe cat: where is the rat?\nThe rat: not on the mat!\n\n"


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """These models are so small that a second thread only waits."""
    torch.set_num_threads(1)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """For data sets that need no source."""
    return Context(tmp_path / "data", offline=True)


@pytest.fixture
def real() -> Context:
    """Real data, or the test is skipped with the reason."""
    root = os.environ.get("DLKIT_TEST_DATA")
    if not root:
        pytest.skip("DLKIT_TEST_DATA is not set")
    if not (Path(root) / "tinyshakespeare").is_dir():
        pytest.skip("DLKIT_TEST_DATA lacks tinyshakespeare")
    return Context(Path(root), {"tinyshakespeare": TINYSHAKESPEARE}, offline=True)


@pytest.fixture(scope="session")
def rhyme() -> str:
    """One verse."""
    return RHYME


@pytest.fixture
def rhymes() -> Callable[..., Data]:
    """``rhymes(tokens="words")``: 40 verses of one rhyme as data, with these options."""

    def make(**options: Any) -> Data:
        return build(RHYME * 40, TextConfig(**{"context": 16, **options}))

    return make


@pytest.fixture
def info(rhymes: Callable[..., Data]) -> Callable[..., TextInfo]:
    """Their validated ``info``."""
    return lambda **options: TextInfo.model_validate(rhymes(**options).info)

"""Fixtures of this plugin's tests: small data, small models, and real data where there is some."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit_translation.datasets import grammar
from dlkit_translation.info import TranslationInfo
from dlkit_translation.models import recurrent, transformer
from dlkit_translation.options import GrammarConfig, RecurrentConfig, TransformerConfig
from dlkit_translation.sources import FRA_ENG

KINDS = ["transformer", "gru luong", "lstm luong", "gru bahdanau", "lstm bahdanau"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """On networks this small, threads wait for each other more than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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
    if not (Path(root) / "fra-eng").is_dir():
        pytest.skip("DLKIT_TEST_DATA lacks fra-eng")
    return Context(Path(root), {"fra-eng": FRA_ENG}, offline=True)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """600 pairs of the grammar in 400 subwords."""
    context = Context(tmp_path_factory.mktemp("data"), offline=True)
    return grammar.build(GrammarConfig(pairs=600, vocabulary=400, val_fraction=0.1, test_fraction=0.1), context)


@pytest.fixture(scope="session")
def info(data: Data) -> TranslationInfo:
    return TranslationInfo.model_validate(data.info)


@pytest.fixture
def made(info: TranslationInfo) -> Callable[..., nn.Module]:
    """``made("gru luong", layers=2)``: a small network with random weights, the same ones always, evaluating."""

    def make(kind: str, **options: Any) -> nn.Module:
        torch.manual_seed(1)
        if kind == "transformer":
            options = {"width": 16, "heads": 2, "layers": 2, "decoder_layers": 2, **options}
            return transformer.build(TransformerConfig(**options), info).eval()
        cell, attention = kind.split()
        chosen = {"cell": cell, "attention": attention, "embedding": 12, "width": 16, "layers": 2, **options}
        return recurrent.build(RecurrentConfig(**chosen), info).eval()

    return make

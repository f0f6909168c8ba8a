"""Word vectors of an earlier run to start an embedding from: a file in word2vec's text format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from dlkit.data.text.tokenizers import Words, restore
from dlkit.data.weights import is_restoring
from dlkit.errors import DataError, UsageError
from dlkit_textgen.options import RecurrentConfig

Vector = npt.NDArray[np.float32]


def start_from(embedding: nn.Embedding, config: RecurrentConfig, info: Any) -> None:
    """Put the vectors of the vocabulary's words into an embedding; words that the file lacks stay as they are.

    The vectors go into the run's checkpoints: the file is read when training begins and never again.
    """
    if config.freeze_embeddings:
        embedding.weight.requires_grad_(False)
    if config.embeddings is None or is_restoring():
        return
    tokenizer = restore(info.tokenizer)
    if not isinstance(tokenizer, Words):
        raise UsageError(f"model.embeddings are vectors of words; dataset.tokens is {tokenizer.kind!r}, not 'words'")
    path, found = Path(config.embeddings), 0
    with torch.no_grad():
        for word, vector in vectors(path, config.embedding):
            if word in tokenizer.vocabulary:
                embedding.weight[tokenizer.vocabulary[word]] = torch.from_numpy(vector)
                found += 1
    if not found:
        raise DataError(f"{path}: has vectors of none of the text's {len(tokenizer)} words")


def vectors(path: Path, size: int) -> Iterator[tuple[str, Vector]]:
    """The words of a file and their vectors, float32 [size]: a line with their number and size, then one a word.

    DataError names file and line of what is not so; UsageError a size that is not the model's.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            _check_head(path, next(lines, ""), size)
            for number, line in enumerate(lines, 2):
                if line.strip():
                    yield _vector(path, number, line, size)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {error}") from error


def _check_head(path: Path, line: str, size: int) -> None:
    head = line.split()
    if len(head) != 2 or not all(word.isdigit() for word in head):
        raise DataError(f"{path}: line 1: must be the number of words and the size of their vectors, not {line[:40]!r}")
    if int(head[1]) != size:
        raise UsageError(f"model.embedding = {size}: the vectors of {path} have {head[1]} numbers; give that")


def _vector(path: Path, number: int, line: str, size: int) -> tuple[str, Vector]:
    word, *values = line.rstrip("\n").rstrip(" ").split(" ")
    try:
        vector = np.array(values, np.float32)
    except ValueError as error:
        raise DataError(f"{path}: line {number}: {error}") from error
    if len(vector) != size:
        raise DataError(f"{path}: line {number}: {len(vector)} numbers after {word!r}, not {size}")
    return word, vector

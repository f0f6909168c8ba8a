"""Word vectors of an earlier run to start an embedding from: a file in word2vec's text format."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from dlkit.data.names import composed
from dlkit.data.text.tokenizers import Words, restore
from dlkit.data.text.vectors import read_vectors, vectors_size
from dlkit.data.weights import is_restoring
from dlkit.errors import DataError, UsageError
from dlkit_textgen.info import TextInfo
from dlkit_textgen.options import RecurrentConfig


def start_from(embedding: nn.Embedding, config: RecurrentConfig, info: TextInfo) -> None:
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
    if (size := vectors_size(path)) != config.embedding:
        raise UsageError(f"model.embedding = {config.embedding}: the vectors of {path} have {size} numbers; give that")
    with torch.no_grad():
        for written, vector in read_vectors(path):
            # As the text's own words are: a file of another program may have letters and accents apart.
            if (word := written if written in tokenizer.vocabulary else composed(written)) in tokenizer.vocabulary:
                embedding.weight[tokenizer.vocabulary[word]] = torch.from_numpy(vector)
                found += 1
    if not found:
        raise DataError(f"{path}: has vectors of none of the text's {len(tokenizer)} words")

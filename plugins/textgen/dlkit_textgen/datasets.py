"""From a text to splits: tokens, parts by position, windows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from dlkit.data.context import Context
from dlkit.data.parts import by_position
from dlkit.data.splits import Data
from dlkit.data.text import corpus
from dlkit.data.text.pieces import train_pieces
from dlkit.data.text.tokenizers import Characters, Pieces, Tokenizer, Words
from dlkit.data.text.vocabulary import UNKNOWN
from dlkit.data.text.windows import Phased, Streams
from dlkit.errors import DataError, UsageError
from dlkit_textgen.options import FilesConfig, PythonDocsConfig, TextConfig, TinyShakespeareConfig
from dlkit_textgen.splits import TextWindows

PIECES = 1000
"""Pieces where nobody says how many."""


def python_docs(config: PythonDocsConfig, context: Context) -> Data:
    return build("\n\n".join(corpus.python_docs()), config)


def tinyshakespeare(config: TinyShakespeareConfig, context: Context) -> Data:
    return build(corpus.read_text(context.source("tinyshakespeare") / "input.txt"), config)


def files(config: FilesConfig, context: Context) -> Data:
    found = corpus.text_files(Path(config.path))
    texts = [corpus.read_text(path, config.encoding).strip("\n") for path in found]
    return build("\n\n".join(texts) + "\n", config)


def build(text: str, config: TextConfig) -> Data:
    """A text's splits; DataError if a part is shorter than a window, UsageError for a vocabulary it does not have."""
    parts = divided(text, config)
    tokenizer = made_tokenizer(text, parts["train"], config)
    planner = Streams(config.context) if config.reading == "streams" else Phased(config.context)
    splits: dict[str, TextWindows] = {}
    for name, part in parts.items():
        ids = torch.from_numpy(tokenizer.encode(part)).to(torch.int32)
        _check_length(name, len(ids), config)
        whole = name != "train"
        splits[name] = TextWindows(ids, config.context, len(part) / len(ids), whole=whole, planner=planner)
    info = {"tokenizer": tokenizer.stored(), "vocabulary": len(tokenizer), "context": config.context}
    return Data(**splits, info=info, notes=_notes(parts, splits, tokenizer))  # type: ignore[arg-type]


def divided(text: str, config: TextConfig) -> dict[str, str]:
    """Training, then test, then validation, by position: validation is the end of the text, whatever the test takes."""
    places = by_position(len(text), config.val_fraction, config.test_fraction)
    return {part: text[place] for part, place in places.items()}


def made_tokenizer(text: str, training: str, config: TextConfig) -> Tokenizer:
    """Characters are the whole text's; words and pieces are learnt from its training part."""
    if config.tokens == "characters":
        return Characters.of(text)
    if config.tokens == "pieces":
        size = config.vocabulary or PIECES
        return Pieces(train_pieces(training.split("\n"), size, symbols=["\n"]))
    if config.vocabulary is not None:
        there = len(Words.of(training, least=config.least, lower=config.lower))
        if config.vocabulary > there:
            raise UsageError(
                f"dataset.vocabulary = {config.vocabulary} is more than this text has words: at most {there}, "
                f"with {UNKNOWN}"
            )
    return Words.of(training, least=config.least, most=config.vocabulary, lower=config.lower)


def _check_length(name: str, tokens: int, config: TextConfig) -> None:
    if tokens > config.context:
        return
    allowed = f"at most {tokens - 1}" if tokens > 2 else "none is short enough"
    raise DataError(
        f"the {name} part of the text has {tokens} tokens, too few for dataset.context = {config.context} and the one "
        f"after it: {allowed}; or give it a larger share, or more text"
    )


def _notes(parts: Mapping[str, str], splits: Mapping[str, TextWindows], tokenizer: Tokenizer) -> list[str]:
    characters, tokens = sum(map(len, parts.values())), sum(len(split.ids()) for split in splits.values())
    notes = [f"{characters:,} characters are {tokens:,} tokens of {len(tokenizer):,}"]
    number = _unknown(tokenizer)
    if number is not None and (strange := float((splits["val"].ids() == number).double().mean())):
        notes.append(f"{strange:.1%} of the validation tokens are {UNKNOWN}, which bits_per_character does not pay for")
    return notes


def _unknown(tokenizer: Tokenizer) -> int | None:
    if isinstance(tokenizer, Words):
        return tokenizer.vocabulary.unknown
    return int(tokenizer.processor.unk_id()) if isinstance(tokenizer, Pieces) else None

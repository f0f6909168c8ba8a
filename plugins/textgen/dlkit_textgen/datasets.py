"""From a text to splits: tokens, parts by position, windows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from dlkit.data.context import Context
from dlkit.data.parts import by_position, part_folders
from dlkit.data.splits import Data
from dlkit.data.text import corpus
from dlkit.data.text.pieces import long_lines_note, train_pieces
from dlkit.data.text.reading import TextReader
from dlkit.data.text.segments import BEFORE, NOW, Rules, saying_spaceless, spaceless_note
from dlkit.data.text.tokenizers import Characters, Pieces, Tokenizer, Words, stored
from dlkit.data.text.vocabulary import UNKNOWN
from dlkit.data.text.windows import Phased, Streams
from dlkit.errors import DataError, UsageError
from dlkit_textgen.options import FilesConfig, PythonDocsConfig, TextConfig, TinyShakespeareConfig
from dlkit_textgen.splits import TextWindows

_INSTEAD = "--dataset.tokens pieces (or characters) fits such text better"
PIECES = 1000
"""Pieces where nobody says how many."""


def python_docs(config: PythonDocsConfig, context: Context) -> Data:
    return build("\n\n".join(corpus.python_docs()), config, _reader(context))


def tinyshakespeare(config: TinyShakespeareConfig, context: Context) -> Data:
    reader = _reader(context)
    return build(reader.read(context.source("tinyshakespeare") / "input.txt"), config, reader)


def files(config: FilesConfig, context: Context) -> Data:
    root = Path(config.path)
    reader = _reader(context, config.encoding, config.controls)
    folders = part_folders(root) if root.is_dir() else {}
    parts = {part: _joined(folder, reader) for part, folder in folders.items()}
    if not parts:
        return build(_joined(root, reader), config, reader)
    if "val" not in parts:
        # Folders without a test part have no test: its share is not taken from the training text instead.
        places = by_position(len(parts["train"]), config.val_fraction, 0)
        parts |= {part: parts["train"][place] for part, place in places.items()}
    return build_parts(parts, config, reader)


def _reader(context: Context, encoding: str = corpus.AUTO, controls: bool = False) -> TextReader:
    """By the rules of the run that goes on, or is measured; else today's."""
    earlier = context.earlier()
    return TextReader(encoding, controls, NOW if earlier is None else earlier.tokenizer.rules)


def _joined(place: Path, reader: TextReader) -> str:
    """A text file, or those of a folder, as one text."""
    texts = [reader.read(path).strip("\n") for path in corpus.text_files(place)]
    return "\n\n".join(texts) + "\n"


def build(text: str, config: TextConfig, reader: TextReader | None = None) -> Data:
    """A text's splits, divided by position."""
    return build_parts(divided(text, config), config, reader)


def build_parts(parts: Mapping[str, str], config: TextConfig, reader: TextReader | None = None) -> Data:
    """Splits of ``train``, ``val`` and maybe ``test``; DataError if a part is shorter than a window, UsageError for a
    vocabulary the text does not have. ``reader``: what the text was read with, today's rules if nothing is given."""
    reader = reader or TextReader()
    tokenizer = made_tokenizer("".join(parts.values()), parts["train"], config, reader.rules)
    planner = Streams(config.context) if config.reading == "streams" else Phased(config.context)
    splits: dict[str, TextWindows] = {}
    for name, part in parts.items():
        ids = torch.from_numpy(tokenizer.encode(part)).to(torch.int32)
        with saying_spaceless([part] if config.tokens == "words" else [], _INSTEAD):
            _check_length(name, len(ids), config)
        whole = name != "train"
        splits[name] = TextWindows(
            ids, config.context, _characters(part, ids, tokenizer) / len(ids), whole=whole, planner=planner
        )
    info = {"tokenizer": stored(tokenizer), "vocabulary": len(tokenizer), "context": config.context}
    notes = [*_notes(parts, splits, tokenizer), *reader.notes(), *_segmented(parts, config, reader.rules)]
    return Data(**splits, info=info, notes=notes)  # type: ignore[arg-type]


def _segmented(parts: Mapping[str, str], config: TextConfig, rules: Rules) -> list[str]:
    """What to say of how the text was cut into words or pieces."""
    if config.tokens == "words":
        return spaceless_note(list(parts.values()), _INSTEAD)
    return long_lines_note(parts["train"].split("\n")) if config.tokens == "pieces" and rules != BEFORE else []


def _characters(part: str, ids: Tensor, tokenizer: Tokenizer) -> int:
    """How many characters a part's tokens decode to; ``<unk>`` stands for none."""
    if isinstance(tokenizer, Characters):
        return len(ids)
    number = _unknown(tokenizer)
    known = ids if number is None else ids[ids != number]
    return len(tokenizer.decode(known.tolist()))


def divided(text: str, config: TextConfig) -> dict[str, str]:
    """Training, then test, then validation, by position: validation is the end of the text, whatever the test takes."""
    places = by_position(len(text), config.val_fraction, config.test_fraction)
    return {part: text[place] for part, place in places.items()}


def made_tokenizer(text: str, training: str, config: TextConfig, rules: Rules = NOW) -> Tokenizer:
    """Characters are the whole text's; words and pieces are learnt from its training part."""
    if config.tokens == "characters":
        return Characters.of(text, rules)
    if config.tokens == "pieces":
        size = config.vocabulary or PIECES
        return Pieces(train_pieces(training.split("\n"), size, symbols=["\n"], rules=rules), rules)
    if config.vocabulary is not None:
        there = len(Words.of(training, least=config.least, lower=config.lower, rules=rules))
        if config.vocabulary > there:
            raise UsageError(
                f"dataset.vocabulary = {config.vocabulary} is more than this text has words: at most {there}, "
                f"with {UNKNOWN}"
            )
    return Words.of(training, least=config.least, most=config.vocabulary, lower=config.lower, rules=rules)


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
        notes.append(
            f"{strange:.1%} of the validation tokens are {UNKNOWN}, which bits_per_character counts as no character"
        )
    return notes


def _unknown(tokenizer: Tokenizer) -> int | None:
    if isinstance(tokenizer, Words):
        return tokenizer.vocabulary.unknown
    return int(tokenizer.processor.unk_id()) if isinstance(tokenizer, Pieces) else None

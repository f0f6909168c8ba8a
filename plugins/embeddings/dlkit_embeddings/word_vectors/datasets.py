"""From texts to splits: words and vocabulary, targets and their contexts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.data import parts as division
from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.data.text import corpus
from dlkit.data.text.reading import TextReader
from dlkit.data.text.segments import saying_spaceless, spaceless_note
from dlkit.data.text.vocabulary import UNKNOWN, Vocabulary
from dlkit.errors import DataError
from dlkit_embeddings.sources import GUTENBERG
from dlkit_embeddings.texts import book_folders, own_folders, reader_for
from dlkit_embeddings.word_vectors.options import (
    FilesConfig,
    GutenbergConfig,
    PythonDocsConfig,
    SharesConfig,
    TextConfig,
)
from dlkit_embeddings.word_vectors.planners import InPassages, InRandomOrder
from dlkit_embeddings.word_vectors.subsampling import keep_probability
from dlkit_embeddings.word_vectors.text import Text
from dlkit_embeddings.word_vectors.vocabulary import numbered, vocabulary_of, words_of
from dlkit_embeddings.word_vectors.windows import Windows

_INSTEAD = "A blank, or a zero-width space (U+200B), between its words makes them words here too"
Parts = Mapping[str, list[str]]
"""Words in order, by split."""


def python_docs(config: PythonDocsConfig, context: Context) -> Data:
    reader = reader_for(context)
    words = words_of("\n\n".join(corpus.python_docs()), config, reader.rules)
    return build(by_position(words, config), config, reader)


def gutenberg(config: GutenbergConfig, context: Context) -> Data:
    reader = reader_for(context)
    return build(by_folder(book_folders(context.source(GUTENBERG.name)), config, reader), config, reader)


def files(config: FilesConfig, context: Context) -> Data:
    place = Path(config.path)
    reader = reader_for(context, config.encoding, config.controls)
    folders = own_folders(place)
    parts = by_folder(folders, config, reader) if folders else by_position(_read(place, config, reader), config)
    return build(parts, config, reader)


def by_folder(folders: Mapping[str, Path], config: TextConfig, reader: TextReader) -> Parts:
    """The words of each part's folder."""
    return {part: _read(folder, config, reader) for part, folder in folders.items()}


def by_position(words: list[str], config: SharesConfig) -> Parts:
    """One text, divided: training, then test, then validation."""
    places = division.by_position(len(words), config.val_fraction, config.test_fraction)
    return {part: words[place] for part, place in places.items()}


def _read(place: Path, config: TextConfig, reader: TextReader) -> list[str]:
    """The words of a file, or of a folder's, one after the other by path."""
    files = corpus.text_files(place)
    return [word for path in files for word in words_of(reader.read(path), config, reader.rules)]


def build(parts: Parts, config: TextConfig, reader: TextReader | None = None) -> Data:
    """DataError if a part is shorter than a context and its word; UsageError for a vocabulary it does not have.

    ``reader``: what the text was read with, today's rules if nothing is given.
    """
    reader = reader or TextReader()
    with saying_spaceless([word for part in parts.values() for word in part], _INSTEAD):
        return _built(parts, config, reader)


def _built(parts: Parts, config: TextConfig, reader: TextReader) -> Data:
    before, after = config.window, config.window if config.context == "around" else 0
    vocabulary, counts = vocabulary_of(parts["train"], config)
    targets = np.ones(len(vocabulary), bool)
    targets[0] = config.unknown != "context"
    texts = {name: Text(numbered(words, vocabulary), targets) for name, words in parts.items()}
    # The shortest first: the length that its error names fits the others too.
    for name, text in sorted(texts.items(), key=lambda item: len(item[1].words)):
        _check_length(name, text, config)
    train = _training(texts["train"], before, after, counts, config)
    evaluated = {name: _evaluated(text, before, after, config) for name, text in texts.items() if name != "train"}
    info = {
        "words": list(vocabulary.tokens),
        "counts": counts,
        "subsample": config.subsample,
        "lower": config.lower,
        "rules": reader.rules,
        "before": before,
        "after": after,
        "passage": config.passage if config.reading == "passages" else 0,
    }
    notes = [*_notes(parts, vocabulary, texts, train), *reader.notes(), *spaceless_note(vocabulary.tokens, _INSTEAD)]
    return Data(train, evaluated["val"], info, evaluated.get("test"), notes=notes)


def _training(text: Text, before: int, after: int, counts: npt.NDArray[np.int64], config: TextConfig) -> Windows:
    kept = keep_probability(counts, config.subsample)
    if config.reading == "passages":  # <unk> is a target too: a passage has no holes
        passages = Text(text.words, np.ones_like(text.targets), kept)
        return Windows(passages, before, after, planner=InPassages(passages, config.passage))
    windows = Text(text.words, text.targets, kept, config.cap)
    return Windows(windows, before, after, planner=InRandomOrder(windows))


def _evaluated(text: Text, before: int, after: int, config: TextConfig) -> Windows:
    """All windows, or as many as the options allow, at equal distances."""
    places = text.places()
    if config.evaluated is not None and config.evaluated < len(places):
        places = places[np.linspace(0, len(places) - 1, config.evaluated).round().astype(np.int64)]
    return Windows(text, before, after, chosen=places)


def _check_length(name: str, text: Text, config: TextConfig) -> None:
    """A part has a target with a whole context; the training part a passage, wherever the first one begins."""
    words, sides = len(text.words), 2 if config.context == "around" else 1
    needs = {"dataset.window": (config.window, (words - 1) // sides)}
    if config.reading == "passages" and name == "train":
        needs["dataset.passage"] = (config.passage, words // 2)
    for option, (value, most) in needs.items():
        if value > most:
            allowed = f"at most {most}" if most > 1 else "none is short enough"
            raise DataError(
                f"the {name} part of the text has {words} words of the vocabulary, too few for {option} = {value}: "
                f"{allowed}; or give it more text"
            )
    if not len(text.places()):
        raise DataError(f"the {name} part of the text has no word of the vocabulary to ask for")


def _notes(parts: Parts, vocabulary: Vocabulary, texts: Mapping[str, Text], train: Windows) -> list[str]:
    words = sum(map(len, parts.values()))
    notes = [f"{words:,} words, a vocabulary of {len(vocabulary):,}"]
    strange = 1 - float(np.isin(np.array(parts["val"], object), np.array(vocabulary.tokens, object)).mean())
    if strange:
        what = {"context": "never asked for", "target": "asked for too", "drop": "left out"}
        kind = "drop" if vocabulary.unknown is None else ("context" if not train.text.targets[0] else "target")
        notes.append(f"{strange:.1%} of the validation words are not in it ({UNKNOWN}): {what[kind]}")
    if train.text.kept is not None or train.text.cap is not None:
        notes.append(
            f"some {train.text.expected():,} of {len(texts['train'].words):,} training words are left an epoch"
        )
    return notes

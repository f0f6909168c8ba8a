"""From texts to splits: gaps, numbered by an earlier run's words or the training text's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlkit.data.context import Context
from dlkit.data.randomness import rng
from dlkit.data.splits import Data, TensorSplit
from dlkit.data.text import reading
from dlkit.data.text.vocabulary import Ids, Vocabulary
from dlkit.errors import DataError
from dlkit_embeddings.conjugation.gaps import SPECIAL, Gaps, Numbering, Passage, gaps_of, passage, translation
from dlkit_embeddings.conjugation.options import (
    NONE,
    ByPositionConfig,
    FilesConfig,
    GapsConfig,
    GutenbergConfig,
    PythonDocsConfig,
)
from dlkit_embeddings.conjugation.pretrained import Matrix, Vectors, find
from dlkit_embeddings.conjugation.task import FORMS

_FEW = 20
"""Gaps below which a part of a text is pointed out."""


def python_docs(config: PythonDocsConfig, context: Context) -> Data:
    return by_position("\n\n".join(reading.python_docs()), config, context)


def files(config: FilesConfig, context: Context) -> Data:
    found = reading.text_files(Path(config.path))
    return by_position("\n\n".join(reading.read_text(path, config.encoding) for path in found), config, context)


def gutenberg(config: GutenbergConfig, context: Context) -> Data:
    folder = context.source("gutenberg-books")
    numbering = Numbering()
    parts = {}
    for part in ("train", "val", "test"):
        books = (reading.read_text(path) for path in reading.text_files(folder / part))
        parts[part] = passage("\n\n".join(books), numbering, lower=config.lower)
    return build(parts, numbering, config, context)


def by_position(text: str, config: ByPositionConfig, context: Context) -> Data:
    """Training, then the test, then validation, parted between sentences. What is repeated word for word, as chapters
    of a manual are, counts where it stands first: nothing is validated on that was trained on."""
    numbering = Numbering()
    whole = passage(text, numbering, lower=config.lower)
    rest, val = whole.cut(1 - config.val_fraction)
    train, test = rest.cut(1 - config.test_fraction / (1 - config.val_fraction))
    parts = {"train": train, "test": test, "val": val} if config.test_fraction else {"train": rest, "val": val}
    return build(parts, numbering, config, context, once=True)


def build(
    parts: Mapping[str, Passage], numbering: Numbering, config: GapsConfig, context: Context, *, once: bool = False
) -> Data:
    """Splits of passages; ``once``: gaps that an earlier part or place has word for word are left out.

    DataError names a part without gaps.
    """
    gaps = {name: gaps_of(part, numbering, window=config.window, across=config.across) for name, part in parts.items()}
    repeated = sum(map(len, gaps.values()))
    gaps = _without_repeats(gaps) if once else gaps
    repeated -= sum(map(len, gaps.values()))
    _check(gaps)
    gaps["train"] = _capped(gaps["train"], config)
    vocabulary, vectors, origin = _words(parts["train"], numbering, config, context)
    numbers = translation(numbering.words, vocabulary)
    splits = {name: _split(part, numbers) for name, part in gaps.items()}
    info = {
        "classes": list(FORMS),
        "counts": np.bincount(gaps["train"].label, minlength=len(FORMS)).tolist(),
        "words": list(vocabulary),
        "vectors": vectors,
        "window": config.window,
        "across": config.across,
        "lower": config.lower,
    }
    notes = _notes(gaps, splits, vectors, origin, repeated, config)
    train, val, test = splits["train"], splits["val"], splits.get("test")
    return Data(train, val, info, test, notes=notes, settled={"embeddings": origin})


def _words(
    train: Passage, numbering: Numbering, config: GapsConfig, context: Context
) -> tuple[Sequence[str], Matrix | None, str]:
    """The words by number, their vectors if there are any, and what the option ``embeddings`` has come to.

    A run that goes on, or is measured, has all of it already: where its vectors come from may be gone, or changed.
    """
    if (earlier := context.earlier()) is not None:
        return earlier.words, earlier.vectors, config.embeddings
    found: Vectors | None = find(config.embeddings, config.vocabulary, context)
    if found is not None:
        return found.words, found.matrix, found.origin
    times = np.bincount(train.words, minlength=len(numbering.words)).tolist()
    counts = {word: count for word, count in zip(numbering.words, times, strict=True) if count}
    most = None if config.vocabulary is None else config.vocabulary + len(SPECIAL)
    return Vocabulary.counted(counts, least=config.least, most=most, special=SPECIAL).tokens, None, NONE


def _without_repeats(gaps: Mapping[str, Gaps]) -> dict[str, Gaps]:
    rows = np.concatenate([np.column_stack([part.context, part.label]) for part in gaps.values()])
    first = np.zeros(len(rows), np.bool_)
    first[np.unique(rows, axis=0, return_index=True)[1]] = True
    bounds = np.cumsum([len(part) for part in gaps.values()])[:-1]
    return {name: part.at(kept) for (name, part), kept in zip(gaps.items(), np.split(first, bounds), strict=True)}


def _capped(gaps: Gaps, config: GapsConfig) -> Gaps:
    """At most ``most`` gaps of a form, in the order they came."""
    if config.most is None:
        return gaps
    kept = []
    for label in range(len(FORMS)):
        places = np.flatnonzero(gaps.label == label)
        kept.append(rng(config.split_seed, "most", label).permutation(places)[: config.most])
    return gaps.at(np.sort(np.concatenate(kept)))


def _check(gaps: Mapping[str, Gaps]) -> None:
    for name, part in gaps.items():
        if not len(part):
            raise DataError(f"the {name} part of the text has no form of be or have: give it a larger share, or more")
    if len(np.unique(gaps["train"].label)) < 2:
        only = FORMS[int(gaps["train"].label[0])]
        raise DataError(f"the train part of the text has no form of be or have but {only!r}: there is nothing to learn")


def _split(gaps: Gaps, numbers: Ids) -> TensorSplit:
    return TensorSplit({"context": torch.from_numpy(numbers[gaps.context]), "label": torch.from_numpy(gaps.label)})


def _notes(
    gaps: Mapping[str, Gaps],
    splits: Mapping[str, TensorSplit],
    vectors: Any,
    origin: str,
    repeated: int,
    config: GapsConfig,
) -> list[str]:
    context = splits["val"].columns["context"]
    assert isinstance(context, torch.Tensor)
    strange = float((context == 1).sum() / (context != 0).sum().clamp(min=1))
    what = "no word vectors: they are trained along" if vectors is None else f"word vectors of {origin}"
    size = "" if vectors is None else f", {len(vectors) - len(SPECIAL):,} of {vectors.shape[1]} numbers"
    notes = [f"{what}{size}; {strange:.1%} of the validation words are <unk>"]
    commonest = int(np.bincount(gaps["train"].label).argmax())
    share = float((gaps["val"].label == commonest).mean())
    notes.append(f"always answering {FORMS[commonest]!r} would be right in {share:.1%} of the validation gaps")
    if repeated:
        notes.append(f"{repeated:,} gaps left out that the text repeats word for word")
    few = [f"{name} {len(part)}" for name, part in gaps.items() if len(part) < _FEW]
    return [*notes, *([f"few gaps: {', '.join(few)}"] if few else [])]

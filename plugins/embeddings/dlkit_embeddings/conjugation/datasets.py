"""From texts to splits: gaps, numbered by an earlier run's words or the training text's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch

from dlkit.data.context import Context
from dlkit.data.randomness import rng
from dlkit.data.splits import Data, TensorSplit
from dlkit.data.text import corpus
from dlkit.data.text.reading import TextReader
from dlkit.data.text.segments import Rules
from dlkit.data.text.vocabulary import Ids, Vocabulary
from dlkit.errors import DataError
from dlkit_embeddings.conjugation.gaps import Gaps, gaps_of, translation
from dlkit_embeddings.conjugation.info import FORMS, PAD_ID, SPECIAL, UNKNOWN_ID
from dlkit_embeddings.conjugation.numbered_text import NumberedText, Numbering, number_text
from dlkit_embeddings.conjugation.options import (
    NONE,
    ByPositionConfig,
    FilesConfig,
    GapsConfig,
    GutenbergConfig,
    PythonDocsConfig,
)
from dlkit_embeddings.conjugation.pretrained import Lexicon, find_lexicon
from dlkit_embeddings.sources import GUTENBERG
from dlkit_embeddings.texts import book_folders, own_folders, reader_for

_FEW = 20
"""Gaps below which a part of a text is pointed out."""


def python_docs(config: PythonDocsConfig, context: Context) -> Data:
    return by_position("\n\n".join(corpus.python_docs()), config, context, reader_for(context))


def files(config: FilesConfig, context: Context) -> Data:
    place = Path(config.path)
    reader = reader_for(context, config.encoding, config.controls)
    if folders := own_folders(place):
        return by_folder(folders, config, context, reader)
    return by_position(_read(place, reader), config, context, reader)


def gutenberg(config: GutenbergConfig, context: Context) -> Data:
    return by_folder(book_folders(context.source(GUTENBERG.name)), config, context, reader_for(context))


def by_folder(folders: Mapping[str, Path], config: GapsConfig, context: Context, reader: TextReader) -> Data:
    """The texts of each part's folder."""
    numbering, lexicon = Numbering(), lexicon_of(config, context)
    how: _How = {"lower": config.lower, "signs": _signs(lexicon), "rules": reader.rules}
    parts = {part: number_text(_read(folder, reader), numbering, **how) for part, folder in folders.items()}
    return build(parts, numbering, lexicon, config, reader)


class _How(TypedDict):
    lower: bool
    signs: bool
    rules: Rules


def _read(place: Path, reader: TextReader) -> str:
    """The text of a file, or of a folder's, one after the other by path."""
    return "\n\n".join(map(reader.read, corpus.text_files(place)))


def by_position(text: str, config: ByPositionConfig, context: Context, reader: TextReader | None = None) -> Data:
    """Training, then the test, then validation, divided between sentences.

    What is repeated word for word, as chapters of a manual are, counts where it stands first: nothing is validated on
    that was trained on.
    """
    reader = reader or reader_for(context)
    numbering, lexicon = Numbering(), lexicon_of(config, context)
    whole = number_text(text, numbering, lower=config.lower, signs=_signs(lexicon), rules=reader.rules)
    rest, val = whole.cut(1 - config.val_fraction)
    train, test = rest.cut(1 - config.test_fraction / (1 - config.val_fraction))
    parts = {"train": train, "test": test, "val": val} if config.test_fraction else {"train": rest, "val": val}
    return build(parts, numbering, lexicon, config, reader, once=True)


def lexicon_of(config: GapsConfig, context: Context) -> Lexicon | None:
    """The words that have vectors; None: the training text's own are to be counted."""
    # A run that is resumed or measured has its own: where they came from may be gone or changed by now.
    if (earlier := context.earlier()) is not None:
        return Lexicon(earlier.words, earlier.vectors, earlier.signs, config.embeddings)
    return find_lexicon(config.embeddings, config.vocabulary, context)


def build(
    parts: Mapping[str, NumberedText],
    numbering: Numbering,
    lexicon: Lexicon | None,
    config: GapsConfig,
    reader: TextReader,
    *,
    once: bool = False,
) -> Data:
    """Splits of passages; ``once``: gaps that an earlier part or place has word for word are left out.

    DataError names a part without gaps.
    """
    gaps = {name: gaps_of(part, numbering, window=config.window, across=config.across) for name, part in parts.items()}
    there = sum(map(len, gaps.values()))
    gaps = _without_repeats(gaps) if once else gaps
    repeated = there - sum(map(len, gaps.values()))
    _check(gaps)
    gaps["train"] = _capped(gaps["train"], config)
    known = lexicon or _counted(parts["train"], numbering, config)
    numbers = translation(numbering.words, known.words)
    splits = {name: _split(part, numbers) for name, part in gaps.items()}
    info = {
        "classes": list(FORMS),
        "counts": np.bincount(gaps["train"].label, minlength=len(FORMS)).tolist(),
        "words": list(known.words),
        "vectors": known.vectors,
        "lower": config.lower,
        "rules": reader.rules,
        "signs": known.signs,
        "window": config.window,
        "across": config.across,
    }
    train, val, test = splits["train"], splits["val"], splits.get("test")
    notes = [*_notes(gaps, val, known, repeated), *reader.notes()]
    return Data(train, val, info, test, notes=notes, resolved_options={"embeddings": known.origin})


def _signs(lexicon: Lexicon | None) -> bool:
    return lexicon is None or lexicon.signs


def _counted(train: NumberedText, numbering: Numbering, config: GapsConfig) -> Lexicon:
    """The words seen often enough in training, without vectors."""
    times = np.bincount(train.words, minlength=len(numbering.words)).tolist()
    counts = {word: count for word, count in zip(numbering.words, times, strict=True) if count}
    most = None if config.vocabulary is None else config.vocabulary + len(SPECIAL)
    vocabulary = Vocabulary.counted(counts, least=config.least, most=most, special=SPECIAL)
    return Lexicon(vocabulary.tokens, None, signs=True, origin=NONE)


def _without_repeats(gaps: Mapping[str, Gaps]) -> dict[str, Gaps]:
    # By number, before words without one become <unk>: two gaps with different rare words are not the same.
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
        # A choice of its own for each form: that of one does not depend on how many another one has.
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


def _notes(gaps: Mapping[str, Gaps], val: TensorSplit, known: Lexicon, repeated: int) -> list[str]:
    context = val.columns["context"]
    assert isinstance(context, torch.Tensor)
    strange = float((context == UNKNOWN_ID).sum() / (context != PAD_ID).sum().clamp(min=1))
    what = "no word vectors: they are trained along"
    if known.vectors is not None:
        count, size = len(known.words) - len(SPECIAL), known.vectors.shape[1]
        left_out = "" if known.signs else "; they have no signs, which are left out"
        what = f"{count:,} word vectors of {size} numbers from {known.origin}{left_out}"
    commonest = int(np.bincount(gaps["train"].label).argmax())
    share = float((gaps["val"].label == commonest).mean())
    few = [f"{name} {len(part)}" for name, part in gaps.items() if len(part) < _FEW]
    return [
        f"{what}; {strange:.1%} of the validation words are <unk>",
        f"always answering {FORMS[commonest]!r} would be right in {share:.1%} of the validation gaps",
        *([f"{repeated:,} gaps left out that the text repeats word for word"] if repeated else []),
        *([f"few gaps: {', '.join(few)}"] if few else []),
    ]

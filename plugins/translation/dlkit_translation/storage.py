"""From sentence pairs to splits: the vocabularies learnt, the pairs as tokens in batches of like length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dlkit.data.context import Context
from dlkit.data.ragged import Ragged
from dlkit.data.splits import Batch, Data, TensorSplit
from dlkit.data.text.buckets import Bucketed
from dlkit.data.text.pieces import BOS, EOS, PAD, train_pieces
from dlkit.data.text.segments import NOW, Rules
from dlkit.data.text.tokenizers import Pieces, stored
from dlkit.errors import DataError
from dlkit_translation.options import Subwords
from dlkit_translation.scores import score_notes
from dlkit_translation.texts import as_column

Texts = Sequence[tuple[str, str]]
"""Pairs of a source sentence and its translation."""

LEARNT_FROM = 50_000
"""Sentences of each language that subwords are learnt from, at most: evenly from all over the training pairs."""


@dataclass(frozen=True)
class SetDescription:
    """What a data set says of its pairs besides them."""

    languages: tuple[str, str]
    notes: Sequence[str] = ()
    rules: Rules = NOW


def rules_of(context: Context) -> Rules:
    """By which text is read: those of the run that goes on or is measured, else today's."""
    earlier = context.earlier()
    return NOW if earlier is None else earlier.source.rules


def build_data(parts: Mapping[str, Texts], config: Subwords, known: SetDescription) -> Data:
    """Splits of ``parts`` (train, val, perhaps test). UsageError if no such vocabulary can be learnt."""
    source, target = learnt(parts["train"], config, known.rules)
    made = {}
    notes = [*known.notes, *_sampled(len(parts["train"]))]
    for name, pairs in parts.items():
        sides = [encoded(tokenizer, [pair[i] for pair in pairs]) for i, tokenizer in enumerate((source, target))]
        kept = range(len(pairs))
        if name == "train":
            kept = [i for i in kept if max(len(sides[0][i]), len(sides[1][i])) <= config.longest]  # type: ignore[assignment]
            if len(kept) < len(pairs):
                left_out = len(pairs) - len(kept)
                notes.append(f"{left_out} training pairs of more than {config.longest} tokens are left out")
            if not kept:
                raise DataError(f"no training pair has {config.longest} tokens or fewer: raise dataset.longest")
        texts = None if name == "train" else pairs
        made[name] = _split([sides[0][i] for i in kept], [sides[1][i] for i in kept], texts)
    info = {
        "source": stored(source),
        "target": stored(target),
        "sizes": (len(source), len(target)),
        "joint": config.joint,
        "languages": known.languages,
    }
    notes += score_notes(known.languages[1])
    return Data(made["train"], made["val"], info, made.get("test"), notes=notes)


def _sampled(pairs: int) -> list[str]:
    step = -(-pairs // LEARNT_FROM)
    what = "training pair alone, for time; all are trained on"
    return [f"subwords are learnt from every {step}. {what}"] if step > 1 else []


def learnt(pairs: Texts, config: Subwords, rules: Rules = NOW) -> tuple[Pieces, Pieces]:
    """Tokenizers of source and target; the same one, if they are joint."""
    # From all over the pairs, not the first ones: files are often sorted by length.
    some = pairs[:: max(1, -(-len(pairs) // LEARNT_FROM))]
    if config.joint:
        lines = [text for pair in some for text in pair]
        both = Pieces(train_pieces(lines, config.vocabulary, algorithm=config.algorithm, rules=rules), rules)
        return both, both
    sides = ([pair[side] for pair in some] for side in (0, 1))
    source, target = (
        Pieces(train_pieces(lines, config.vocabulary, algorithm=config.algorithm, rules=rules), rules)
        for lines in sides
    )
    return source, target


def encoded(tokenizer: Pieces, texts: Sequence[str]) -> list[list[int]]:
    """Tokens of each sentence, with the end token."""
    return [[*ids, EOS] for ids in tokenizer.encode_all(texts)]


def shifted(batch: Batch) -> Batch:
    """The stored translation, begin to end, as what the model is given and what it is to say."""
    stored = {name: column for name, column in batch.items() if name not in ("source", "translation")}
    translation = batch["translation"].long()
    return {
        "source": batch["source"].long(),
        "previous": translation[:, :-1].contiguous(),
        "target": translation[:, 1:].contiguous(),
        **stored,
    }


def _split(sources: list[list[int]], targets: list[list[int]], texts: Texts | None) -> TensorSplit:
    columns = {"source": _ragged(sources), "translation": _ragged([[BOS, *target] for target in targets])}
    if texts is not None:
        columns["original"] = as_column([pair[0] for pair in texts])
        columns["reference"] = as_column([pair[1] for pair in texts])
    lengths = np.array([len(s) + len(t) for s, t in zip(sources, targets, strict=True)], np.int64)
    return TensorSplit(columns, transform=shifted, planner=Bucketed(lengths))


def _ragged(rows: Sequence[Sequence[int]]) -> Ragged:
    """int32, half of what batches need."""
    lengths = torch.tensor([0, *map(len, rows)])
    return Ragged(torch.tensor([i for row in rows for i in row], dtype=torch.int32), lengths.cumsum(0), PAD)

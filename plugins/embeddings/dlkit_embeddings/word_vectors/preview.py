"""What people see of a text before any training: its commonest words, and some windows."""

from __future__ import annotations

import numpy as np

from dlkit.data.splits import Split
from dlkit.samples import Pairs, Table
from dlkit.task import first_batch
from dlkit_embeddings.word_vectors.info import ABSENT, WordsInfo

_ROWS = 12


def commonest(info: WordsInfo) -> Table:
    """The commonest words of the training text, and their share."""
    counts = np.asarray(info.counts)
    order = np.argsort(-counts, kind="stable")[:_ROWS].tolist()
    rows = [[info.words[i], int(counts[i]), f"{counts[i] / counts.sum():.1%}"] for i in order]
    title = f"The commonest of {len(info.words):,} words"
    return Table(name="words", title=title, headers=["word", "times", "share"], rows=rows)


def windows(info: WordsInfo, split: Split, count: int) -> Pairs:
    """Targets with what stands before and after them."""
    batch = first_batch(split, count)
    rows = []
    for target, context in zip(batch["target"].tolist(), batch["context"].tolist(), strict=True):
        words = [info.words[i] if i != ABSENT else "–" for i in context]
        rows.append([" ".join(words[: info.before]), info.words[target], " ".join(words[info.before :])])
    return Pairs(name="windows", title="Windows", headers=["before", "target", "after"], rows=rows)

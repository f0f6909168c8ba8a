"""What people see of a split before any training: sentences, and how long they are."""

from __future__ import annotations

import numpy as np

from dlkit.data.plans import in_order
from dlkit.data.splits import Split
from dlkit.data.text.pieces import PAD
from dlkit.data.text.tokenizers import restore
from dlkit.metrics.selection import evenly_spaced
from dlkit.samples import Pairs, Table
from dlkit_translation.info import TranslationInfo
from dlkit_translation.writing import sentence


def sentences(info: TranslationInfo, split: Split, count: int) -> Pairs:
    """Pairs from all over the split, as the tokenizers give them back."""
    source, target = restore(info.source), restore(info.target)
    batch = split.take(evenly_spaced(len(split), count))
    rows = [
        [sentence(source, one), sentence(target, other)]
        for one, other in zip(batch["source"].cpu().tolist(), batch["target"].cpu().tolist(), strict=True)
    ]
    return Pairs(name="pairs", title="Sentence pairs", headers=list(info.languages), rows=rows)


def lengths(split: Split) -> Table:
    """Tokens of a sentence: the shortest, the median, 95 of 100 and the longest."""
    found: dict[str, list[int]] = {"source": [], "target": []}
    for batch in split.batches(in_order(len(split), 500), seed=0, epoch=None):
        for name, counts in found.items():
            counts += (batch[name] != PAD).sum(1).tolist()
    rows: list[list[str | float | int]] = [
        [name, *(int(np.percentile(counts, q)) for q in (0, 50, 95, 100))] for name, counts in found.items()
    ]
    headers = ["", "least", "median", "95 %", "most"]
    return Table(name="lengths", title="Tokens of a sentence, its end among them", headers=headers, rows=rows)

"""What people see of the gaps before any training: how the forms are balanced, and some gaps."""

from __future__ import annotations

import torch

from dlkit.data.splits import Split
from dlkit.samples import Pairs, Table
from dlkit_embeddings.conjugation.gaps import context_text
from dlkit_embeddings.conjugation.info import ConjugationInfo

_EXAMPLES = 12
_BATCH = 10_000


def balance(info: ConjugationInfo, split: Split) -> Table:
    """How often each form stands in the gap: always answering the first line is the accuracy to beat."""
    index = torch.arange(len(split))
    counts = sum(
        torch.bincount(split.take(rows)["label"].cpu(), minlength=len(info.classes))
        for rows in torch.split(index, _BATCH)
    )
    assert isinstance(counts, torch.Tensor)
    order = counts.argsort(descending=True, stable=True).tolist()
    rows: list[list[str | int]] = [
        [info.classes[i], int(counts[i]), f"{int(counts[i]) / len(split):.1%}"] for i in order
    ]
    title = f"Forms in {len(split):,} gaps; always answering the first would be right in {rows[0][2]}"
    return Table(name="forms", title=title, headers=["form", "gaps", "share"], rows=rows)


def examples(info: ConjugationInfo, split: Split, count: int) -> Pairs:
    """Gaps from all over the split, as a model sees them."""
    places = torch.linspace(0, len(split) - 1, min(count, _EXAMPLES, len(split)), dtype=torch.float64).round().long()
    batch = split.take(places)
    contexts, labels = batch["context"].cpu().tolist(), batch["label"].cpu().tolist()
    rows = [[context_text(context, info), info.classes[label]] for context, label in zip(contexts, labels, strict=True)]
    return Pairs(name="gaps", title="Gaps, with all that is seen around them", headers=["gap", "form"], rows=rows)

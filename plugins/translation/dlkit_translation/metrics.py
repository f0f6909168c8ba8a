"""What is measured: tokens under teacher forcing; sentences, BLEU and chrF of what the model writes by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from dlkit.data.text.pieces import PAD
from dlkit.data.text.tokenizers import restore
from dlkit.metrics.total import Total, reduce_all
from dlkit.task import SumOverRanks
from dlkit_translation.info import TranslationInfo
from dlkit_translation.scores import scores
from dlkit_translation.texts import as_texts
from dlkit_translation.writing import greedy, sentence

WRITTEN = 500
"""Sentences that are translated at an evaluation while training: the split's first ones."""
EXTRA = 30
"""Tokens that a translation may have beyond twice its source's."""


class TranslationMetrics:
    """``token_accuracy`` over all target tokens, ends too; ``exact``, ``bleu`` and ``chrf`` of greedy translations.

    ``exact`` is the share of sentences written as in the reference. In an evaluation while training these three are of
    the first ``WRITTEN`` sentences, in a thorough one of all.
    """

    def __init__(self, info: TranslationInfo) -> None:
        self._tokenizer = restore(info.target)
        self._scores = scores(info.languages[1])
        self._tokens = Total()  # right ones, all
        self._sentences = {name: Total() for name in ("exact", *self._scores)}

    def update(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> None:
        target = batch["target"]
        counted = target != PAD
        self._tokens.add(torch.stack([((outputs.argmax(2) == target) & counted).sum(), counted.sum()]))

    def ask(self, model: nn.Module, batch: Mapping[str, Tensor], thorough: bool) -> None:
        """Have the batch's sentences translated, or as many as are still wanted."""
        before = int(sum(self._sentences["exact"].numbers()[1:]))
        wanted = len(batch["source"]) if thorough else max(0, WRITTEN - before)
        some = {name: column[:wanted] for name, column in batch.items()}
        if not len(some["source"]):
            return
        tokens = greedy(model, some["source"], EXTRA).cpu().tolist()
        written = [sentence(self._tokenizer, row) for row in tokens]
        self.add(written, self._references(some))

    def add(self, written: Sequence[str], references: Sequence[str]) -> None:
        """Count these translations."""
        exact = sum(one == other for one, other in zip(written, references, strict=True))
        self._sentences["exact"].add(torch.tensor([exact, len(written)]))
        for name, score in self._scores.items():
            # Its sums over sentences, so that several processes can add theirs.
            rows = score._extract_corpus_statistics(list(written), [list(references)])
            self._sentences[name].add(torch.tensor(rows, dtype=torch.int64).sum(0))

    def reduce(self, over_ranks: SumOverRanks) -> None:
        """Add up what several processes have seen."""
        reduce_all([self._tokens, *self._sentences.values()], over_ranks)

    def compute(self) -> dict[str, float]:
        values: dict[str, float] = {}
        if sum(self._tokens.numbers()[1:]):
            right, total = self._tokens.numbers()
            values["token_accuracy"] = right / total
        if (exact := self._sentences["exact"].numbers()) and exact[1]:
            values["exact"] = exact[0] / exact[1]
            for name, score in self._scores.items():
                sums = [int(number) for number in self._sentences[name].numbers()]
                values[name] = float(score._compute_score_from_stats(sums).score)
        return values

    def _references(self, batch: Mapping[str, Tensor]) -> list[str]:
        if "reference" in batch:
            return as_texts(batch["reference"])
        return [sentence(self._tokenizer, row) for row in batch["target"].cpu().tolist()]

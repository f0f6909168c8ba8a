"""Skip-gram with negative sampling, its gradient by hand: a passage and the words drawn against it are two matrices.

A word of a text is one of the contexts of each of its neighbours, and word2vec takes its vector once for every such
pair. Here a passage's words are taken once, as a matrix, and all scores of the passage are one product of matrices, of
which a band is used; the words drawn against it are shared by all its pairs and so are a product too (Ji et al. 2016,
arXiv 1604.04661, who share them within one word's context).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from dlkit.data.randomness import rng
from dlkit.data.splits import Batch
from dlkit.engine.schedules import Schedule
from dlkit.engine.trainer import Setup, Trainer, Values
from dlkit.errors import PluginError, UsageError
from dlkit_embeddings.word_vectors.cbow import SkipGram
from dlkit_embeddings.word_vectors.losses import NegativeSampling
from dlkit_embeddings.word_vectors.options import SkipGramTrainerConfig
from dlkit_embeddings.word_vectors.windows import subsampling

_TABLE = 1 << 20
"""Entries of the table that words are drawn from, each as often as it is drawn."""
_LONGEST = 12.0
"""Rate times terms of the commonest word's gradient between two changes: what the books stand; 25 and more diverge."""


class SkipGramTrainer(Trainer):
    """Stochastic gradient descent: the gradients of ``update`` words are added up, then both vectors change.

    A batch is passages of ``info.passage`` consecutive targets with their contexts; a rest that fills none is left out.
    Everything drawn is a function of (seed, step), so that there is no state besides the model's.
    """

    supports: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setup: Setup) -> None:
        if not isinstance(setup.model, SkipGram) or not isinstance(setup.loss, NegativeSampling):
            pair = f"{type(setup.model).__name__} and {type(setup.loss).__name__}"
            raise PluginError(f"trainer 'skip-gram' needs model 'skip-gram' and its loss, not {pair}")
        info: Any = setup.info
        if not info.passage:
            raise UsageError("trainer 'skip-gram' reads passages: give --dataset.reading passages")
        super().__init__(setup)
        self._inner, self._outer = setup.model.inner.data, setup.model.outer.data
        self._passage, self._before, self._after = info.passage, info.before, info.after
        self._weight = setup.device.put(self._band(info))  # of pairs, [before + passage + after, passage]
        # A word's pairs, wherever their targets stand: it is in the middle of just one passage.
        pairs = sum(self._nearness(d, info.before) for d in range(1, info.before + 1))
        pairs += sum(self._nearness(d, info.after) for d in range(1, info.after + 1))
        self._drawn_weight = float(pairs) * setup.loss.negatives / self.config.shared
        self._at_once = self._steady(info, float(pairs) * (1 + setup.loss.negatives))
        self._table = setup.device.put(_drawing_table(setup.model.log_noise))

    @property
    def config(self) -> SkipGramTrainerConfig:
        return cast(SkipGramTrainerConfig, self.setup.config)

    def schedule(self) -> Schedule:
        final, total = self.config.final, self.setup.total_steps
        return lambda step: max(final, 1 - step / max(1, total))

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        words = self._words(batches[0])
        drawn = self._draw(len(words), step)
        assert self._schedule is not None
        rate = self.config.lr * self._schedule(step)
        at_once = self._at_once
        values: Values = {"train/loss": self._loss(words[:at_once], drawn[:at_once])}
        for some, against in zip(torch.split(words, at_once), torch.split(drawn, at_once), strict=True):
            self._descend(some, against, rate)
        if self._probe and step % self._probe == 0:
            values["lr"] = rate
        return values

    def evaluate_losses(self, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        """None of its own: the task's metrics have the cross-entropy."""
        return {}

    def _words(self, batch: Batch) -> Tensor:
        """Passages with what stands before and after, int64 [passages, before + passage + after]; absent: the last."""
        rows = len(batch["target"]) // self._passage * self._passage
        if not rows:
            count = len(batch["target"])
            raise UsageError(f"a batch of {count} words is no passage of dataset.passage = {self._passage} words")
        target = batch["target"][:rows].view(-1, self._passage)
        context = batch["context"][:rows].view(-1, self._passage, self._before + self._after)
        whole = torch.cat((context[:, 0, : self._before], target, context[:, -1, self._before :]), 1)
        return torch.where(whole < 0, len(self._outer), whole)

    def _draw(self, passages: int, step: int) -> Tensor:
        """Words against which each passage stands, int64 [passages, shared]."""
        generator = rng(self.setup.engine.seed, "negatives", step)
        places = generator.integers(_TABLE, size=(passages, self.config.shared))
        return self._table[torch.from_numpy(places).to(self._table.device)]

    def _loss(self, words: Tensor, drawn: Tensor) -> Tensor:
        """The mean over the pairs of some passages."""
        inner, middle, outer, against = self._vectors(words, drawn)
        pairs, scores = inner @ outer.mT, middle @ against.mT
        loss: NegativeSampling = self.setup.loss
        return loss.of_pairs(pairs, self._weight, scores, self._drawn_weight)

    def _vectors(self, words: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of a passage's words and surroundings as contexts, of its words alone, of its words as targets, and of the
        drawn words: each [passages, …, size]."""
        shape, size = words.shape, self._inner.shape[1]
        inner = self._inner.index_select(0, words.reshape(-1)).view(*shape, size)
        outer = self._outer.index_select(0, self._middle(words).reshape(-1)).view(len(words), -1, size)
        against = self._outer.index_select(0, drawn.reshape(-1)).view(len(words), -1, size)
        return inner, self._middle(inner), outer, against

    def _descend(self, words: Tensor, drawn: Tensor, rate: float) -> None:
        """One change of the vectors, along the gradient of the loss summed over all pairs of some passages."""
        inner, middle, outer, against = self._vectors(words, drawn)
        # dL/ds: (σ(s) − 1) for a pair, σ(s) for a drawn word, times what each counts.
        pairs = torch.bmm(inner, outer.mT).sigmoid_().sub_(1).mul_(self._weight)
        scores = torch.bmm(middle, against.mT).sigmoid_().mul_(self._drawn_weight)
        to_inner = torch.bmm(pairs, outer)
        self._middle(to_inner).add_(torch.bmm(scores, against))
        to_outer, to_drawn = torch.bmm(pairs.mT, inner), torch.bmm(scores.mT, middle)
        size = inner.shape[2]
        self._inner.index_add_(0, words.reshape(-1), to_inner.view(-1, size), alpha=-rate)
        self._outer.index_add_(0, self._middle(words).reshape(-1), to_outer.view(-1, size), alpha=-rate)
        self._outer.index_add_(0, drawn.reshape(-1), to_drawn.view(-1, size), alpha=-rate)
        self._inner[-1].zero_()

    def _middle(self, whole: Tensor) -> Tensor:
        return whole[:, self._before : self._before + self._passage]

    def _steady(self, info: Any, weight: float) -> int:
        """Passages between changes: ``update`` words, but fewer where a word is so common that its gradients, each of
        ``weight`` terms, would add up to a step that overshoots."""
        counts = np.asarray(info.counts, np.float64)
        kept = subsampling(np.asarray(info.counts), info.subsample)
        left = counts if kept is None else counts * kept
        most = _LONGEST / (self.config.lr * weight * float(left.max() / left.sum()))
        passages: int = int(min(self.config.update, most)) // self._passage
        return max(1, passages)

    def _band(self, info: Any) -> Tensor:
        """What each pair of a word and a target of a passage counts."""
        word = np.arange(-info.before, info.passage + info.after)[:, None]
        distance = np.arange(info.passage)[None, :] - word  # positive: the word stands before the target
        band = np.where(distance > 0, self._nearness(distance, info.before), self._nearness(-distance, info.after))
        return torch.from_numpy(np.where(distance == 0, 0, band).astype(np.float32))

    def _nearness(self, distance: Any, window: int) -> Any:
        """What a word at this distance counts: its chance to be within a window of 1 … ``window`` words, all equally
        likely, as word2vec draws them; or 1."""
        inside = (distance <= window) & (window > 0)
        share = (window + 1 - distance) / max(window, 1) if self.config.nearer else 1.0
        return np.where(inside, share, 0.0)


def _drawing_table(log_noise: Tensor) -> Tensor:
    """Words, each as often as it is likely, int64 [_TABLE]."""
    bounds = np.cumsum(np.exp(log_noise.double().cpu().numpy()))
    places = (np.arange(_TABLE) + 0.5) / _TABLE * bounds[-1]
    return torch.from_numpy(np.searchsorted(bounds, places).clip(max=len(bounds) - 1))

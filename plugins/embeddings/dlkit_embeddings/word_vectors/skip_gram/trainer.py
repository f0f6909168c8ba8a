"""``skip-gram``: stochastic gradient descent on passages of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from dlkit.data.randomness import rng
from dlkit.data.splits import Batch
from dlkit.engine.schedules import Schedule
from dlkit.engine.trainer import Setup, Trainer, Values
from dlkit.errors import PluginError, UsageError
from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import SkipGramTrainerConfig
from dlkit_embeddings.word_vectors.skip_gram.model import SkipGram
from dlkit_embeddings.word_vectors.skip_gram.negative_sampling import NegativeSampling, PassageLoss, Vectors
from dlkit_embeddings.word_vectors.skip_gram.noise import NoiseTable
from dlkit_embeddings.word_vectors.skip_gram.window import pair_weights, word_weight
from dlkit_embeddings.word_vectors.subsampling import keep_probability

_STEADY = 12.0
"""η times terms of the commonest word's gradient between two updates: what the books stand; 25 and more diverge."""


class SkipGramTrainer(Trainer):
    """The gradients of ``update`` words are added up, then both matrices change; until the batch is used up.

    A batch is passages of ``info.passage`` consecutive targets with their contexts; a rest that fills none is left out.
    Everything drawn is a function of (seed, step), so that there is no state besides the model's.
    """

    supports: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setup: Setup) -> None:
        if not isinstance(setup.model, SkipGram) or not isinstance(setup.loss, NegativeSampling):
            pair = f"{type(setup.model).__name__} and {type(setup.loss).__name__}"
            raise PluginError(f"trainer 'skip-gram' needs model 'skip-gram' and its loss, not {pair}")
        info = cast(WordsInfo, setup.info)
        if not info.passage:
            raise UsageError("trainer 'skip-gram' reads passages: give --dataset.reading passages")
        super().__init__(setup)
        self._info = info
        self._input_vectors, self._output_vectors = setup.model.input_vectors.data, setup.model.output_vectors.data
        self._noise = NoiseTable(setup.model.log_noise, setup.device)
        before, after, nearer = info.before, info.after, self.config.nearer
        weight, negatives = word_weight(before, after, nearer=nearer), setup.loss.negatives
        weights = setup.device.put(pair_weights(before, info.passage, after, nearer=nearer))
        # A word is in the middle of just one passage. There it meets the drawn words of all pairs in which it is the
        # input: ``negatives`` for each, as many as their weights add up to, shared among ``shared`` drawn words.
        self._loss = PassageLoss(weights, weight * negatives / self.config.shared, before)
        self._at_once = self._passages_at_once(weight * (1 + negatives))

    @property
    def config(self) -> SkipGramTrainerConfig:
        return cast(SkipGramTrainerConfig, self.setup.config)

    def schedule(self) -> Schedule:
        """Formula (7): η falls linearly to ``final`` of itself, as in word2vec's program."""
        final, total = self.config.final, self.setup.total_steps
        return lambda step: max(final, 1 - step / max(1, total))

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        words = self._words(batches[0])
        drawn = self._draw(len(words), step)
        assert self._schedule is not None
        rate = self.config.lr * self._schedule(step)  # (7)
        at_once = self._at_once
        # The loss is that of the first words, before they change anything: of all words it would take every score a
        # second time.
        first = self._fetched(words[:at_once], drawn[:at_once])
        values: Values = {"train/loss": self._loss.mean(first)}
        for some, against in zip(torch.split(words, at_once), torch.split(drawn, at_once), strict=True):
            self._descend(some, against, rate)
        if self._probe and step % self._probe == 0:
            values["lr"] = rate
        return values

    def evaluate_losses(self, outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
        """None of its own: the task's metrics have the cross-entropy."""
        return {}

    def _words(self, batch: Batch) -> Tensor:
        """Passages with what stands before and after, int64 [B,W]; for an absent word the last row of v."""
        info = self._info
        rows = len(batch["target"]) // info.passage * info.passage
        if not rows:
            count = len(batch["target"])
            raise UsageError(f"a batch of {count} words holds no passage of dataset.passage = {info.passage} words")
        target = batch["target"][:rows].view(-1, info.passage)
        context = batch["context"][:rows].view(-1, info.passage, info.before + info.after)
        # Contexts of neighbours overlap: the first word's left half and the last word's right half hold all the rest.
        whole = torch.cat((context[:, 0, : info.before], target, context[:, -1, info.before :]), 1)
        return torch.where(whole < 0, len(self._output_vectors), whole)

    def _draw(self, passages: int, step: int) -> Tensor:
        """Words that each passage stands against, int64 [B,M]."""
        return self._noise.draw(rng(self.setup.engine.seed, "negatives", step), (passages, self.config.shared))

    def _fetched(self, words: Tensor, drawn: Tensor) -> Vectors:
        """The vectors of passages [B,W] and of the words drawn against them [B,M]."""
        outputs = self._loss.middle(words)
        return Vectors(
            _rows(self._input_vectors, words), _rows(self._output_vectors, outputs), _rows(self._output_vectors, drawn)
        )

    def _descend(self, words: Tensor, drawn: Tensor, rate: float) -> None:
        """Formula (6), an update: v ← v − η ∂L/∂v of every vector, all gradients taken before anything changes.

        A word that occurs several times gets the sum of its gradients: L is a sum, not a mean, so that η means what it
        means in word2vec, where each pair is a step of its own.
        """
        gradient = self._loss.gradient(self._fetched(words, drawn))
        _subtract(self._input_vectors, words, gradient.inputs, rate)
        _subtract(self._output_vectors, self._loss.middle(words), gradient.outputs, rate)
        _subtract(self._output_vectors, drawn, gradient.noise, rate)
        self._input_vectors[-1].zero_()  # absent words share this row: nothing else masks them

    def _passages_at_once(self, terms: float) -> int:
        """Formula (8): passages between updates. ``terms`` are those of one word's gradient."""
        info = self._info
        counts = np.asarray(info.counts, np.float64)
        kept = keep_probability(np.asarray(info.counts), info.subsample)
        left = counts if kept is None else counts * kept
        commonest = float(left.max() / left.sum())
        words = min(self.config.update, _STEADY / (self.config.lr * terms * commonest))
        return max(1, int(words) // info.passage)


def _rows(matrix: Tensor, words: Tensor) -> Tensor:
    """Rows of a matrix [words, D] by number [B,…]: [B,…,D]."""
    return matrix.index_select(0, words.reshape(-1)).view(*words.shape, matrix.shape[1])


def _subtract(matrix: Tensor, words: Tensor, gradient: Tensor, rate: float) -> None:
    """matrix[words] −= rate · gradient, repeated words added up."""
    matrix.index_add_(0, words.reshape(-1), gradient.view(-1, matrix.shape[1]), alpha=-rate)

"""Targets and their contexts, cut from a text when they are asked for; words left out anew each epoch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from dlkit.data.destination import Destination
from dlkit.data.plans import Plan, Planner
from dlkit.data.randomness import rng
from dlkit.data.splits import Batch, Split
from dlkit.errors import UsageError
from dlkit_embeddings.word_vectors.task import ABSENT
from dlkit_embeddings.word_vectors.vocabulary import Words

Places = npt.NDArray[np.int64]
_SIGMAS = 4
"""An epoch has so many standard deviations fewer words than are left on average, so that nearly all have enough."""


@dataclass(frozen=True)
class Text:
    """A part's words, and which of them are targets.

    words    their numbers, int32 [n]
    kept     each vocabulary word's chance to stay in an epoch, float32 [words]; None: all stay
    targets  whether a vocabulary word is asked for, bool [words]
    cap      times a word is a target in an epoch at most
    """

    words: Words
    targets: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.float32] | None = None
    cap: int | None = None

    def places(self) -> Places:
        """Where targets stand."""
        return np.flatnonzero(self.targets[self.words])

    def expected(self) -> int:
        """Targets that each epoch has, but for very rare ones."""
        counts = np.bincount(self.words, minlength=len(self.targets)).astype(np.float64)
        chance = np.ones_like(counts) if self.kept is None else self.kept.astype(np.float64)
        asked = np.where(self.targets, counts, 0.0)
        if self.cap is not None:
            return int(np.minimum(asked * chance, self.cap).sum())
        spread = np.sqrt((asked * chance * (1 - chance)).sum())
        return int((asked * chance).sum() - _SIGMAS * spread)

    def epoch(self, seed: int, epoch: int) -> Text:
        """The text as it is in an epoch, with the words that were drawn to stay."""
        if self.kept is None:
            return self
        drawn = rng(seed, "subsample", epoch).random(len(self.words), dtype=np.float32)
        left = self.words[drawn < self.kept[self.words]]
        return Text(left if len(left) else self.words, self.targets, None, self.cap)

    def drawn(self, seed: int, epoch: int) -> Places:
        """Where an epoch's targets stand in its text (``epoch``): all, or of each word ``cap`` drawn at random."""
        places = self.places()
        if self.cap is None:
            return places
        shuffled = rng(seed, "cap", epoch).permutation(places)
        by_word = np.argsort(self.words[shuffled], kind="stable")
        word = self.words[shuffled][by_word]
        first = np.searchsorted(word, word)  # where a word's own begin
        return np.sort(shuffled[by_word[np.arange(len(word)) - first < self.cap]])


def subsampling(counts: npt.NDArray[np.int64], threshold: float) -> npt.NDArray[np.float32] | None:
    """Each word's chance to stay, of its share f of the text: (√(f/t) + 1) · t/f, as word2vec's program has it (the
    paper, Mikolov et al. 2013, arXiv 1310.4546, equation 5, says √(t/f))."""
    if threshold == 0:
        return None
    ratio = threshold / np.maximum(counts / counts.sum(), 1e-12)
    kept: npt.NDArray[np.float32] = np.minimum(1, np.sqrt(ratio) + ratio).astype(np.float32)
    return kept


class Surroundings(Split):
    """``target`` int64 [N] and ``context`` int64 [N, before + after], −1 beyond the text's ends.

    Sample i is the i-th target of the text (of ``chosen`` ones, where they are given); in training, of the epoch's.
    """

    def __init__(
        self,
        text: Text,
        before: int,
        after: int,
        *,
        planner: Planner | None = None,
        chosen: Places | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.text, self.before, self.after = text, before, after
        self.planner = planner or InRandomOrder(text)
        self._chosen = text.places() if chosen is None else chosen
        self._device = device or torch.device("cpu")
        self._stream = self._padded(text.words)
        self._places = torch.from_numpy(self._chosen).to(self._device)

    def __len__(self) -> int:
        return len(self._chosen)

    def take(self, index: Tensor) -> Batch:
        return self._cut(self._stream, self._places[index.to(self._device)])

    def batches(self, plan: Plan, *, seed: int, epoch: int | None, start: int = 0) -> Iterator[Batch]:
        stream, places = self._stream, self._places
        if epoch is not None and (self.text.kept is not None or self.text.cap is not None):
            text = self.text.epoch(seed, epoch)
            stream = self._padded(text.words)
            places = torch.from_numpy(text.drawn(seed, epoch)).to(self._device)
        for index in torch.split(torch.from_numpy(plan.order).to(self._device), plan.sizes)[start:]:
            # A rare epoch may have a few targets less than the plan: it then begins again.
            yield self._cut(stream, places[index % len(places)])

    def to(self, destination: Destination, workers: int = 0) -> Surroundings:
        device = destination.torch_device
        if device == self._device:
            return self
        return Surroundings(
            self.text, self.before, self.after, planner=self.planner, chosen=self._chosen, device=device
        )

    def fingerprint(self) -> str:
        digest = hashlib.sha256(f"{self.before} {self.after} {self.text.cap} {len(self)}".encode())
        kept = self.text.kept
        for part in (self.text.words, self.text.targets, self._chosen, *([] if kept is None else [kept])):
            digest.update(np.ascontiguousarray(part).view(np.uint8).data)
        return digest.hexdigest()

    def _padded(self, words: Words) -> Tensor:
        """The text, its ends widened by what a context may lack."""
        widened = np.pad(words, (self.before, self.after), constant_values=ABSENT)
        return torch.from_numpy(widened).to(self._device)

    def _cut(self, stream: Tensor, places: Tensor) -> Batch:
        span = torch.arange(self.before + self.after + 1, device=places.device)
        rows = stream[places[:, None] + span].long()
        return {
            "target": rows[:, self.before].contiguous(),
            "context": torch.cat((rows[:, : self.before], rows[:, self.before + 1 :]), 1),
        }


class InRandomOrder(Planner):
    """All targets of an epoch, shuffled; a partial last batch is dropped if there is a full one."""

    def __init__(self, text: Text) -> None:
        self._targets = max(1, text.expected())

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        batches = self.length(size, seed, epoch, batch_size)
        order = rng(seed, "order", epoch).permutation(self._targets)
        bounds = np.minimum(np.arange(batches + 1) * batch_size, self._targets)
        return Plan(order[: bounds[-1]], bounds)

    def length(self, size: int, seed: int, epoch: int, batch_size: int) -> int:
        return max(self._targets // batch_size, 1)


class InPassages(Planner):
    """Passages of consecutive targets that begin at another place each epoch, in random order, only whole ones."""

    def __init__(self, text: Text, passage: int) -> None:
        self.passage = passage
        self._passages = max(1, text.expected() // passage - 1)  # wherever the first one begins

    def plan(self, size: int, seed: int, epoch: int, batch_size: int) -> Plan:
        generator = rng(seed, "order", epoch)
        batches, each = self.length(size, seed, epoch, batch_size), self._in_batch(batch_size)
        starts = int(generator.integers(self.passage)) + self.passage * generator.permutation(self._passages)
        order = (starts[:, None] + np.arange(self.passage)).ravel()
        bounds = np.minimum(np.arange(batches + 1) * each, self._passages) * self.passage
        return Plan(order[: bounds[-1]], bounds)

    def length(self, size: int, seed: int, epoch: int, batch_size: int) -> int:
        return max(self._passages // self._in_batch(batch_size), 1)

    def _in_batch(self, batch_size: int) -> int:
        if batch_size < self.passage:
            raise UsageError(f"a batch of {batch_size} words has no room for dataset.passage = {self.passage}")
        return batch_size // self.passage

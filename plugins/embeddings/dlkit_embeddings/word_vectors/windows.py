"""Targets with their contexts, cut from the text when they are asked for: the windows are never all in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from copy import copy

import numpy as np
import torch
from torch import Tensor

from dlkit.data.destination import HOST, Destination
from dlkit.data.plans import Plan, Planner
from dlkit.data.splits import Batch, Split
from dlkit_embeddings.word_vectors.info import ABSENT
from dlkit_embeddings.word_vectors.planners import InRandomOrder
from dlkit_embeddings.word_vectors.text import Places, Text
from dlkit_embeddings.word_vectors.vocabulary import Words


class Windows(Split):
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
    ) -> None:
        self.text, self.before, self.after = text, before, after
        self.planner = planner or InRandomOrder(text)
        self._chosen = text.places() if chosen is None else chosen
        self._destination: Destination = HOST
        self._stream = self._padded(text.words)
        self._places = torch.from_numpy(self._chosen)

    def __len__(self) -> int:
        return len(self._chosen)

    def take(self, index: Tensor) -> Batch:
        return self._cut(self._stream, self._places[index.to(self._places.device)])

    def batches(self, plan: Plan, *, seed: int, epoch: int | None, start: int = 0) -> Iterator[Batch]:
        stream, places = self._stream, self._places
        # Only an epoch of training leaves words out: an evaluation (epoch None) looks at the text as it is.
        if epoch is not None and (self.text.kept is not None or self.text.cap is not None):
            text = self.text.epoch(seed, epoch)
            stream = self._padded(text.words)
            places = self._destination.put(torch.from_numpy(text.drawn(seed, epoch)))
        for index in torch.split(self._destination.put(torch.from_numpy(plan.order)), plan.sizes)[start:]:
            # A rare epoch may have a few targets less than the plan: it then begins again.
            yield self._cut(stream, places[index % len(places)])

    def to(self, destination: Destination, workers: int = 0) -> Windows:
        stream = destination.put(self._stream)
        if stream is self._stream:
            return self
        found = copy(self)
        found._stream, found._places, found._destination = stream, destination.put(self._places), destination
        return found

    @property
    def nbytes(self) -> int:
        return self._stream.nbytes + self._places.nbytes

    def fingerprint(self) -> str:
        # All that decides what a sample is, and nothing of the epoch: a resume compares it.
        digest = hashlib.sha256(f"{self.before} {self.after} {self.text.cap} {len(self)}".encode())
        kept = self.text.kept
        for part in (self.text.words, self.text.targets, self._chosen, *([] if kept is None else [kept])):
            digest.update(np.ascontiguousarray(part).view(np.uint8).data)
        return digest.hexdigest()

    def _padded(self, words: Words) -> Tensor:
        """The text, its ends widened by what a context may lack."""
        widened = np.pad(words, (self.before, self.after), constant_values=ABSENT)
        return self._destination.put(torch.from_numpy(widened))

    def _cut(self, stream: Tensor, places: Tensor) -> Batch:
        # One gather for targets and contexts. To keep the contexts ready would take before + after times the text.
        span = torch.arange(self.before + self.after + 1, device=places.device)
        rows = stream[places[:, None] + span].long()
        return {
            "target": rows[:, self.before].contiguous(),
            "context": torch.cat((rows[:, : self.before], rows[:, self.before + 1 :]), 1),
        }

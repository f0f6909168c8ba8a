"""Writing with a model token by token: drawing at random, and beam search. No model is known here: ``Step`` is one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlkit.data.trees import map_tensors, tensors_of

State = Any
"""What a model carries from token to token (keys and values, hidden states): nested dicts, lists and tuples of tensors
whose first axis is the batch, and anything else, which is left as it is."""
Step = Callable[[Tensor, State], tuple[Tensor, State]]
"""(tokens int64 [B], state) → (logits float [B,V] of the next token, state)."""


@dataclass(frozen=True)
class Drawing:
    """How the next token is drawn.

    temperature    divides the logits; 0: always the most probable
    top_k          only the k most probable; 0: all
    top_p          only the most probable that together have this probability (Holtzman et al. 2020, arXiv 1904.09751)
    repetition     > 1 makes tokens written before less probable: their positive logits are divided, their negative
                   ones multiplied by it (Keskar et al. 2019, arXiv 1909.05858, section 4.1)
    no_repeat      > 0: so many tokens in a row are never written a second time
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    repetition: float = 1.0
    no_repeat: int = 0

    def __call__(self, logits: Tensor, written: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """int64 [B], from ``logits`` [B,V] and the tokens ``written`` so far [B,L]."""
        logits = without_repeats(penalised(logits.float(), written, self.repetition), written, self.no_repeat)
        if self.temperature == 0:
            return logits.argmax(1)
        kept = nucleus(most_probable(logits / self.temperature, self.top_k), self.top_p)
        return torch.multinomial(kept.softmax(1), 1, generator=generator)[:, 0]


def penalised(logits: Tensor, written: Tensor, penalty: float) -> Tensor:
    """The logits [B,V] with those of tokens in ``written`` [B,L] made smaller."""
    if penalty == 1.0 or not written.shape[1]:
        return logits
    chosen = logits.gather(1, written)
    return logits.scatter(1, written, torch.where(chosen > 0, chosen / penalty, chosen * penalty))


def without_repeats(logits: Tensor, written: Tensor, length: int) -> Tensor:
    """The logits [B,V] with −∞ for every token that would write ``length`` tokens in a row for the second time, as the
    rows of ``written`` [B,L] have them already (Paulus et al. 2018, arXiv 1705.04304, section 2.5). 0: none. A row of
    which nothing would be left stays as it is."""
    if length < 1 or written.shape[1] < length:
        return logits
    rows = written.unfold(1, length, 1)  # [B, L - length + 1, length]
    tail = written[:, written.shape[1] - length + 1 :]
    again = (rows[:, :, :-1] == tail[:, None]).all(2)
    found = torch.zeros_like(logits).scatter_add_(1, rows[:, :, -1], again.to(logits.dtype)) > 0
    fewer = logits.masked_fill(found, -torch.inf)
    return torch.where(torch.isfinite(fewer).any(1, keepdim=True), fewer, logits)


def most_probable(logits: Tensor, count: int) -> Tensor:
    """All but the ``count`` largest of each row are −∞; 0: none. Of equal ones at the border all stay."""
    if not 0 < count < logits.shape[1]:
        return logits
    border = logits.topk(count, 1).values[:, -1:]
    return logits.masked_fill(logits < border, -torch.inf)


def nucleus(logits: Tensor, share: float) -> Tensor:
    """The most probable tokens whose probabilities first reach ``share``; the others are −∞. One always stays."""
    if share >= 1.0:
        return logits
    ordered, places = logits.sort(1, descending=True)
    before = ordered.softmax(1).cumsum(1) - ordered.softmax(1)
    dropped = before >= share
    dropped[:, 0] = False
    return logits.masked_fill(torch.zeros_like(dropped).scatter(1, places, dropped), -torch.inf)


@dataclass(frozen=True)
class Hypothesis:
    """``tokens`` without begin and end; ``log_probability`` of all of them with the end; ``score``: what it was ranked
    by; ``ended``: whether it came to its end."""

    tokens: tuple[int, ...]
    log_probability: float
    score: float
    ended: bool


@dataclass(frozen=True)
class Beam:
    """Beam search of a width. A hypothesis' score is its log probability over ((5 + length) / 6) ** ``length_penalty``
    (Wu et al. 2016, arXiv 1609.08144, equation 14, without its coverage term); length counts the end.

    ``end`` is the token that ends a sequence, None: none does; ``most`` tokens at most are written. A hypothesis has
    ended where its end is among the step's best ``width`` continuations, ends counted: any prefix could be ended, at a
    probability near 0. Those that ended rank before those that were cut off at ``most``, which have lost no probability
    to an end. ``repetition`` and ``no_repeat`` are ``Drawing``'s.
    """

    width: int
    most: int
    end: int | None = None
    length_penalty: float = 0.0
    repetition: float = 1.0
    no_repeat: int = 0

    @torch.no_grad()
    def __call__(self, step: Step, first: int, state: State) -> list[Hypothesis]:
        """The best ``width`` hypotheses, the best first, that begin after the token ``first``; ``state`` has B = 1."""
        alive: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
        ended: list[Hypothesis] = []
        tokens = torch.tensor([first], device=_device(state))
        for length in range(1, self.most + 1):
            logits, state = step(tokens, state)
            alive, parents, finished = self._extended(alive, self._log_probabilities(logits, alive), length)
            ended += finished
            if not alive or self._settled(alive, ended, length):
                break
            state = select(state, torch.tensor(parents, device=tokens.device))
            tokens = torch.tensor([written[-1] for written, _ in alive], device=tokens.device)
        ended += [self._hypothesis(written, total, len(written), ended=False) for written, total in alive]
        return sorted(ended, key=lambda h: (not h.ended, -h.score, h.tokens))[: self.width]

    def _log_probabilities(self, logits: Tensor, alive: Sequence[tuple[tuple[int, ...], float]]) -> Tensor:
        """float64 [B,V]: sums of many are compared, and must not depend on the order of the rows."""
        written = torch.tensor([w for w, _ in alive], dtype=torch.int64, device=logits.device).reshape(len(alive), -1)
        logits = penalised(logits.double(), written, self.repetition)
        return without_repeats(logits, written, self.no_repeat).log_softmax(1)

    def _extended(
        self, alive: Sequence[tuple[tuple[int, ...], float]], log_probabilities: Tensor, length: int
    ) -> tuple[list[tuple[tuple[int, ...], float]], list[int], list[Hypothesis]]:
        """The best ``width`` that go on, each one's row before, and those that end here."""
        totals = torch.tensor([total for _, total in alive], dtype=torch.float64, device=log_probabilities.device)
        sums = (log_probabilities + totals[:, None]).cpu()
        # Each row has one end, so that among twice as many there are enough that go on.
        best = _largest(sums, 2 * self.width)
        finished = [
            self._hypothesis(alive[row][0], total, length, ended=True)
            for row, token, total in best[: self.width]
            if token == self.end
        ]
        going = [(row, token, total) for row, token, total in best if token != self.end][: self.width]
        following = [((*alive[row][0], token), total) for row, token, total in going]
        return following, [row for row, _, _ in going], finished

    def _settled(self, alive: Sequence[tuple[tuple[int, ...], float]], ended: Sequence[Hypothesis], now: int) -> bool:
        """Whether nothing that goes on can still be among the best: log probabilities only fall."""
        if len(ended) < self.width:
            return False
        worst = sorted(h.score for h in ended)[-self.width]
        best = max(total for _, total in alive)
        longest = self.most if self.length_penalty > 0 else now + 1
        return self._score(best, longest) <= worst

    def _hypothesis(self, written: tuple[int, ...], total: float, length: int, *, ended: bool) -> Hypothesis:
        return Hypothesis(written, total, self._score(total, length), ended)

    def _score(self, total: float, length: int) -> float:
        return total / math.pow((5 + length) / 6, self.length_penalty)


def _largest(sums: Tensor, count: int) -> list[tuple[int, int, float]]:
    """Row, column and value of the largest finite numbers of a table, at most ``count``, the largest first."""
    values, places = sums.reshape(-1).topk(min(count, int(torch.isfinite(sums).sum())))
    pairs = zip(places.tolist(), values.tolist(), strict=True)
    return [(place // sums.shape[1], place % sums.shape[1], value) for place, value in pairs]


def select(state: State, rows: Tensor) -> State:
    """The state with these rows of the batch, in this order."""
    return map_tensors(lambda tensor: tensor.index_select(0, rows.to(tensor.device)), state)


def _device(state: State) -> torch.device:
    found = (tensor.device for tensor in tensors_of(state))
    return next((device for device in found if device.type != "cpu"), torch.device("cpu"))

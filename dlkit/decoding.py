"""Writing token by token: drawing at random, and beam search, in NumPy alone. No model is known here: ``Step`` is one.

An exported model writes by this module too: it imports neither torch nor anything else of dlkit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

State = Any
"""What a model carries from token to token (keys and values, hidden states): nested dicts, lists and tuples of arrays
or tensors whose first axis is the batch, and anything else, which is left as it is."""
Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.floating[Any]]
Step = Callable[[Ids, State], tuple[Scores, State]]
"""(tokens int64 [B], state) → (logits [B,V] of the next token, state)."""


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

    def __call__(self, logits: Scores, written: Ids, chance: np.random.Generator | None = None) -> Ids:
        """int64 [B], from ``logits`` [B,V] and the tokens ``written`` so far [B,L]; a number of ``chance`` each."""
        logits = penalised(logits.astype(np.float64), written, self.repetition)
        logits = without_repeats(logits, written, self.no_repeat)
        if self.temperature == 0:
            return _first_largest(logits)
        kept = nucleus(most_probable(logits / self.temperature, self.top_k), self.top_p)
        # The first token at which the probabilities add up to more than the number drawn: the same text wherever it is
        # written, which no generator of torch's is.
        reached = np.exp(log_softmax(kept)).cumsum(1)
        drawn = (chance or np.random.default_rng()).random((len(reached), 1)) * reached[:, -1:]
        return _first_largest(reached > drawn)


def _first_largest(rows: Scores | npt.NDArray[np.bool_]) -> Ids:
    found: Ids = rows.argmax(1)
    return found


def log_softmax(logits: Scores) -> npt.NDArray[np.float64]:
    """Along the last axis, float64."""
    shifted = logits - logits.max(-1, keepdims=True).astype(np.float64)
    found: npt.NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return found


def penalised(logits: Scores, written: Ids, penalty: float) -> Scores:
    """The logits [B,V] with those of tokens in ``written`` [B,L] made smaller."""
    if penalty == 1.0 or not written.shape[1]:
        return logits
    chosen = np.take_along_axis(logits, written, 1)
    smaller = np.where(chosen > 0, chosen / penalty, np.where(chosen < 0, chosen * penalty, 0.0))
    changed = logits.copy()
    np.put_along_axis(changed, written, smaller, 1)
    return changed


def without_repeats(logits: Scores, written: Ids, length: int) -> Scores:
    """The logits [B,V] with −∞ for every token that would write ``length`` tokens in a row for the second time, as the
    rows of ``written`` [B,L] have them already (Paulus et al. 2018, arXiv 1705.04304, section 2.5). 0: none. A row of
    which nothing would be left stays as it is."""
    if length < 1 or written.shape[1] < length:
        return logits
    rows = np.lib.stride_tricks.sliding_window_view(written, length, 1)  # [B, L - length + 1, length]
    tail = written[:, written.shape[1] - length + 1 :]
    again = (rows[:, :, :-1] == tail[:, None]).all(2)
    fewer = logits.copy()
    for row, (found, ends) in enumerate(zip(again, rows[:, :, -1], strict=True)):
        fewer[row, ends[found]] = -np.inf
    return np.where(np.isfinite(fewer).any(1, keepdims=True), fewer, logits)


def most_probable(logits: Scores, count: int) -> Scores:
    """All but the ``count`` largest of each row are −∞; 0: none. Of equal ones at the border all stay."""
    if not 0 < count < logits.shape[1]:
        return logits
    border = np.partition(logits, -count, 1)[:, -count, None]
    return np.where(logits < border, -np.inf, logits)


def nucleus(logits: Scores, share: float) -> Scores:
    """The most probable tokens whose probabilities first reach ``share``; the others are −∞. One always stays."""
    if share >= 1.0:
        return logits
    places = np.argsort(-logits, 1, kind="stable")
    ordered = np.exp(log_softmax(np.take_along_axis(logits, places, 1)))
    dropped = ordered.cumsum(1) - ordered >= share
    dropped[:, 0] = False
    kept = logits.copy()
    np.put_along_axis(kept, places, np.where(dropped, -np.inf, np.take_along_axis(logits, places, 1)), 1)
    return kept


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

    def __call__(self, step: Step, first: int, state: State) -> list[Hypothesis]:
        """The best ``width`` hypotheses, the best first, that begin after the token ``first``; ``state`` has B = 1."""
        alive: list[tuple[tuple[int, ...], float]] = [((), 0.0)]
        ended: list[Hypothesis] = []
        tokens = np.array([first], np.int64)
        for length in range(1, self.most + 1):
            logits, state = step(tokens, state)
            alive, parents, finished = self._extended(alive, self._log_probabilities(logits, alive), length)
            ended += finished
            if not alive or self._settled(alive, ended, length):
                break
            state = select(state, np.array(parents, np.int64))
            tokens = np.array([written[-1] for written, _ in alive], np.int64)
        ended += [self._hypothesis(written, total, len(written), ended=False) for written, total in alive]
        return sorted(ended, key=lambda h: (not h.ended, -h.score, h.tokens))[: self.width]

    def _log_probabilities(
        self, logits: Scores, alive: Sequence[tuple[tuple[int, ...], float]]
    ) -> npt.NDArray[np.float64]:
        """float64 [B,V]: sums of many are compared, and must not depend on the order of the rows."""
        written = np.array([w for w, _ in alive], np.int64).reshape(len(alive), -1)
        logits = penalised(logits.astype(np.float64), written, self.repetition)
        return log_softmax(without_repeats(logits, written, self.no_repeat))

    def _extended(
        self,
        alive: Sequence[tuple[tuple[int, ...], float]],
        log_probabilities: npt.NDArray[np.float64],
        length: int,
    ) -> tuple[list[tuple[tuple[int, ...], float]], list[int], list[Hypothesis]]:
        """The best ``width`` that go on, each one's row before, and those that end here."""
        sums = log_probabilities + np.array([total for _, total in alive])[:, None]
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


def _largest(sums: npt.NDArray[np.float64], count: int) -> list[tuple[int, int, float]]:
    """Row, column and value of the largest finite numbers of a table, at most ``count``, the largest first."""
    flat = sums.reshape(-1)
    count = min(count, int(np.isfinite(flat).sum()))
    places = np.argpartition(-flat, count - 1)[:count] if 0 < count < len(flat) else np.flatnonzero(np.isfinite(flat))
    places = places[np.lexsort((places, -flat[places]))]
    width = sums.shape[1]
    return [(place // width, place % width, float(flat[place])) for place in places.tolist()]


def select(state: State, rows: Ids) -> State:
    """The state with these rows of the batch, in this order."""
    if isinstance(state, Mapping):
        return {name: select(part, rows) for name, part in state.items()}
    if isinstance(state, (list, tuple)):
        chosen = [select(part, rows) for part in state]
        make: Callable[..., State] = type(state)
        return make(*chosen) if hasattr(state, "_fields") else make(chosen)  # a named tuple takes its fields one by one
    return state[rows] if hasattr(state, "shape") else state

"""Drawing tokens, and beam search against looking at everything."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.decoding import Beam, Drawing, Hypothesis, Ids, Scores, log_softmax, nucleus, select, without_repeats

VOCABULARY, END, FIRST = 4, 3, 0
BEGINNING = {"before": np.array([0])}


class Chain:
    """A model whose next token depends on the last two: what it carries is the one before."""

    def __init__(self, seed: int) -> None:
        self.table = np.random.default_rng(seed).standard_normal((VOCABULARY, VOCABULARY, VOCABULARY))

    def step(self, tokens: Ids, state: dict[str, Ids]) -> tuple[Scores, dict[str, Ids]]:
        return 2 * self.table[state["before"], tokens], {"before": tokens}

    def log_probability(self, tokens: tuple[int, ...]) -> float:
        total, before, last = 0.0, 0, FIRST
        for token in tokens:
            total += float(log_softmax(2 * self.table[before, last])[token])
            before, last = last, token
        return total


def everything(model: Chain, most: int, penalty: float) -> list[Hypothesis]:
    """All sequences that end within ``most`` tokens, and all of that length that do not."""
    found = []
    for length in range(most + 1):
        for inner in itertools.product(range(VOCABULARY - 1), repeat=length):
            if length < most:
                total = model.log_probability((*inner, END))
                found.append(Hypothesis(inner, total, total / ((6 + length) / 6) ** penalty, True))
            else:
                total = model.log_probability(inner)
                found.append(Hypothesis(inner, total, total / ((5 + length) / 6) ** penalty, False))
    return ranked(found)


def ranked(found: list[Hypothesis]) -> list[Hypothesis]:
    """Those that ended before those that were cut off."""
    return sorted(found, key=lambda h: (not h.ended, -h.score, h.tokens))


def by_definition(model: Chain, width: int, most: int, penalty: float) -> list[Hypothesis]:
    """Beam search that looks at whole sequences, and goes on to the last token."""

    def hypothesis(tokens: tuple[int, ...], total: float, length: int, ended: bool) -> Hypothesis:
        return Hypothesis(tokens, total, total / ((5 + length) / 6) ** penalty, ended)

    alive: list[tuple[int, ...]] = [()]
    found: list[Hypothesis] = []
    for length in range(1, most + 1):
        every = [(*tokens, token) for tokens in alive for token in range(VOCABULARY)]
        every.sort(key=model.log_probability, reverse=True)
        best = [(tokens, model.log_probability(tokens)) for tokens in every[:width] if tokens[-1] == END]
        found += [hypothesis(tokens[:-1], total, length, ended=True) for tokens, total in best]
        alive = [tokens for tokens in every if tokens[-1] != END][:width]
    found += [hypothesis(tokens, model.log_probability(tokens), most, ended=False) for tokens in alive]
    return ranked(found)[:width]


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.6, 1.0]), st.integers(1, 5), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_of_any_width_it_does_as_it_says(seed: int, penalty: float, width: int, most: int) -> None:
    model = Chain(seed)
    found = Beam(width, most, END, penalty)(model.step, FIRST, BEGINNING)
    expected = by_definition(model, width, most, penalty)
    assert [(h.tokens, h.ended) for h in found] == [(h.tokens, h.ended) for h in expected]
    assert [h.score for h in found] == pytest.approx([h.score for h in expected], abs=1e-12)


def test_what_ended_comes_before_what_was_cut_off() -> None:
    """A loop of likely tokens would win over every sentence: it has lost nothing to an end."""
    words = np.array([-5.0, 0.0, -5.0, -1.5])

    def looping(tokens: Ids, state: dict[str, Ids]) -> tuple[Scores, dict[str, Ids]]:
        return np.tile(words, (len(tokens), 1)), state

    found = Beam(2, 3, END)(looping, FIRST, BEGINNING)
    assert [(h.tokens, h.ended) for h in found] == [((), True), ((1,), True)]
    assert found[0].log_probability < 3 * float(log_softmax(words)[1])


def test_an_end_that_is_not_among_the_best_is_none() -> None:
    """Nothing at all, which any model may end at some small probability, is no answer."""

    def unending(tokens: Ids, state: dict[str, Ids]) -> tuple[Scores, dict[str, Ids]]:
        return np.tile([[2.0, 1.0, 1.5, -9.0]], (len(tokens), 1)), state

    found = Beam(3, 4, END)(unending, FIRST, BEGINNING)
    assert [(len(h.tokens), h.ended) for h in found] == [(4, False)] * 3


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.6, 1.0, 2.0]), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_a_wide_beam_finds_what_looking_at_everything_finds(seed: int, penalty: float, most: int) -> None:
    model, width = Chain(seed), VOCABULARY**most
    found = Beam(width, most, END, penalty)(model.step, FIRST, BEGINNING)
    best = everything(model, most, penalty)[:width]
    assert [h.tokens for h in found] == [h.tokens for h in best]
    assert [h.score for h in found] == pytest.approx([h.score for h in best], abs=1e-12)


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_a_beam_of_one_is_greedy(seed: int) -> None:
    model = Chain(seed)
    (endless,) = Beam(1, 6)(model.step, FIRST, BEGINNING)
    (found,) = Beam(1, 6, END)(model.step, FIRST, BEGINNING)
    tokens, state, last = [], BEGINNING, np.array([FIRST])
    for _ in range(6):
        logits, state = model.step(last, state)
        last = Drawing(temperature=0)(logits, np.array([tokens], np.int64))
        tokens.append(int(last[0]))
    total = model.log_probability(endless.tokens)
    assert list(endless.tokens) == tokens and endless.log_probability == pytest.approx(total)
    until = tokens.index(END) if END in tokens else len(tokens)
    assert list(found.tokens) == tokens[:until] and found.ended == (END in tokens)


def test_a_wider_beam_is_as_good_at_least() -> None:
    for seed in range(30):
        narrow, wide = (Beam(w, 8, END)(Chain(seed).step, FIRST, BEGINNING)[0] for w in (1, 80))
        assert (wide.ended, wide.score) >= (narrow.ended, narrow.score)


@given(st.floats(0.05, 0.99), st.integers(0, 100))
def test_a_nucleus_is_the_smallest_set_with_its_share(share: float, seed: int) -> None:
    logits = np.random.default_rng(seed).standard_normal((3, 12))
    for row, kept in zip(np.exp(log_softmax(logits)), nucleus(logits, share), strict=True):
        inside = np.sort(row[np.isfinite(kept)])
        assert inside.sum() >= share - 1e-5 and inside[1:].sum() < share + 1e-5
        assert (row[~np.isfinite(kept)] <= inside.min() + 1e-7).all()


def test_drawing_follows_the_probabilities() -> None:
    logits = np.tile([[1.0, 0.0, -1.0, -2.0]], (20_000, 1))
    nothing, chance = np.empty((20_000, 0), np.int64), np.random.default_rng(0)
    shares = np.bincount(Drawing()(logits, nothing, chance), minlength=4) / 20_000
    assert shares == pytest.approx(np.exp(log_softmax(logits[0])), abs=0.015)
    assert set(Drawing(top_k=2)(logits, nothing, chance).tolist()) == {0, 1}
    assert set(Drawing(temperature=0.01)(logits, nothing, chance).tolist()) == {0}
    shares = np.bincount(Drawing(temperature=2.0)(logits, nothing, chance), minlength=4) / 20_000
    assert shares == pytest.approx(np.exp(log_softmax(logits[0] / 2)), abs=0.015)


def test_what_has_no_probability_is_never_drawn() -> None:
    class Least:
        """The smallest and the largest number that there are."""

        def random(self, shape: tuple[int, int]) -> Scores:
            return np.array([[0.0], [1 - 2**-53]])

    logits = np.array([[-np.inf, 1.0, 2.0, -np.inf]] * 2, np.float32)
    drawn = Drawing()(logits, np.empty((2, 0), np.int64), Least())  # type: ignore[arg-type]
    assert drawn.tolist() == [1, 2]


@given(st.integers(0, 1000), st.floats(0.1, 3), st.integers(0, 5), st.floats(0.1, 1))
def test_probabilities_are_those_of_torch(seed: int, temperature: float, top_k: int, top_p: float) -> None:
    logits = np.random.default_rng(seed).standard_normal((3, 7)).astype(np.float32)
    expected = (torch.from_numpy(logits).double() / temperature).log_softmax(1).numpy()
    assert log_softmax(logits / np.float64(temperature)) == pytest.approx(expected, abs=1e-12)
    drawing = Drawing(temperature, top_k, top_p)
    nothing = np.empty((3, 0), np.int64)
    drawn = np.stack([drawing(logits, nothing, np.random.default_rng([seed, i])) for i in range(20)])
    most = logits.shape[1] if top_k == 0 else top_k
    ranks = (-logits).argsort(1).argsort(1)
    assert (np.take_along_axis(ranks, drawn.T, 1) < most).all()


def test_repetition_makes_what_was_written_less_probable() -> None:
    logits = np.array([[2.0, 1.9, -1.0]])
    assert int(Drawing(temperature=0)(logits, np.array([[0]]))[0]) == 0
    assert int(Drawing(temperature=0, repetition=1.5)(logits, np.array([[0]]))[0]) == 1
    ever = Beam(1, 6, repetition=math.inf)
    (found,) = ever(lambda tokens, state: (np.ones((len(tokens), 6)).cumsum(1), state), 0, {})
    assert len(set(found.tokens)) == 6


def test_rows_of_a_state_are_chosen_wherever_they_lie() -> None:
    state = {"a": np.arange(3), "b": [(torch.arange(3) * 2, "name")], "n": 5}
    chosen = select(state, np.array([2, 2, 0]))
    assert chosen["a"].tolist() == [2, 2, 0] and chosen["b"][0][0].tolist() == [4, 4, 0]
    assert chosen["b"][0][1] == "name" and chosen["n"] == 5


@given(st.lists(st.integers(0, VOCABULARY - 1), max_size=12), st.integers(1, 4))
def test_a_row_of_tokens_is_never_written_twice(written: list[int], length: int) -> None:
    found = without_repeats(np.zeros((1, VOCABULARY)), np.array([written], np.int64).reshape(1, -1), length)
    rows = {tuple(written[i : i + length]) for i in range(len(written) - length + 1)}
    before = written[len(written) - length + 1 :] if len(written) >= length else written
    banned = [t for t in range(VOCABULARY) if len(written) >= length and (*before, t) in rows]
    expected = [] if len(banned) == VOCABULARY else banned
    assert np.flatnonzero(np.isinf(found[0])).tolist() == expected


def test_drawing_and_beam_do_without_repeats() -> None:
    """A model that would write one token for ever writes every pair once, as long as there is another."""

    def stubborn(tokens: Ids, state: dict[str, Ids]) -> tuple[Scores, dict[str, Ids]]:
        return np.tile([[3.0, 2.0, 1.0, 0.0]], (len(tokens), 1)), state

    written = np.array([[0]])
    for _ in range(6):
        logits, _ = stubborn(written[:, -1], {})
        written = np.concatenate((written, Drawing(temperature=0, no_repeat=2)(logits, written)[:, None]), 1)
    pairs = list(itertools.pairwise(written[0].tolist()))
    assert len(set(pairs)) == len(pairs) and written[0, :3].tolist() == [0, 0, 1]
    best = Beam(width=2, most=8, no_repeat=2)(stubborn, FIRST, BEGINNING)[0]
    found = list(itertools.pairwise(best.tokens))
    assert len(set(found)) == len(found)
    assert Beam(width=2, most=8)(stubborn, FIRST, BEGINNING)[0].tokens == (0,) * 8

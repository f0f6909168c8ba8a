"""Formulas (4) to (6): the loss pair by pair, and its gradient by hand against autograd and finite differences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from dlkit_embeddings.word_vectors.skip_gram.negative_sampling import PassageLoss, Vectors
from dlkit_embeddings.word_vectors.skip_gram.window import pair_weights, word_weight


@dataclass
class Case:
    """Random vectors of some passages, in float64."""

    loss: PassageLoss
    vectors: Vectors

    def sum_by_pairs(self) -> float:
        """(5), word by word."""
        inputs, outputs, noise = (part.tolist() for part in self.vectors)
        weights, before = self.loss.pair_weights.tolist(), self.loss.before
        total = 0.0
        for passage in range(len(inputs)):
            for i, v in enumerate(inputs[passage]):
                for o, v_out in enumerate(outputs[passage]):
                    total -= weights[i][o] * log_sigmoid(dot(v, v_out))
                if before <= i < before + len(outputs[passage]):
                    total -= self.loss.noise_weight * sum(log_sigmoid(-dot(v, drawn)) for drawn in noise[passage])
        return total

    def sum_by_autograd(self, vectors: Vectors) -> Tensor:
        """(5), from torch's own log σ."""
        pairs = torch.einsum("bid,bod->bio", vectors.inputs, vectors.outputs)
        own = vectors.inputs[:, self.loss.before : self.loss.before + vectors.outputs.shape[1]]
        drawn = torch.einsum("bid,bkd->bik", own, vectors.noise)
        log_sigmoid = torch.nn.functional.logsigmoid
        return -(self.loss.pair_weights * log_sigmoid(pairs)).sum() - self.loss.noise_weight * log_sigmoid(-drawn).sum()


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def log_sigmoid(score: float) -> float:
    return -math.log1p(math.exp(-score))


@st.composite
def cases(draw: st.DrawFn, largest: int = 6) -> Case:
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    before, passage, after = draw(st.integers(1, 4)), draw(st.integers(2, largest)), draw(st.integers(0, 4))
    passages, drawn, size = draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, largest))
    weights = pair_weights(before, passage, after, nearer=draw(st.booleans())).double()
    shapes = [(passages, count, size) for count in (before + passage + after, passage, drawn)]
    vectors = Vectors(*(torch.from_numpy(generator.normal(size=shape)) for shape in shapes))
    return Case(PassageLoss(weights, draw(st.floats(0.01, 3)), before), vectors)


@given(cases())
@settings(max_examples=40, deadline=None)
def test_the_loss_is_that_of_each_pair_added_up(case: Case) -> None:
    pairs = float(case.loss.pair_weights.sum()) * len(case.vectors.inputs)
    assert float(case.loss.mean(case.vectors)) * pairs == pytest.approx(case.sum_by_pairs(), rel=1e-10)


def test_over_a_whole_text_it_is_the_papers_loss_of_every_pair() -> None:
    """Two passages that are each other's surroundings: (5) of both is (4) of each pair, times what the pair counts,
    with the mean over the shared words in place of words of the pair's own."""
    passage, window, negatives, drawn = 6, 2, 5, 3
    generator = np.random.default_rng(0)
    v, v_out = (generator.normal(size=(2 * passage, 4)) for _ in range(2))
    noise = generator.normal(size=(drawn, 4))
    weights = pair_weights(window, passage, window, nearer=True).double()
    loss = PassageLoss(weights, word_weight(window, window, nearer=True) * negatives / drawn, window)
    around = np.roll(v, window, 0)
    inputs = [around[: passage + 2 * window], np.roll(around, -passage, 0)[: passage + 2 * window]]
    vectors = Vectors(*(torch.from_numpy(np.stack(part)) for part in (inputs, np.split(v_out, 2), [noise, noise])))
    expected = 0.0
    for i, word in enumerate(v):
        against = -sum(log_sigmoid(-float(word @ k)) for k in noise) / drawn * negatives
        for distance in (-2, -1, 1, 2):
            pair = -log_sigmoid(float(word @ v_out[(i + distance) % len(v)]))
            expected += (window + 1 - abs(distance)) / window * (pair + against)
    assert float(loss.mean(vectors) * weights.sum() * 2) == pytest.approx(expected, rel=1e-7)


@given(cases())
@settings(max_examples=60, deadline=None)
def test_the_gradient_is_autograds(case: Case) -> None:
    copies = Vectors(*(part.clone().requires_grad_() for part in case.vectors))
    wanted = torch.autograd.grad(case.sum_by_autograd(copies), list(copies))
    for found, expected in zip(case.loss.gradient(case.vectors), wanted, strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)


@given(cases(largest=3))
@settings(max_examples=10, deadline=None)
def test_the_gradient_is_finite_differences(case: Case) -> None:
    """Central differences of the sum pair by pair, an error of order h²."""
    gradient, h = case.loss.gradient(case.vectors), 1e-5
    for part, derivatives in zip(case.vectors, gradient, strict=True):
        flat = part.view(-1)
        for place in range(len(flat)):
            kept, values = flat[place].item(), []
            for change in (h, -h):
                flat[place] = kept + change
                values.append(case.sum_by_pairs())
            flat[place] = kept
            assert (values[0] - values[1]) / (2 * h) == pytest.approx(float(derivatives.reshape(-1)[place]), abs=1e-6)


def test_the_vectors_are_left_as_they_are() -> None:
    torch.manual_seed(0)
    vectors = Vectors(*(torch.randn(2, count, 4) for count in (5, 3, 2)))
    before = [part.clone() for part in vectors]
    loss = PassageLoss(pair_weights(1, 3, 1, nearer=True), 0.5, 1)
    loss.gradient(vectors), loss.mean(vectors)
    assert all(torch.equal(part, kept) for part, kept in zip(vectors, before, strict=True))


def test_large_scores_do_not_overflow() -> None:
    vectors = Vectors(torch.full((1, 4, 2), 100.0), torch.full((1, 2, 2), -100.0), torch.full((1, 3, 2), 100.0))
    loss = PassageLoss(pair_weights(1, 2, 1, nearer=True), 1.0, 1)
    assert loss.mean(vectors).isfinite() and all(part.isfinite().all() for part in loss.gradient(vectors))

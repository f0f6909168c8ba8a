"""Skip-gram's matrices: how they start, and formula (9), by which their products are logits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dlkit_embeddings.vectors import stored_vectors
from dlkit_embeddings.word_vectors.info import WordsInfo
from dlkit_embeddings.word_vectors.options import SkipGramConfig
from dlkit_embeddings.word_vectors.skip_gram.model import SkipGram
from dlkit_embeddings.word_vectors.skip_gram.noise import noise_distribution


def test_it_starts_as_word2vec_does(info: Callable[..., WordsInfo]) -> None:
    found = info()
    model = SkipGram(SkipGramConfig(size=50), found)
    inputs = model.input_vectors[:-1]
    assert inputs.abs().max() <= 0.5 / 50 and inputs.std() > 0.25 / 50
    assert not model.input_vectors[-1].any() and not model.output_vectors.any()
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert np.array_equal(stored_vectors(model, found)[1], inputs.numpy())


def test_checkpoints_keep_their_names(info: Callable[..., WordsInfo]) -> None:
    """Runs of every version are resumed: what is saved is never renamed."""
    model = SkipGram(SkipGramConfig(size=4), info())
    assert list(model.state_dict()) == ["inner", "outer", "log_noise"]
    assert model.input_vectors is model.inner and model.output_vectors is model.outer


def test_logits_are_scores_and_how_common_a_word_is(info: Callable[..., WordsInfo]) -> None:
    found = info(window=2)
    model = SkipGram(SkipGramConfig(size=8), found)
    nothing = model(torch.tensor([[-1, -1, -1, -1]])).softmax(1)[0]
    assert np.allclose(nothing.numpy(), noise_distribution(found.counts, 0.75), atol=1e-6)
    model.output_vectors.data.normal_()
    context = torch.tensor([[3, -1, 1, -1]])
    expected = model.input_vectors[[1, 3]].mean(0) @ model.output_vectors.T + model.log_noise
    assert torch.allclose(model(context)[0], expected, atol=1e-6)


def test_at_the_least_loss_the_logits_are_the_texts_own_probabilities() -> None:
    """(9): there s is log p(o | i) − log(K · q(o)), so softmax(s + log q) is p(o | i)."""
    pairs = torch.tensor([[4, 20, 6, 2], [20, 8, 9, 1], [6, 9, 2, 7], [2, 1, 7, 3]], dtype=torch.float64)
    counts, negatives = pairs.sum(1), 5
    info = WordsInfo(words=["a", "b", "c", "d"], counts=counts.numpy(), lower=True, before=1, after=0)
    model = SkipGram(SkipGramConfig(size=4), info).double()
    model.log_noise = torch.log(torch.from_numpy(noise_distribution(counts.numpy(), 0.75)))
    inputs, outputs = fitted(pairs, model.log_noise.exp(), negatives)
    model.input_vectors.data[:-1], model.output_vectors.data[:] = inputs, outputs
    p = pairs / counts[:, None]
    assert torch.allclose(inputs @ outputs.T, torch.log(p) - torch.log(negatives * model.log_noise.exp()), atol=1e-4)
    assert torch.allclose(model(torch.arange(4)[:, None]).softmax(1), p, atol=1e-4)


def fitted(pairs: Tensor, noise: Tensor, negatives: int) -> tuple[Tensor, Tensor]:
    """Vectors that minimise the expected loss: as large as the vocabulary, so that every score can be reached."""
    generator = torch.Generator().manual_seed(0)
    vectors = [torch.randn(4, 4, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2)]
    optimizer = torch.optim.LBFGS(vectors, max_iter=2000, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def loss() -> float:
        optimizer.zero_grad()
        scores = vectors[0] @ vectors[1].T
        value = (pairs * F.softplus(-scores)).sum()
        value = value + (pairs.sum(1, keepdim=True) * negatives * noise * F.softplus(scores)).sum()
        value.backward()
        return value.item()

    optimizer.step(loss)
    return vectors[0].detach(), vectors[1].detach()

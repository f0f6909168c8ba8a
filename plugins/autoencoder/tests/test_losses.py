"""The losses are the formulas they name, against torch's own distributions."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from dlkit.errors import PluginError
from dlkit_autoencoder.earlier import elbo as migrated
from dlkit_autoencoder.earlier import variational
from dlkit_autoencoder.losses import cross_entropy, elbo, mse
from dlkit_autoencoder.options import ElboConfig, VariationalConfig

N, K = 5, 3


def outputs(seed: int = 0) -> dict[str, Tensor]:
    made = torch.Generator().manual_seed(seed)
    return {
        "image": torch.rand(N, 1, 4, 4, generator=made) * 0.98 + 0.01,
        "code": torch.randn(N, K, generator=made),
        "log_variance": torch.randn(N, K, generator=made),
    }


@pytest.fixture
def batch() -> dict[str, Tensor]:
    return {"image": torch.rand(N, 1, 4, 4, generator=torch.Generator().manual_seed(9)).round(decimals=1)}


def test_squared_error_and_cross_entropy(batch: dict[str, Tensor]) -> None:
    found, image = outputs(), batch["image"]
    assert mse(None, None)(found, batch)["loss"] == pytest.approx(float((found["image"] - image).square().mean()))
    expected = -(image * found["image"].log() + (1 - image) * (1 - found["image"]).log()).mean()
    assert cross_entropy(None, None)(found, batch)["loss"] == pytest.approx(float(expected), rel=1e-5)
    beyond = {**found, "image": found["image"] * 3 - 1}
    assert cross_entropy(None, None)(beyond, batch)["loss"].isfinite()


@given(seed=st.integers(0, 1000), beta=st.floats(0, 5), share=st.floats(0, 1))
def test_the_bound_is_likelihood_and_divergence(seed: int, beta: float, share: float) -> None:
    found = outputs(seed)
    image = torch.rand(N, 1, 4, 4, generator=torch.Generator().manual_seed(seed)).round()
    losses = elbo(ElboConfig(beta=beta), None)(found, {"image": image}, share)
    likelihood = Bernoulli(probs=found["image"]).log_prob(image).flatten(1).sum(1).mean()
    posterior = Normal(found["code"], (0.5 * found["log_variance"]).exp())
    divergence = kl_divergence(posterior, Normal(torch.zeros(K), torch.ones(K))).sum(1).mean()
    assert float(losses["reconstruction"]) == pytest.approx(-float(likelihood), rel=1e-4)
    assert float(losses["kl"]) == pytest.approx(float(divergence), rel=1e-4, abs=1e-5)
    whole = -float(likelihood) + beta * share * float(divergence)
    assert float(losses["loss"]) == pytest.approx(whole, rel=1e-4)


def test_the_gaussian_likelihood_takes_the_best_variance(batch: dict[str, Tensor]) -> None:
    found = outputs()
    reconstruction = float(elbo(ElboConfig(likelihood="gaussian"), None)(found, batch)["reconstruction"])

    def of(deviation: Tensor) -> float:
        return -float(Normal(found["image"], deviation).log_prob(batch["image"]).flatten(1).sum(1).mean())

    best = (found["image"] - batch["image"]).square().mean((1, 2, 3), keepdim=True).sqrt()
    assert reconstruction == pytest.approx(of(best), rel=1e-4)
    assert all(of(best * factor) > reconstruction for factor in (0.7, 0.9, 1.1, 1.4))


@given(bounds=st.sets(st.integers(1, N - 1)))
def test_the_gaussian_likelihood_is_a_mean_over_images(bounds: set[int]) -> None:
    """Whatever batches they come in."""
    found, image = outputs(), torch.rand(N, 1, 4, 4, generator=torch.Generator().manual_seed(9))
    loss = elbo(ElboConfig(likelihood="gaussian"), None)
    edges = [0, *sorted(bounds), N]
    parts = [
        (b - a) * float(loss({name: t[a:b] for name, t in found.items()}, {"image": image[a:b]})["reconstruction"])
        for a, b in pairwise(edges)
    ]
    assert sum(parts) / N == pytest.approx(float(loss(found, {"image": image})["reconstruction"]), rel=1e-6)


def test_an_image_without_an_error_is_finite(batch: dict[str, Tensor]) -> None:
    found = {**outputs(), "image": batch["image"].clone().requires_grad_()}
    loss = elbo(ElboConfig(likelihood="gaussian"), None)(found, batch)["loss"]
    loss.backward()
    assert loss.isfinite() and found["image"].grad is not None and found["image"].grad.isfinite().all()


def test_what_was_drawn_counts_where_there_is_some(batch: dict[str, Tensor]) -> None:
    found, other = outputs(), outputs(1)["image"]
    loss = elbo(ElboConfig(), None)
    expected = loss({**found, "image": other}, batch)
    assert loss({**found, "drawn": other}, batch) == expected != loss(found, batch)


def test_runs_of_before_keep_their_loss(batch: dict[str, Tensor]) -> None:
    """The variance was a batch's, and the model decoded the mean alone outside training."""
    earlier = ElboConfig.model_validate(migrated({"likelihood": "gaussian"}, 1))
    assert earlier == ElboConfig(likelihood="gaussian", variance="batch")
    assert migrated({"variance": "image"}, 1) == migrated({"variance": "image"}, 2) == {"variance": "image"}
    found, n = outputs(), 16
    variance = float((found["image"] - batch["image"]).square().mean())
    expected = 0.5 * n * (math.log(2 * math.pi * variance) + 1)
    assert float(elbo(earlier, None)(found, batch)["reconstruction"]) == pytest.approx(expected, rel=1e-5)
    assert not VariationalConfig.model_validate(variational({}, 1)).bound


def test_a_model_without_a_posterior_is_named(batch: dict[str, Tensor]) -> None:
    found = outputs()
    del found["log_variance"]
    with pytest.raises(PluginError, match=r"needs log_variance \[N,K\]; this model returns: code, image"):
        elbo(ElboConfig(), None)(found, batch)

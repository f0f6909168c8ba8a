"""The losses are the formulas they name, against torch's own distributions."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.distributions import Bernoulli, Normal, kl_divergence

from dlkit.errors import PluginError
from dlkit_autoencoder.losses import cross_entropy, elbo, mse
from dlkit_autoencoder.options import ElboConfig

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

    def of(deviation: float) -> float:
        return -float(Normal(found["image"], deviation).log_prob(batch["image"]).flatten(1).sum(1).mean())

    best = float((found["image"] - batch["image"]).square().mean().sqrt())
    assert reconstruction == pytest.approx(of(best), rel=1e-4)
    assert all(of(best * factor) > reconstruction for factor in (0.7, 0.9, 1.1, 1.4))


def test_a_model_without_a_posterior_is_named(batch: dict[str, Tensor]) -> None:
    found = outputs()
    del found["log_variance"]
    with pytest.raises(PluginError, match=r"needs log_variance \[N,K\]; this model returns: code, image"):
        elbo(ElboConfig(), None)(found, batch)

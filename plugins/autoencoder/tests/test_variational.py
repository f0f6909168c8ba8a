"""Draws are for training alone; the prior is what its formulas say, alone or in a mixture."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from dlkit.engine.supervised import _muon_parameters
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.losses import elbo
from dlkit_autoencoder.options import ElboConfig, VariationalConfig
from dlkit_autoencoder.variational import Mixture, Variational, _fixed_noise, build

K = 4


def model(**options: Any) -> Variational:
    torch.manual_seed(0)
    config = VariationalConfig.model_validate({"code": K, "width": 8, "stem": 4, "hidden": 16, "blocks": 0, **options})
    return build(config, AutoencoderInfo(shape=(1, 16, 16)))


def mixture(components: int, seed: int) -> Mixture:
    torch.manual_seed(seed)
    made = Mixture(components, K)
    for parameter in made.parameters():
        nn.init.normal_(parameter)
    return made.requires_grad_(False)


def normal(mean: Tensor, log_variance: Tensor) -> Independent:
    return Independent(Normal(mean, (0.5 * log_variance).exp()), 1)


def as_distribution(made: Mixture) -> MixtureSameFamily:
    return MixtureSameFamily(Categorical(logits=made.logits), normal(made.mean, made.log_variance))


def posteriors(seed: int) -> tuple[Tensor, Tensor]:
    made = torch.Generator().manual_seed(seed)
    return torch.randn(6, K, generator=made), torch.randn(6, K, generator=made) - 1


def test_the_posterior_is_drawn_from_in_training_alone() -> None:
    network, image = model(), torch.rand(4, 1, 16, 16)
    torch.manual_seed(1)
    first = network(image)["image"]
    assert not torch.equal(network(image)["image"], first)
    torch.manual_seed(1)
    assert torch.equal(network(image)["image"], first)
    outputs = network.eval()(image)
    assert torch.equal(network.decode(outputs["code"]), outputs["image"])
    assert outputs["log_variance"].shape == outputs["code"].shape and outputs["kl"].shape == (4,)


def test_the_loss_outside_training_is_of_a_draw_by_the_image() -> None:
    """The mean over codes makes it a bound; that of the likeliest code may lie below."""
    network, image = model().eval(), torch.rand(6, 1, 16, 16)
    whole = network(image)
    assert not torch.allclose(whole["drawn"], whole["image"])
    for number in range(6):
        alone = network(image[number : number + 1])
        assert torch.allclose(alone["drawn"][0], whole["drawn"][number], atol=1e-6)
    mean, deviation = whole["code"], (0.5 * whole["log_variance"]).exp()
    noise = _fixed_noise(torch.rand(4000, 1, 2, 2), torch.empty(4000, K))
    torch.testing.assert_close(noise.mean(0), torch.zeros(K), atol=0.06, rtol=0)
    torch.testing.assert_close(noise.std(0), torch.ones(K), atol=0.06, rtol=0)
    assert torch.equal(network.decode(mean + deviation * _fixed_noise(image, mean)), whole["drawn"])
    assert "drawn" not in model(bound=False).eval()(image) and "drawn" not in network.train()(image)


def test_no_posterior_overflows() -> None:
    network = model().eval()
    nn.init.constant_(network.encoder[-1].bias, 1e6)  # type: ignore[arg-type]
    assert network(torch.rand(2, 1, 16, 16))["log_variance"].exp().isfinite().all()


@given(seed=st.integers(0, 999))
def test_one_component_is_the_standard_normal_one(seed: int) -> None:
    made = Mixture(1, K)
    assert not any(parameter.requires_grad for parameter in made.parameters())
    mean, log_variance = posteriors(seed)
    expected = kl_divergence(normal(mean, log_variance), normal(torch.zeros(K), torch.zeros(K)))
    assert torch.allclose(made.divergence(mean, log_variance), expected, rtol=1e-4, atol=1e-5)
    image = torch.rand(6, 1, 4, 4)
    outputs = {"image": image, "code": mean, "log_variance": log_variance}
    own = elbo(ElboConfig(), None)({**outputs, "kl": made.divergence(mean, log_variance)}, {"image": image})
    assert torch.allclose(own["kl"], elbo(ElboConfig(), None)(outputs, {"image": image})["kl"], rtol=1e-4, atol=1e-5)


@settings(max_examples=10)
@given(seed=st.integers(0, 999), components=st.integers(2, 6))
def test_the_divergence_from_a_mixture_is_bounded(seed: int, components: int) -> None:
    """From above by what is computed, which is no more than the divergence from any one component, and its share."""
    made, (mean, log_variance) = mixture(components, seed), posteriors(seed)
    posterior = normal(mean, log_variance)
    draws = posterior.sample(torch.Size([8000]))
    true = (posterior.log_prob(draws) - as_distribution(made).log_prob(draws)).mean(0)
    bound = made.divergence(mean, log_variance)
    assert (bound > true - 0.2).all()  # the draws' own error
    parts = zip(made.mean, made.log_variance, made.logits.log_softmax(0), strict=True)
    each = torch.stack([kl_divergence(posterior, normal(m.expand(6, K), v.expand(6, K))) - w for m, v, w in parts])
    assert (bound <= each.amin(0) + 1e-3).all()


@pytest.mark.parametrize("components", [1, 5])
def test_new_codes_are_of_the_prior(components: int) -> None:
    made = mixture(components, 3) if components > 1 else Mixture(1, K)
    codes = made.draw(torch.randn(40_000, K + 1, generator=torch.Generator().manual_seed(0)))
    expected = as_distribution(made)
    assert torch.allclose(codes.mean(0), expected.mean, atol=0.05)
    assert torch.allclose(codes.var(0), expected.variance, rtol=0.06)
    extreme = torch.tensor([[0.0] * K + [40.0], [0.0] * K + [-40.0]])
    assert torch.allclose(made.draw(extreme), made.mean[[-1, 0]])


def test_the_prior_learns_and_muon_leaves_it_alone() -> None:
    network = model(components=3)
    matrices, rest = _muon_parameters(network, list(network.parameters()))
    own = {id(parameter) for parameter in network.mixture.parameters()}
    assert len(own) == 3 and own <= {id(parameter) for parameter in rest}
    assert len(matrices) > 5 and all(parameter.dim() > 1 for parameter in matrices)
    network(torch.rand(4, 1, 16, 16))["kl"].mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.mixture.parameters())

"""The two networks, what changes their images, and what they minimise."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.errors import UsageError
from dlkit_gan.augment import CHANGES, DifferentiableAugment
from dlkit_gan.dcgan import build
from dlkit_gan.losses import CrossEntropy, Hinge
from dlkit_gan.options import CrossEntropyConfig, DcganConfig, SpectralConfig


def info(size: int, channels: int = 1, judged: int = 0) -> Any:
    return SimpleNamespace(shape=(channels, size, size), judged=judged)


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize(("channels", "config"), [(1, DcganConfig(width=4)), (3, SpectralConfig(width=4, latent=7))])
def test_they_draw_and_judge(size: int, channels: int, config: DcganConfig) -> None:
    model: Any = build(config, info(size, channels))
    assert model.latents(5).shape == (5, config.latent + config.kinds)
    found = model(torch.zeros(5, channels, size, size))
    assert found["image"].shape == (5, channels, size, size) and found["image"].abs().max() <= 1
    assert found["real"].shape == found["fake"].shape == (5,)


def test_as_published() -> None:
    """Filters, batch norm and initial weights of DCGAN: none in the discriminator's first layer, none in the last."""
    model: Any = build(DcganConfig(), info(64, 3))
    widths = [m.out_channels for m in model.generator if isinstance(m, torch.nn.ConvTranspose2d)]
    assert widths == [256, 128, 64, 3]
    assert [m.num_features for m in model.generator if isinstance(m, torch.nn.BatchNorm2d)] == [512, 256, 128, 64]
    assert [m.num_features for m in model.discriminator if isinstance(m, torch.nn.BatchNorm2d)] == [128, 256, 512]
    filters = model.discriminator[2].weight
    assert float(filters.detach().std()) == pytest.approx(0.02, rel=0.02)


def test_kinds_are_as_far_from_each_other_as_numbers_are_long() -> None:
    torch.manual_seed(0)
    model: Any = build(SpectralConfig(width=4, latent=16, kinds=5), info(28))
    latents = model.latents(400)
    assert latents[:, :16].square().sum(1).mean() == pytest.approx(16, rel=0.1)
    kinds = latents[:, 16:]
    assert torch.equal(kinds.square().sum(1), torch.full((400,), 16.0))
    assert sorted(set(kinds.argmax(1).tolist())) == [0, 1, 2, 3, 4]
    noise, kind = latents[:, :16], kinds.argmax(1)
    assert torch.equal(model.joined(noise, kind), latents)
    plain: Any = build(DcganConfig(width=4), info(28))
    assert plain.joined(noise, kind) is noise


def test_what_is_drawn_beside_an_image_follows_from_it() -> None:
    """Outside training, in whatever batch; runs of before draw at random."""
    model: Any = build(SpectralConfig(width=4, latent=6, kinds=3), info(28, judged=10)).eval()
    images = torch.rand(5, 1, 28, 28)
    whole, reverse = model(images)["image"], model(images.flip(0))["image"].flip(0)
    torch.testing.assert_close(whole, reverse)
    assert not torch.allclose(whole[0], whole[1])
    torch.testing.assert_close(model(images[3:4])["image"], whole[3:4])
    random: Any = build(SpectralConfig(width=4, latent=6), info(28)).eval()
    assert not torch.allclose(random(images)["image"], random(images)["image"])


def test_spectral_norm_keeps_every_layer_at_one() -> None:
    model: Any = build(SpectralConfig(width=8), info(32))
    for _ in range(30):  # one step of power iteration each
        model.discriminator(torch.randn(4, 1, 32, 32))
    layers = [m for m in model.discriminator if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    assert len(layers) == 4
    for layer in layers:
        assert torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) == pytest.approx(1, abs=0.02)


def test_other_sizes_are_named() -> None:
    with pytest.raises(UsageError, match=r"48x48 pixels.*28x28, 32x32 and 64x64"):
        build(DcganConfig(), info(48))


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_changes_differ_by_image_and_let_gradients_through(name: str) -> None:
    torch.manual_seed(0)
    images = torch.rand(32, 3, 32, 32, requires_grad=True)
    changed = CHANGES[name](images)
    assert changed.shape == images.shape
    assert len({tuple((a - b).flatten()[:500].tolist()) for a, b in zip(changed, images, strict=True)}) > 20
    changed.sum().backward()
    assert images.grad is not None and float(images.grad.abs().sum()) > 0


@given(seed=st.integers(0, 2**31))
@settings(max_examples=10, deadline=None)
def test_a_translation_is_one(seed: int) -> None:
    """The same pixels at another place, at most four of 32 away; black where there were none."""
    torch.manual_seed(seed)
    images = torch.rand(4, 2, 32, 32)
    for before, after in zip(images, CHANGES["translation"](images), strict=True):
        padded = F.pad(before, (4, 4, 4, 4), value=-1)
        places = [(y, x) for y in range(9) for x in range(9)]
        assert any(torch.equal(after, padded[:, y : y + 32, x : x + 32]) for y, x in places)


def test_nothing_is_changed_in_evaluation() -> None:
    module = DifferentiableAugment(["brightness", "cutout"]).eval()
    images = torch.rand(2, 1, 28, 28)
    assert torch.equal(module(images), images)


def test_cross_entropy_is_the_courses() -> None:
    real, fake = torch.randn(50, dtype=torch.float64), torch.randn(50, dtype=torch.float64)
    loss = CrossEntropy(CrossEntropyConfig(smoothing=0.1), None)
    entropy = F.binary_cross_entropy_with_logits
    expected = entropy(real, torch.full_like(real, 0.9)) + entropy(fake, torch.zeros_like(fake))
    torch.testing.assert_close(loss.discriminator(real, fake), expected)
    torch.testing.assert_close(loss.generator(fake), entropy(fake, torch.ones_like(fake)))


def test_hinge_looks_at_the_margin_alone() -> None:
    loss = Hinge(None, None)
    assert loss.discriminator(torch.tensor([1.0, 5.0]), torch.tensor([-1.0, -9.0])) == 0
    assert loss.discriminator(torch.tensor([0.0]), torch.tensor([0.5])) == 2.5
    assert loss.generator(torch.tensor([2.0, 4.0])) == -3

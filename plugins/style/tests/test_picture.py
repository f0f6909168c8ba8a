"""The picture and its trainer: against arithmetic by hand, and what each option means."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import dlkit
from dlkit.data.weights import embedded_weights
from dlkit_style import networks
from dlkit_style.features import Features, gram, weighted
from dlkit_style.info import StyleInfo
from dlkit_style.losses import Perceptual
from dlkit_style.models import squeezenet, vgg19
from dlkit_style.options import PerceptualConfig, SqueezeNetConfig, Vgg19Config
from dlkit_style.picture import Picture
from dlkit_style.pixels import LUMA, halved, resized

TINY: dict[str, Any] = {
    "dataset": {"size": 64},
    "model": {"name": "squeezenet", "style_layers": ["relu1", "fire2:0.5"], "content_layers": ["fire3"], "levels": 2},
    "engine": {"steps": 8, "threads": 1, "eval_every": "4 steps", "sample_every": "end"},
    "trainer": {"history": 3},
}
"""A picture in a second."""


def scene(*sizes: tuple[int, int], blend: list[float] | None = None) -> StyleInfo:
    """Pictures of noise of these sizes (height, width), the first the content."""
    generator = np.random.default_rng(0)
    content, *styles = (generator.integers(0, 256, (3, *size), np.uint8) for size in sizes)
    shares = blend or [1 / len(styles)] * len(styles)
    return StyleInfo(content=content, styles=styles, blend=shares, names=["c", *"s" * len(styles)], size=64)


def small(info: StyleInfo, **options: Any) -> Picture:
    torch.manual_seed(0)
    layers = {"style_layers": ["relu1", "fire2"], "content_layers": ["fire3"]}
    return squeezenet(SqueezeNetConfig(**{**layers, **options}), info)


INFO = scene((48, 64), (40, 64))


def test_it_is_what_a_loop_written_by_hand_comes_to(tmp_path_factory: pytest.TempPathFactory) -> None:
    """torchvision's network, Gatys' formulas, torch's L-BFGS: the same picture, bit for bit."""
    workspace = tmp_path_factory.mktemp("style")
    one_size = {**TINY, "model": {**TINY["model"], "levels": 1}}
    run = dlkit.train("style", workspace=workspace, **one_size)
    model: Any = run.predictor("last").model
    info: Any = run.predictor("last").info
    torch.set_num_threads(1)
    from torchvision.models import squeezenet1_1

    network = squeezenet1_1(weights=None).features[:5].requires_grad_(False)
    network.load_state_dict({n.removeprefix("features.network.features."): t for n, t in model.state_dict().items()
                             if n.startswith("features.network.features.")})  # fmt: skip
    network.to(memory_format=torch.channels_last)  # as runs have it
    mean, std = (torch.tensor(values)[:, None, None] for values in networks.IMAGENET)

    def seen(image: Tensor) -> list[Tensor]:
        found = []
        image = (image[None] - mean) / std
        for number, module in enumerate(network):
            image = module(image)
            if number in (1, 3, 4):
                found.append(image)
        return found

    def correlations(maps: Tensor) -> Tensor:
        flat = maps.flatten(2)
        return flat @ flat.mT / flat.shape[2]

    content, style = (torch.from_numpy(values).float() / 255 for values in (info.content, info.styles[0]))
    wanted_content = seen(content)[2]
    wanted_style = [correlations(maps) for maps in seen(style)[:2]]
    pixels = content.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([pixels], 1.0, max_iter=1, history_size=3, tolerance_grad=0, tolerance_change=0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        *maps, last = seen(pixels)
        content_loss = F.mse_loss(last, wanted_content) / wanted_content.square().mean()
        style_loss = sum(
            share * (F.mse_loss(correlations(found), wanted) / wanted.square().mean())
            for share, found, wanted in zip((1 / 1.5, 0.5 / 1.5), maps, wanted_style, strict=True)
        )
        outside = (pixels - pixels.clamp(0, 1)).square().mean()
        loss = content_loss + run.config["loss"]["style_weight"] * style_loss + 10 * outside
        loss.backward()
        found: Tensor = loss.detach()
        return found

    for _ in range(8):
        optimizer.step(closure)
    assert torch.equal(pixels.detach(), model.pixels[0])


def test_the_content_is_no_distance_from_itself_and_a_style_none_from_itself() -> None:
    info = scene((48, 64), (48, 64))
    same = StyleInfo(**{**info.model_dump(), "styles": [info.content]})
    with torch.no_grad():
        found = small(same).eval()(torch.zeros(1, 3, 48, 64))
    assert all(float(value) < 1e-9 for kind in ("content", "style") for value in found[kind].values())


def test_a_picture_of_nothing_is_as_far_as_one() -> None:
    """Relative distances: maps of zeros are at 1, whatever the network and its layers."""
    maps = torch.rand(1, 4, 5, 6)
    from dlkit_style.pixels import distance

    assert float(distance(torch.zeros_like(maps), maps)) == pytest.approx(1)
    assert float(distance(gram(torch.zeros_like(maps)), gram(maps))) == pytest.approx(1)


def test_several_styles_are_blended_by_what_they_count() -> None:
    info = scene((48, 64), (40, 64), (32, 64), blend=[0.25, 0.75])
    both = small(info)
    alone = [small(StyleInfo(**{**info.model_dump(), "styles": [style], "blend": [1.0]})) for style in info.styles]
    aims = both._aims((48, 64)).style
    each = [picture._aims((48, 64)).style for picture in alone]
    for layer in ("relu1", "fire2"):
        torch.testing.assert_close(aims[layer], 0.25 * each[0][layer] + 0.75 * each[1][layer])


def test_with_the_contents_colours_only_lightness_changes() -> None:
    picture = small(INFO, colours="content").train()
    assert picture.pixels[0].shape == (1, 48, 64)
    torch.testing.assert_close(picture.image(), picture.content, atol=1e-6, rtol=0)
    with torch.no_grad():
        picture.pixels[0].copy_(0.5 + 0.1 * torch.randn(1, 48, 64))
    difference = picture._coloured(picture.pixels[0].detach(), (48, 64))[0] - picture.content
    assert float((difference - difference[:1]).abs().max()) < 1e-6, "the same is added to red, green and blue"
    luma = (picture.content + difference).mul(torch.tensor(LUMA)[:, None, None]).sum(0)
    torch.testing.assert_close(luma, picture.pixels[0][0].detach(), atol=1e-5, rtol=0)


def test_where_it_begins() -> None:
    content, style, noise = (small(INFO, start=start).image() for start in ("content", "style", "noise"))
    assert torch.equal(content, small(INFO).content)
    assert style.shape == content.shape and not torch.equal(style, content)
    assert noise.shape == content.shape and abs(float(noise.mean()) - 0.5) < 0.02
    # The middle of the style, at the content's size.
    whole = torch.from_numpy(INFO.styles[0]).float() / 255
    assert torch.allclose(style, resized(whole, (48, 77))[:, :, 6:70].clamp(0, 1), atol=1e-6)


def test_pixels_are_not_the_content_itself() -> None:
    picture = small(INFO)
    with torch.no_grad():
        picture.pixels[0].zero_()
    assert float(picture.content.sum()) > 0


def test_levels_rise_and_evaluation_sees_the_full_size() -> None:
    picture = small(INFO, levels=3)
    assert picture.sizes == [(12, 16), (24, 32), (48, 64)] and int(picture.level) == 2
    picture.rise(0)
    assert picture.train()(torch.zeros(1, 3, 48, 64))["image"].shape == (1, 3, 12, 16)
    assert picture.eval()(torch.zeros(1, 3, 48, 64))["image"].shape == (1, 3, 48, 64)
    with torch.no_grad():
        picture.pixels[0].fill_(0.25)
    picture.rise(1)
    torch.testing.assert_close(picture.pixels[1].detach(), torch.full((3, 24, 32), 0.25))


def test_what_was_computed_by_other_weights_is_forgotten() -> None:
    one, other = (
        small(INFO),
        squeezenet(SqueezeNetConfig(style_layers=["relu1", "fire2"], content_layers=["fire3"]), INFO),
    )
    given_ = torch.zeros(1, 3, 48, 64)
    other.eval()(given_)
    other.load_state_dict(one.state_dict())
    for kind in ("content", "style"):
        ones, others = (picture.eval()(given_)[kind] for picture in (one, other))
        assert ones.keys() == others.keys() and all(torch.equal(ones[name], others[name]) for name in ones)


def test_the_network_never_trains() -> None:
    picture = small(INFO).train()
    assert picture.training and not any(module.training for module in picture.features.modules())
    assert not any(parameter.requires_grad for parameter in picture.features.parameters())


def test_it_is_looked_at_from_several_places() -> None:
    picture = small(INFO, places=4)
    image = picture.pixels[0].detach()
    seen = picture._seen(image)
    assert seen.shape == (4, 3, 47, 63)
    for one, (y, x) in zip(seen, ((0, 0), (1, 1), (0, 1), (1, 0)), strict=True):
        assert torch.equal(one, image[:, y : y + 47, x : x + 63])
    with torch.no_grad():
        found = picture.eval()(torch.zeros(1, 3, 48, 64))
    assert found["image"].shape == (1, 3, 48, 64) and float(found["content"]["fire3"]) < 1e-9


def test_correlations_are_means_over_all_places() -> None:
    maps = torch.rand(3, 4, 5, 6)
    flat = maps.movedim(1, 0).flatten(1)
    torch.testing.assert_close(gram(maps), flat @ flat.T / flat.shape[1])


def test_the_network_that_comes_with_dlkit() -> None:
    from dlkit.nn import backbone

    whole, network = backbone.embedded().eval(), networks.embedded()
    weights = embedded_weights()
    assert weights is not None and network.names[:3] == ["stage1_1", "stage2_1", "stage2_2"]
    whole.load_state_dict(weights, strict=False)
    image = torch.rand(1, 3, 64, 64)
    found = network.eval()(image, ["stage1_1", "stage2_2", "stage3_2", "stage4_2"])
    with torch.no_grad():
        assert all(torch.equal(one, other) for one, other in zip(found.values(), whole(image), strict=True))


def test_only_what_is_looked_at_is_kept() -> None:
    torch.manual_seed(0)
    picture = vgg19(Vgg19Config(style_layers=["conv1_1", "relu1_1"], content_layers=["relu2_1"]), INFO)
    assert [name for name in picture.state_dict() if "features" in name] == [
        f"features.network.features.{number}.{kind}" for number in (0, 2, 5) for kind in ("weight", "bias")
    ]


def test_a_map_is_not_written_over_by_what_follows() -> None:
    torch.manual_seed(0)
    features = Features(networks.vgg19("random", "max"), ["conv1_1", "relu1_1"], *networks.IMAGENET)
    maps = features(torch.rand(1, 3, 16, 16))
    assert float(maps["conv1_1"].min()) < 0 and torch.equal(maps["conv1_1"].relu(), maps["relu1_1"])


def test_layers_have_torchvisions_weights() -> None:
    """By name: what comes out is what torchvision's own network gives there."""
    from torchvision.models import squeezenet1_1
    from torchvision.models import vgg19 as published

    image = torch.rand(1, 3, 40, 40)
    for network, whole, where in (
        (networks.squeezenet("random"), squeezenet1_1(weights=None), {"relu1": 1, "pool3": 5, "fire9": 12}),
        (networks.vgg19("random", "max"), published(weights=None), {"relu1_2": 3, "pool2": 9, "relu4_2": 22}),
    ):
        whole.load_state_dict({**whole.state_dict(), **network.state_dict()})
        found = network(image, list(where))
        for name, number in where.items():
            assert torch.equal(found[name], whole.features[: number + 1](image)), name


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1000), min_size=1))
def test_what_layers_count_adds_up_to_one(weights: dict[str, float]) -> None:
    if sum(weights.values()) < 1e-3:
        return
    found = weighted([f"{name}:{weight:f}" for name, weight in weights.items()], "abcdef", "style_layers")
    assert sum(found.values()) == pytest.approx(1) and found.keys() == weights.keys()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 4096), st.integers(1, 4096), st.integers(0, 8))
def test_levels_keep_proportions(height: int, width: int, times: int) -> None:
    small_height, small_width = halved(height, width, times)
    assert abs(small_height - height / 2**times) <= 0.5 or small_height == 1
    assert abs(small_width - width / 2**times) <= 0.5 or small_width == 1


def test_total_variation_and_values_out_of_range_are_part_of_the_loss() -> None:
    pixels = torch.tensor([[[0.0, 1.0], [0.5, 2.0]]])
    outputs = {"pixels": pixels, "content": {"a": torch.tensor(0.5)}, "style": {"b": torch.tensor(0.25)}}
    found = Perceptual(PerceptualConfig(content_weight=2, style_weight=4, smoothness=1), INFO)(outputs, {})
    variation = (1.0 + 1.5**2) / 2 + (0.5**2 + 1.0) / 2
    assert float(found["smoothness_loss"]) == pytest.approx(variation)
    assert float(found["loss"]) == pytest.approx(2 * 0.5 + 4 * 0.25 + variation + 10 * 1.0 / 4)

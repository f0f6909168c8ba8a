"""Models: shapes for images of any size, what cannot be built, boxes in full precision, and that they learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from dlkit.config import Config
from dlkit.errors import UsageError
from dlkit_localization import lenet, spotlight
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.losses import with_overlap
from dlkit_localization.options import IouConfig, LenetConfig, LenetReluConfig, LenetWideConfig, SpotlightConfig
from dlkit_localization.spotlight import Spotlight

SMALL: dict[str, Config] = {
    "lenet": LenetConfig(channels=[4, 8], hidden=[16]),
    "lenet-relu": LenetReluConfig(channels=[4, 8], hidden=[16]),
    "lenet-wide": LenetWideConfig(channels=[4, 8, 8], hidden=[16], dropout=0.1),
    "spotlight": SpotlightConfig(stem_width=8, widths=[16, 16], blocks=[1, 0], neck=16, dropout=0.1),
}


def info(channels: int = 1, height: int = 48, width: int = 60, classes: int = 10) -> LocalizationInfo:
    names = [str(number) for number in range(classes)]
    one = np.ones(channels, np.float32)
    return LocalizationInfo(classes=names, shape=(channels, height, width), mean=one, std=one)


def build(config: Any, about: LocalizationInfo) -> nn.Module:
    return spotlight.build(config, about) if isinstance(config, SpotlightConfig) else lenet.build(config, about)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("shape", [(1, 48, 60), (3, 33, 47), (1, 64, 24)])
def test_outputs_are_presence_box_and_classes(name: str, shape: tuple[int, int, int]) -> None:
    about = info(*shape, classes=7)
    outputs = build(SMALL[name], about)(torch.randn(2, *shape))
    assert outputs.shape == (2, 5 + 7) and outputs.dtype == torch.float32 and outputs.isfinite().all()


@pytest.mark.parametrize("name", SMALL)
def test_boxes_are_in_full_precision_under_autocast(name: str) -> None:
    """bf16 has eight bits: of a box's numbers, all would be multiples of 2⁻⁸ or coarser."""
    model = build(SMALL[name], info()).eval()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        outputs = model(torch.randn(50, 1, 48, 60))
    assert outputs.dtype == torch.float32
    assert (outputs[:, 1:5].to(torch.bfloat16).float() != outputs[:, 1:5]).float().mean() > 0.9


def test_the_first_lenet_is_the_classic_one() -> None:
    model = build(LenetConfig(), info(1, 32, 32, classes=5))
    kinds = [type(layer).__name__ for layer in model.modules() if not list(layer.children())]
    assert kinds == [
        *("Conv2d", "Tanh", "AvgPool2d"), *("Conv2d", "Tanh", "AvgPool2d"), "Flatten",
        *("Linear", "Tanh"), *("Linear", "Tanh"), "Linear",
    ]  # fmt: skip
    # 6 and 16 filters of 5×5 on 32×32 leave 16×5×5; then 120, 84 and the outputs.
    assert sum(p.numel() for p in model.parameters()) == 156 + 2416 + 48120 + 10164 + 850


def test_images_too_small_for_a_lenet_are_refused() -> None:
    with pytest.raises(UsageError, match=r"images of 12x60 pixels are too small for model\.channels"):
        build(LenetConfig(), info(1, 12, 60))


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="one entry a stage"):
        SpotlightConfig(widths=[8, 8], blocks=[1])


def test_a_spotlight_reads_each_side_off_its_own_map() -> None:
    model = Spotlight(SpotlightConfig(stem_width=8, widths=[8, 8], blocks=[0, 0], neck=8), info())
    assert model.step == pytest.approx((4 / 60, 4 / 48))
    height, width = 12, 15
    weights, offsets = torch.zeros(1, 4, height * width), torch.randn(1, 4, height * width)
    sides = {"left": (5, 2, -0.25), "top": (1, 4, 0.5), "right": (6, 9, 0.0), "bottom": (10, 3, 0.125)}
    for number, (row, column, offset) in enumerate(sides.values()):
        weights[0, number, row * width + column] = 1
        offsets[0, number, row * width + column] = offset
    x, y, across, down = model._box(weights, offsets, (height, width))[0].tolist()
    found = [60 * (x - across / 2), 48 * (y - down / 2), 60 * (x + across / 2), 48 * (y + down / 2)]
    assert found == pytest.approx([4 * (2.5 - 0.25), 4 * (1.5 + 0.5), 4 * 9.5, 4 * (10.5 + 0.125)], abs=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_it_learns_a_few_images(name: str) -> None:
    torch.manual_seed(0)
    model, loss = build(SMALL[name], info(1, 32, 32, classes=2)), with_overlap(IouConfig(), None)
    images, boxes = torch.zeros(12, 1, 32, 32), torch.zeros(12, 4)
    for i in range(12):
        x, y = 2 * i % 20, 5 * i % 20
        if i % 4:
            images[i, 0, y : y + 10, x : x + 10] = 1.0 + i % 2
            boxes[i] = torch.tensor([x + 5, y + 5, 10, 10]) / 32
    label = torch.arange(12) % 2
    there = torch.arange(12) % 4 > 0
    batch = {"image": images, "present": there.float(), "box": boxes, "label": torch.where(there, label, -1)}
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)
    values = []
    for _ in range(40):
        optimizer.zero_grad()
        value = loss(model(images), batch)["loss"]
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        values.append(float(value.detach()))
    assert values[-1] < 0.5 * values[0]

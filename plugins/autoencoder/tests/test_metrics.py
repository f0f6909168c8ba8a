"""What is measured does not depend on batches or processes, and says what it says it does."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from dlkit_autoencoder.metrics import SOME, AutoencoderMetrics, psnr


def pair(count: int, seed: int) -> tuple[Tensor, Tensor]:
    made = torch.Generator().manual_seed(seed)
    image = torch.rand(count, 1, 4, 4, generator=made)
    return image, image + 0.1 * torch.randn(image.shape, generator=made)


def outputs(found: Tensor, code: int = 2) -> dict[str, Tensor]:
    return {"image": found, "code": torch.zeros(len(found), code)}


@given(cuts=st.lists(st.integers(0, 40), max_size=4), seed=st.integers(0, 99))
def test_batches_and_processes_do_not_matter(cuts: list[int], seed: int) -> None:
    image, found = pair(40, seed)
    bounds = [0, *sorted(cuts), 40]
    parts = [slice(a, b) for a, b in pairwise(bounds) if a < b]
    measures = [AutoencoderMetrics() for _ in range(2)]
    for i, part in enumerate(parts):
        measures[i % 2].update(outputs(found[part]), {"image": image[part]})
    kept: list[list[Tensor | None]] = [[], []]
    for measure, seen in zip(measures, kept, strict=True):
        measure.reduce(lambda value, seen=seen: seen.append(value))  # type: ignore[misc]
    sums = [None if a is b is None else sum(v for v in (a, b) if v is not None) for a, b in zip(*kept, strict=True)]
    order = iter(sums)
    measures[0].reduce(lambda _: next(order))  # type: ignore[arg-type,return-value]
    values = measures[0].compute()
    expected = float(np.square((found - image).numpy(), dtype=np.float64).mean())
    assert values["mse"] == pytest.approx(expected, rel=1e-5)
    assert values["psnr"] == pytest.approx(-10 * math.log10(expected), rel=1e-5)
    assert values["compression_ratio"] == 8 and values.keys() == {"mse", "psnr", "compression_ratio"}


def test_nothing_seen_and_nothing_lost() -> None:
    assert AutoencoderMetrics().compute() == {}
    measure, (image, _) = AutoencoderMetrics(), pair(3, 0)
    measure.update(outputs(image), {"image": image})
    assert measure.compute() == {"mse": 0.0, "compression_ratio": 8.0}
    assert psnr(0) == math.inf and psnr(0.01) == pytest.approx(20) and psnr(1) == 0


class Halves(nn.Module):
    """Sees images darkened by 0.5 and gives back half of the loss."""

    calls = 0

    def corrupted(self, image: Tensor) -> Tensor:
        return image - 0.5

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        self.calls += 1
        return outputs(image + 0.25)


@pytest.mark.parametrize("thorough", [False, True])
def test_a_denoising_model_is_asked_about_some_while_it_trains_and_about_all_after(thorough: bool) -> None:
    measure, model = AutoencoderMetrics(), Halves()
    for _ in range(3):
        image = torch.rand(SOME // 2, 1, 2, 2)
        measure.update(outputs(image), {"image": image})
        measure.ask(model, {"image": image}, thorough)
    assert model.calls == (3 if thorough else 2)
    values = measure.compute()
    assert values["psnr_corrupted"] == pytest.approx(psnr(0.25), rel=1e-4)
    assert values["psnr_restored"] == pytest.approx(psnr(0.0625), rel=1e-4)


def test_other_models_are_not_asked() -> None:
    measure, (image, found) = AutoencoderMetrics(), pair(3, 0)
    measure.update(outputs(found), {"image": image})
    measure.ask(nn.Identity(), {"image": image}, True)
    assert "psnr_restored" not in measure.compute()

"""What is judged: always the same images, as many as were asked for, however a split is cut."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dlkit.data.context import Context
from dlkit.task import OverRanks
from dlkit_gan.datasets.digits import build
from dlkit_gan.dcgan import build as build_model
from dlkit_gan.info import GanInfo
from dlkit_gan.metrics import GanMetrics
from dlkit_gan.options import JUDGED, DigitsConfig, SpectralConfig

SOME = 300


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> GanInfo:
    data = build(DigitsConfig(size=28, judged=SOME), Context(tmp_path_factory.mktemp("data"), offline=True))
    return GanInfo.model_validate(data.info)


@pytest.fixture(scope="module")
def model(info: GanInfo) -> Any:
    torch.manual_seed(0)
    return build_model(SpectralConfig(width=2, latent=4), info).eval().requires_grad_(False)


def measured(info: GanInfo, model: Any, parts: list[torch.Tensor]) -> GanMetrics:
    metrics = GanMetrics(info)
    for images in parts:
        batch = {"image": images}
        metrics.update(model(images), batch)
        metrics.ask(model, batch, thorough=False)
    return metrics


def test_so_many_are_drawn_whatever_there_is_to_compare_with(info: GanInfo, model: Any) -> None:
    images = torch.rand(12, 1, 28, 28) * 2 - 1
    whole, parts = measured(info, model, [images]), measured(info, model, list(images.split(5)))
    assert whole.drawn.moments.count == parts.drawn.moments.count == SOME and parts.real.count == 12
    assert parts.compute() == pytest.approx(whole.compute(), rel=1e-6)


def test_what_another_process_draws_too_counts_once(info: GanInfo, model: Any) -> None:
    """Each draws all of them at its first batch; one that had none draws nothing."""
    images = torch.rand(12, 1, 28, 28) * 2 - 1
    second = measured(info, model, [images])
    second.reduce(OverRanks(lambda tensor: torch.tensor([1, 1]) if _is_flags(tensor) else tensor, 1, 2))
    assert second.drawn.moments.count == 0 and second.real.count == 12
    only = measured(info, model, [images])
    only.reduce(OverRanks(lambda tensor: torch.tensor([0, 1]) if _is_flags(tensor) else tensor, 1, 2))
    assert only.drawn.moments.count == SOME


def _is_flags(tensor: torch.Tensor | None) -> bool:
    return tensor is not None and tensor.dtype == torch.int64 and tensor.shape == (2,)


def test_runs_of_before_compare_as_many_as_there_are(info: GanInfo, model: Any) -> None:
    earlier = info.model_copy(update={"judged": 0, "side": 0})
    assert measured(earlier, model, [torch.rand(12, 1, 28, 28)]).drawn.moments.count == 12


def test_how_far_figures_can_be_trusted_is_said(tmp_path: Path) -> None:
    data = build(DigitsConfig(), Context(tmp_path, offline=True))
    assert JUDGED == data.info["judged"] == 5000
    assert any("5,000 drawn images" in note for note in data.notes)
    assert any("99.67% of scikit-learn's" in note for note in data.notes)
    resumed = SimpleNamespace(judge=data.info["judge"], side=0, accuracy=None)
    again = build(DigitsConfig(judged=0), Context(tmp_path, offline=True, earlier=lambda: resumed))
    assert (again.info["side"], again.info["judged"]) == (0, 0) and not any("judge" in note for note in again.notes)

"""Pictures that are looked at through the network of an earlier run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import dlkit
from dlkit.engine.checkpoint import tensors_of
from dlkit.errors import UsageError
from dlkit.runs.checkpoints import choose
from dlkit_style.observed import Observed, usual_layers

QUICK: dict[str, Any] = {"steps": 4, "threads": 1, "eval_every": "2 steps", "sample_every": "never"}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> dlkit.Run:
    """A network of grey digits."""
    engine = {"epochs": 1, "limit_batches": 2, "threads": 1}
    return dlkit.train("classification", workspace=tmp_path_factory.mktemp("digits"), model="cnn", engine=engine)


def painted(digits: dlkit.Run, **model: Any) -> dlkit.Run:
    return dlkit.train(
        "style",
        workspace=digits.path.parent.parent,
        dataset={"size": 48, "network": digits.id},
        model={"name": "run", "levels": 1, **model},
        engine=QUICK,
    )


def test_its_weights_are_the_runs(digits: dlkit.Run) -> None:
    run = painted(digits)
    model: Any = run.predictor("last").model
    asked: Any = digits.predictor("best").model
    own, theirs = model.features.network.whole.state_dict(), asked.state_dict()
    assert own.keys() == theirs.keys() and all(torch.equal(own[name], theirs[name]) for name in own)
    assert run.history("val/style_loss")[1][-1] < run.history("train/style_loss")[1][0]


def test_the_earlier_run_may_be_gone(
    digits: dlkit.Run, tmp_path: Path, pictures: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    run = painted(digits)
    (tmp_path / "runs").mkdir()
    shutil.copytree(run.path, tmp_path / "runs" / run.path.name)
    (alone,) = dlkit.list_runs(tmp_path)
    (answer,) = alone.predictor("last")(str(pictures("other.png")))
    assert answer["steps"] == 4
    resumed, further = (one.resume(steps=8) for one in (alone, run))
    assert choose(resumed.path, "last").sha256 == choose(further.path, "last").sha256


def test_layers_by_the_names_of_modules(digits: dlkit.Run) -> None:
    network: Any = digits.predictor("best").model
    first = next(name for name, module in network.named_modules() if isinstance(module, nn.Conv2d))
    run = painted(digits, content_layers=[first], style_layers=[f"{first}:2"])
    assert run.history(f"train/style_loss/{first}")[1] == run.history("train/style_loss")[1]
    assert all("features" not in name for name in tensors_of(choose(run.path, "last"), "model.safetensors"))
    with pytest.raises(UsageError, match=rf"no layer 'nowhere'.*{first.partition('.')[0]}"):
        painted(digits, style_layers=["nowhere"])


def test_what_cannot_be_looked_through_is_named(digits: dlkit.Run, tmp_path: Path) -> None:
    workspace = digits.path.parent.parent
    table = dlkit.train("regression", workspace=workspace, engine={"epochs": 1, "limit_batches": 1})
    for network, message in (
        (table.id, "of task 'regression', whose network is not given images"),
        ("nobody", "nobody"),
    ):
        with pytest.raises(UsageError, match=message):
            dlkit.train("style", workspace=workspace, dataset={"network": network}, model="run", engine=QUICK)
    with pytest.raises(UsageError, match="name the run whose network it is"):
        dlkit.train("style", workspace=tmp_path, model="run", engine=QUICK)


def test_a_network_is_left_where_the_last_layer_is_reached() -> None:
    after = nn.Conv2d(4, 4, 3)
    network = Observed(nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Sequential(after)))
    network.cut(["0", "1"])
    seen: list[int] = []
    after.register_forward_hook(lambda *_: seen.append(1))
    maps = network(torch.randn(1, 1, 8, 8), ["0", "1"])
    assert not seen and torch.equal(maps["0"].relu(), maps["1"]) and float(maps["0"].detach().min()) < 0
    assert usual_layers(network) == (["2.0"], ["0", "2.0"])


def test_a_network_without_convolutions_has_no_maps() -> None:
    with pytest.raises(UsageError, match="no convolutions"):
        usual_layers(Observed(nn.Sequential(nn.Flatten(), nn.Linear(4, 4))))


def test_a_layer_that_gives_no_maps_is_named() -> None:
    network = Observed(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten()))
    network.cut(["0", "1"])
    with pytest.raises(UsageError, match=r"layer 1 of the run's network gives no maps \[N,C,H,W\]"):
        network(torch.zeros(1, 1, 8, 8), ["0", "1"])


def test_grey_networks_are_given_lightness() -> None:
    from dlkit_style.pixels import LUMA, luma

    image = torch.rand(2, 3, 4, 5)
    expected = sum(part * image[:, [i]] for i, part in enumerate(LUMA))
    np.testing.assert_allclose(luma(image).numpy(), np.asarray(expected), rtol=1e-6)

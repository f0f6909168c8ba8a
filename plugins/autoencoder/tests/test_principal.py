"""Principal components of the training images, and what is lost on the way through them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.data.context import Context
from dlkit.runs.folder import RunFolder
from dlkit.use.load import load_predictor
from dlkit_autoencoder import principal as module
from dlkit_autoencoder.datasets.digits import build
from dlkit_autoencoder.metrics import AutoencoderMetrics
from dlkit_autoencoder.options import DigitsConfig
from dlkit_autoencoder.principal import Pixels, principal


def images(count: int, seed: int, side: int = 6) -> Pixels:
    """With a few directions that hold most, as pictures have."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(count, 8)) * 2.0 ** -np.arange(8) @ rng.normal(size=(8, side * side))
    return np.clip(128 + 40 * mixed, 0, 255).astype(np.uint8).reshape(count, 1, side, side)


@settings(deadline=None, max_examples=20)
@given(count=st.integers(20, 60), code=st.integers(1, 12), seed=st.integers(0, 99), large=st.booleans())
def test_what_is_lost_is_what_scikit_learns_pca_loses(count: int, code: int, seed: int, large: bool) -> None:
    train, val = images(count, seed), images(30, seed + 100)
    with pytest.MonkeyPatch.context() as patch:
        if large:  # by subspace iteration
            patch.setattr(module, "_WHOLE", 8)
        reference = principal(train, 12)
    assert reference.shape == (13, 36) and reference.dtype == np.float32
    assert reference[1:] @ reference[1:].T == pytest.approx(np.eye(12), abs=1e-4)
    flat, asked = (part.reshape(len(part), -1) / 255 for part in (train, val))
    theirs = PCA(code, svd_solver="full").fit(flat)
    expected = float(((theirs.inverse_transform(theirs.transform(asked)) - asked) ** 2).mean())
    measure = AutoencoderMetrics(reference)
    for part in torch.split(torch.from_numpy(val).float() / 255, 7):
        measure.update({"image": part, "code": torch.zeros(len(part), code)}, {"image": part})
    assert measure.compute()["pca_mse"] == pytest.approx(expected, rel=0.02 if large else 1e-3, abs=1e-7)


def test_there_are_as_many_as_there_can_be() -> None:
    assert principal(images(4, 0), 64).shape == (4, 36)
    reference = principal(images(40, 0), 5)
    image = torch.rand(3, 1, 6, 6)
    measure = AutoencoderMetrics(reference)
    measure.update({"image": image, "code": torch.zeros(3, 6)}, {"image": image})
    assert "pca_mse" not in measure.compute(), "the code is longer"


def test_who_goes_on_keeps_what_it_began_with(tmp_path: Path) -> None:
    made = build(DigitsConfig(), Context(tmp_path))
    assert made.info["principal"].shape == (65, 28 * 28)
    assert build(DigitsConfig(reference=0), Context(tmp_path)).info.get("principal") is None

    class Earlier:
        principal = None

    again = build(DigitsConfig(), Context(tmp_path, earlier=lambda: Earlier()))  # type: ignore[arg-type,return-value]
    assert again.info.get("principal") is None, "a run of before there was such a thing"


def test_a_linear_autoencoder_comes_close_and_cannot_pass(tmp_path: Path) -> None:
    workspace = str(tmp_path)
    words = ["train", "autoencoder", "--model", "linear", "--model.code", "6", "--epochs", "60", "--device", "cpu",
             "--engine.sample-every", "never", "--workspace", workspace, "--quiet"]  # fmt: skip
    assert main(words) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    told = json.loads((folder / "run.json").read_text())["result"]["metrics"]
    assert 0.98 < told["val/mse"] / told["val/pca_mse"] < 1.1
    loaded = load_predictor(Catalog.load_everything(), RunFolder(folder))
    assert np.asarray(loaded.predictor.info.principal).shape == (65, 28 * 28)
    assert main(["evaluate", "last", "--workspace", workspace]) == 0

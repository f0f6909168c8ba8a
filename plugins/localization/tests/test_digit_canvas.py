"""Canvases as batches: the contract, the pinned default, what the options change, and which source ``auto`` means."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import dlkit
from dlkit.config_file import read_toml
from dlkit.data.context import Context
from dlkit.data.encoding import Encoding
from dlkit.data.splits import Data, Split
from dlkit.errors import DataError, UsageError
from dlkit.task import check_columns, first_batch
from dlkit_localization.datasets import digit_canvas
from dlkit_localization.info import LocalizationInfo
from dlkit_localization.options import DigitCanvasConfig
from dlkit_localization.outputs import corners
from dlkit_localization.task import Localization

FEW = {"train": 300, "val": 100, "test": 100}


def build(context: Context, **options: Any) -> Data:
    return digit_canvas.build(DigitCanvasConfig(**{**FEW, **options}), context)


def pixels(data: Data, split: Split) -> np.ndarray[Any, Any]:
    info = LocalizationInfo.model_validate(data.info)
    return Encoding(info.mean, info.std).pixels(first_batch(split, 9999)["image"])


def digest(data: Data, part: str) -> str:
    """Of the first 100 canvases: pixels, corners of boxes in whole pixels, labels."""
    split = data.splits[part]
    batch = first_batch(split, 100)
    content = hashlib.sha256(pixels(data, split)[:100].tobytes())
    content.update(corners(batch["box"], 48, 60).round().to(torch.int16).numpy().tobytes())
    content.update(batch["label"].numpy().tobytes())
    return content.hexdigest()


def test_the_contract_holds(context: Context) -> None:
    data = build(context)
    info = LocalizationInfo.model_validate(data.info)
    assert info.classes == list("0123456789") and info.shape == (1, 48, 60)
    for split in data.splits.values():
        batch = first_batch(split, 50)
        check_columns(Localization.batch, batch, "digit-canvas")
        there = batch["label"] >= 0
        assert torch.equal(batch["present"], there.float())
        assert not batch["box"][~there].any()
        assert ((batch["box"][there] > 0) & (batch["box"][there] < 1)).all()
    image = first_batch(data.train, 300)["image"]
    assert abs(float(image.mean())) < 1e-3 and abs(float(image.std()) - 1) < 1e-3


def test_the_default_canvas_is_this_one(context: Context) -> None:
    """Whoever changes this changes every figure measured on it."""
    data = build(context)
    assert digest(data, "train") == "48081201f51322e4871cef15d391d0ee7ac56038cadcd06b82a09b00f3d60891"
    assert digest(data, "val") == "7fbe2ac0288707ab653cbbacf054625b0ef63cd00d220a6a9d36a2b8bd693a13"
    assert digest(data, "test") == "773f75b8b93faaad03ead08d5ed64682310131dee4896e9005c0b0d8e6228cd3"


def test_counts_and_the_sources_default_ones(context: Context) -> None:
    data = digit_canvas.build(DigitCanvasConfig(), context)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 8000, "val": 1000, "test": 1000}
    present: Tensor = data.train.columns["present"]  # type: ignore[attr-defined]
    assert float(present.mean()) == pytest.approx(0.85, abs=0.01)
    labels: Tensor = data.train.columns["label"]  # type: ignore[attr-defined]
    assert torch.bincount(labels[labels >= 0], minlength=10).min() > 500


def test_a_box_is_tight_around_its_digit(context: Context) -> None:
    data = build(context, noise=0.0)
    batch = first_batch(data.train, 100)
    boxes = corners(batch["box"], 48, 60)
    for picture, box, present in zip(pixels(data, data.train), boxes, batch["present"].tolist(), strict=False):
        rows, columns = np.nonzero(picture > 40)
        assert bool(present) == bool(len(rows))
        if present:
            tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert box.tolist() == pytest.approx(tight, abs=1e-3)


def test_options_of_the_canvas(context: Context) -> None:
    data = build(context, height=64, width=50, empty=0.5, scale=(1.0, 1.0), angle=0.0, noise=0.1, canvas_seed=3)
    assert first_batch(data.train, 1)["image"].shape == (1, 1, 64, 50)
    assert float(first_batch(data.train, 300)["present"].mean()) == pytest.approx(0.5, abs=0.1)
    heights = corners(first_batch(data.train, 300)["box"], 64, 50)
    assert (heights[:, 3] - heights[:, 1]).max() <= 20.5
    assert data.fingerprint() != build(context, height=64, width=50, empty=0.5, canvas_seed=4).fingerprint()
    assert build(context).fingerprint() == build(context).fingerprint()


def test_what_does_not_fit_is_refused(context: Context) -> None:
    with pytest.raises(UsageError, match=r"40 × 60 pixels is too small"):
        build(context, height=40)
    with pytest.raises(ValueError, match="scale goes from the lowest"):
        DigitCanvasConfig(scale=(1.3, 0.7))


def test_splits_share_no_digit(context: Context) -> None:
    data = build(context, noise=0.0, angle=0.0, scale=(1.0, 1.0), empty=0.0)
    seen: dict[str, set[bytes]] = {}
    for name, split in data.splits.items():
        boxes = corners(first_batch(split, 9999)["box"], 48, 60).round().int().tolist()
        seen[name] = {
            picture[y1:y2, x1:x2].tobytes()
            for picture, (x1, y1, x2, y2) in zip(pixels(data, split), boxes, strict=True)
        }
    assert not seen["train"] & seen["val"] and not seen["train"] & seen["test"] and not seen["val"] & seen["test"]


def test_mnist_that_is_asked_for_and_absent_is_missing(context: Context) -> None:
    with pytest.raises(DataError, match="mnist"):
        build(context, source="mnist")


def test_auto_says_what_it_took_and_a_run_keeps_it(context: Context, tmp_path: Path) -> None:
    data = build(context)
    assert data.resolved_options["source"] == "digits" and "scikit-learn" in data.notes[0]
    run = dlkit.train(
        "localization",
        dataset={"name": "digit-canvas", **FEW},
        model={"name": "lenet", "channels": [4], "hidden": [8]},
        epochs=1,
        device="cpu",
        workspace=tmp_path / "workspace",
    )
    kept = dict(read_toml(run.path / "config.toml").values["dataset"])
    assert kept.pop("name") == "digit-canvas"
    assert kept["source"] == "digits" and kept["train"] == 300
    lay_out_mnist(tmp_path / "workspace" / "data" / "mnist")
    assert digit_canvas.build(DigitCanvasConfig(**kept), context).fingerprint() == data.fingerprint()
    found = Context(tmp_path / "workspace" / "data", context.sources, offline=True)
    assert digit_canvas.build(DigitCanvasConfig(**FEW), found).resolved_options["source"] == "mnist"
    assert run.resume(epochs=2).state == "completed"  # its data is what it was
    shutil.rmtree(tmp_path / "workspace")


def lay_out_mnist(folder: Path) -> None:
    """MNIST's files in their sizes; each image is one bright square."""
    folder.mkdir(parents=True)
    for part, count in (("train", 60_000), ("t10k", 10_000)):
        images = np.zeros((count, 28, 28), np.uint8)
        images[:, 8:20, 8:20] = 200
        for kind, values in (("images-idx3", images), ("labels-idx1", np.zeros(count, np.uint8))):
            sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
            header = bytes([0, 0, 8, values.ndim]) + sizes
            (folder / f"{part}-{kind}-ubyte").write_bytes(header + values.tobytes())


@pytest.mark.realdata
def test_the_default_canvas_of_mnist_is_this_one(real: Context) -> None:
    data = build(real, train=None, val=None, test=None)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 54000, "val": 6000, "test": 10000}
    assert digest(data, "train") == "6ae36ced04135270d1c7637d7f4d21eab171285888f81b6996c5374129a2549a"
    assert digest(data, "val") == "1ca0a9c68d202b8ca5f690a52cb04c6956b67e2bfb115e105683b1db464056c5"
    assert digest(data, "test") == "7c8c806edab0b718b633b1ad57e303a297b76f1a6e38b356eb5e5b563427df31"

"""The data sets keep the contract, share no image between splits, and name what is wrong with a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dlkit.cli.main import main
from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.errors import DataError
from dlkit.samples import Images
from dlkit.task import check_columns, first_batch
from dlkit_autoencoder.datasets import digits, files
from dlkit_autoencoder.info import AutoencoderInfo
from dlkit_autoencoder.options import DigitsConfig, FilesConfig, LfwcropConfig
from dlkit_autoencoder.task import Autoencoder


def checked(data: Data) -> AutoencoderInfo:
    """The validated info; every split in [0, 1] and of the info's shape."""
    info = AutoencoderInfo.model_validate(data.info)
    for split in data.splits.values():
        batch = first_batch(split, 40)
        check_columns(Autoencoder.batch, batch, "data set")
        assert batch["image"].shape[1:] == info.shape
        assert batch["image"].min() >= 0 and 0.3 < batch["image"].max() <= 1
    return info


@pytest.mark.parametrize("size", [28, 32, 64])
def test_the_embedded_digits(size: int, context: Context) -> None:
    data = digits.build(DigitsConfig.model_validate({"size": size}), context)
    assert checked(data).shape == (1, size, size)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 1349, "val": 149, "test": 299}
    assert data.augment is None
    shifted = digits.build(DigitsConfig.model_validate({"size": size, "shift": 2}), context)
    assert shifted.augment is not None and shifted.fingerprint() == data.fingerprint()


def test_absent_sources_are_named(context: Context) -> None:
    with pytest.raises(DataError, match="mnist"):
        digits.build_mnist(DigitsConfig(), context)
    with pytest.raises(DataError, match="lfwcrop"):
        files.build_lfwcrop(LfwcropConfig(), context)


def test_a_folder_of_images(discs: Callable[..., Path], context: Context) -> None:
    config = FilesConfig(path=str(discs(count=40)), size=16)
    data = files.build(config, context)
    info = checked(data)
    assert info.shape == (3, 16, 16) and info.fit == "crop" and data.augment is None
    assert files.build(config.model_copy(update={"flip": True}), context).augment is not None
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 32, "val": 4, "test": 4}
    seen = [image.numpy().tobytes() for split in data.splits.values() for image in first_batch(split, 99)["image"]]
    assert len(set(seen)) == 40
    other = files.build(config.model_copy(update={"fit": "letterbox", "colour": False}), context)
    assert checked(other).shape == (1, 16, 16) and checked(other).fit == "letterbox" and other.augment is None
    (images,) = Autoencoder().preview(info, data.train, 9)
    assert isinstance(images, Images) and images.images.shape == (9, 16, 16, 3)


def test_faces_lie_where_the_source_lays_them(discs: Callable[..., Path], context: Context) -> None:
    folder = discs("data/lfwcrop/faces", 60, 64, 64, "ppm")
    (folder / "000.ppm").rename(folder / "Aaron_Eckhart_0001.ppm")
    data = files.build_lfwcrop(LfwcropConfig(), context)
    assert checked(data).shape == (3, 64, 64)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 54, "val": 3, "test": 3}


def test_faults_of_a_folder_stop_the_run_with_their_code(
    discs: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, unreadable, too small: exit code 3, the file named, no run made; or the option that goes on."""
    (tmp_path / "empty").mkdir()
    small, broken = discs("small", 12, 8, 8), discs("broken", 12)
    (broken / "007.png").write_bytes(b"text")
    train = ["train", "autoencoder", "--model", "linear", "--steps", "1", "--device", "cpu", "--dataset", "files"]
    train += ["--dataset.size", "16", "--workspace", str(tmp_path / "workspace"), "--dataset.path"]
    for folder, match in (
        (tmp_path / "absent", "absent: no such folder"),
        (tmp_path / "empty", "empty: holds no images"),
        (small, "000.png: 8x8, less than 16x16"),
        (broken, "007.png: not a readable image"),
    ):
        assert main([*train, str(folder)]) == 3
        assert match in capsys.readouterr().err
        assert not list((tmp_path / "workspace").glob("runs/*"))
    assert main([*train, str(small), "--dataset.size", "18"]) == 2
    assert "dataset.size" in capsys.readouterr().err
    assert main([*train, str(broken), "--dataset.skip-unreadable", "true"]) == 0
    assert "1 of 12 images cannot be read" in capsys.readouterr().err


@pytest.mark.realdata
def test_mnist_and_the_faces_are_whole(real: Callable[[str], Context]) -> None:
    data = digits.build_mnist(DigitsConfig(), real("mnist"))
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 54000, "val": 6000, "test": 10000}
    assert checked(data).shape == (1, 28, 28)
    faces: Any = files.build_lfwcrop(LfwcropConfig(size=32), real("lfwcrop"))
    assert checked(faces).shape == (3, 32, 32) and sum(len(split) for split in faces.splits.values()) == 13233
    folder = real("lfwcrop").data / "lfwcrop" / "faces"
    pixels = np.asarray(Image.open(folder / "Aaron_Eckhart_0001.ppm").resize((32, 32), Image.Resampling.BILINEAR))
    image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)
    stored = torch.cat([split.columns["image"] for split in faces.splits.values()])
    assert (stored == image).all(3).all(2).all(1).any()

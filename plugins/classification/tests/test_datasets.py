"""Every data set keeps the task's contract, its splits are stratified, and bad files are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from dlkit.data.context import Context
from dlkit.data.encoding import Encoding
from dlkit.data.splits import Data, TensorSplit
from dlkit.errors import DataError
from dlkit.task import check_columns, first_batch
from dlkit_classification import storage
from dlkit_classification.datasets import cifar10, digits, files, mnist
from dlkit_classification.info import ClassificationInfo
from dlkit_classification.options import Cifar10Config, DigitsConfig, FilesConfig, MnistConfig
from dlkit_classification.task import Classification


def checked(data: Data) -> ClassificationInfo:
    """The contract of the task, for every split."""
    info = ClassificationInfo.model_validate(data.info)
    for name, split in data.splits.items():
        batch = first_batch(split, 3)
        sizes = check_columns(Classification.batch, batch, name)
        assert (sizes["C"], sizes["H"], sizes["W"]) == info.shape
    return info


def labels(data: Data, split: str) -> list[int]:
    found = data.splits[split]
    assert isinstance(found, TensorSplit)
    column = found.columns["label"]
    assert isinstance(column, torch.Tensor)
    return torch.bincount(column, minlength=len(data.info["classes"])).tolist()


def test_digits(context: Context) -> None:
    data = digits.build(DigitsConfig(), context)
    info = checked(data)
    assert info.classes == list("0123456789") and info.shape == (1, 8, 8)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 1257, "val": 270, "test": 270}
    assert min(labels(data, "val")) >= 26 and max(labels(data, "val")) <= 28
    image = first_batch(data.train, len(data.train))["image"]
    assert abs(float(image.mean())) < 1e-4 and abs(float(image.std()) - 1) < 1e-3
    pixels = Encoding(info.mean, info.std).pixels(image)
    assert pixels.min() == 0 and pixels.max() == 255 and len(np.unique(pixels)) == 17
    assert data.fingerprint() == digits.build(DigitsConfig(), context).fingerprint()
    assert data.fingerprint() != digits.build(DigitsConfig(split_seed=1), context).fingerprint()


def test_a_folder_per_class(coloured: Callable[..., Path], context: Context) -> None:
    root = coloured(red=20, green=20, blue=20)
    data = files.build(FilesConfig(path=str(root), size=16, val_fraction=0.2, test_fraction=0.1), context)
    info = checked(data)
    assert info.classes == ["blue", "green", "red"] and info.shape == (3, 16, 16)
    assert [labels(data, split) for split in ("train", "val", "test")] == [[14] * 3, [4] * 3, [2] * 3]
    batch = first_batch(data.val, 12)
    brightest = Encoding(info.mean, info.std).pixels(batch["image"]).mean((1, 2)).argmax(1)
    assert (2 - brightest).tolist() == batch["label"].tolist()


def test_grey_images_and_no_test(coloured: Callable[..., Path], context: Context) -> None:
    root = coloured(red=6, green=6)
    data = files.build(FilesConfig(path=str(root), size=12, colour=False, test_fraction=0, fit="letterbox"), context)
    assert checked(data).shape == (1, 12, 12) and data.test is None and data.info["fit"] == "letterbox"


def test_train_val_and_test_as_given(coloured: Callable[..., Path], context: Context) -> None:
    coloured("images/train", red=8, green=4)
    root = coloured("images/valid", red=3, green=2).parent
    data = files.build(FilesConfig(path=str(root), size=8), context)
    assert [labels(data, split) for split in ("train", "val")] == [[4, 8], [2, 3]] and data.test is None
    coloured("images/test", red=1)
    data = files.build(FilesConfig(path=str(root), size=8), context)
    assert [labels(data, split) for split in data.splits] == [[4, 8], [2, 3], [0, 1]]
    coloured("images/test", blue=1)
    with pytest.raises(DataError, match=r"test: unknown classes blue; there are: green, red"):
        files.build(FilesConfig(path=str(root), size=8), context)
    coloured("images/val", red=1)
    with pytest.raises(DataError, match="both val and valid are val parts"):
        files.folders_of_parts(root)


def test_a_class_called_train_is_a_class(coloured: Callable[..., Path], context: Context) -> None:
    root = coloured(red=5, green=5)
    (root / "red").rename(root / "train")
    data = files.build(FilesConfig(path=str(root), size=8), context)
    assert data.info["classes"] == ["green", "train"]


def test_folders_that_will_not_do(coloured: Callable[..., Path], context: Context, tmp_path: Path) -> None:
    def build(path: Path) -> Data:
        return files.build(FilesConfig(path=str(path), size=8), context)

    with pytest.raises(DataError, match="no such folder"):
        build(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no folder per class"):
        build(tmp_path / "empty")
    with pytest.raises(DataError, match=r"one class only \(red\)"):
        build(coloured("one", red=4))
    with pytest.raises(DataError, match="too few to take a test split"):
        build(coloured("few", red=1, green=1))


def test_unreadable_images_stop_or_are_left_out(coloured: Callable[..., Path], context: Context) -> None:
    root = coloured(red=12, green=12)
    for i in range(7):
        (root / "red" / f"{i:03}.png").write_bytes(b"not an image")
    with pytest.raises(DataError, match=r"7 of 24 images cannot be read") as caught:
        files.build(FilesConfig(path=str(root), size=8), context)
    assert "000.png" in str(caught.value) and "and 2 more" in str(caught.value)
    assert "skip_unreadable" in str(caught.value)
    data = files.build(FilesConfig(path=str(root), size=8, skip_unreadable=True), context)
    assert sum(len(split) for split in data.splits.values()) == 17
    assert "7 of 24" in data.notes[0]
    for path in (root / "red").iterdir():
        path.write_bytes(b"")
    with pytest.raises(DataError, match="no readable image is left of red"):
        files.build(FilesConfig(path=str(root), size=8, skip_unreadable=True), context)


def test_fractions_leave_something_for_training() -> None:
    with pytest.raises(ValidationError, match="must be less than 1"):
        FilesConfig(path="x", val_fraction=0.5, test_fraction=0.5)


def test_a_path_is_written_down_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert FilesConfig(path="images").path == str(tmp_path / "images")


def test_large_sets_are_uint8_and_give_the_same_batches(
    coloured: Callable[..., Path], context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = FilesConfig(path=str(coloured(red=9, green=9)), size=8)
    small = files.build(config, context)
    monkeypatch.setattr(storage, "FLOAT_LIMIT", 1000)
    large = files.build(config, context)
    assert isinstance(small.train, TensorSplit) and isinstance(large.train, TensorSplit)
    assert small.train.columns["image"].dtype == torch.float32  # type: ignore[union-attr]
    assert large.train.columns["image"].dtype == torch.uint8  # type: ignore[union-attr]
    checked(large)
    for split in small.splits:
        one, other = (first_batch(data.splits[split], 99) for data in (small, large))
        assert torch.equal(one["image"], other["image"]) and torch.equal(one["label"], other["label"])


def test_cifar_records_are_labels_and_planes(tmp_path: Path) -> None:
    records = np.random.default_rng(0).integers(0, 256, (7, 3073), dtype=np.uint8)
    records[:, 0] %= 10
    records[:4].tofile(tmp_path / "a.bin")
    records[4:].tofile(tmp_path / "b.bin")
    pictures = cifar10.read(tmp_path, ["a.bin", "b.bin"])
    assert pictures.labels.tolist() == records[:, 0].tolist()
    np.testing.assert_array_equal(pictures.images.reshape(7, -1), records[:, 1:])
    assert pictures.images[2, 1, 5, 9] == records[2, 1 + 1024 + 5 * 32 + 9]


def test_damaged_cifar_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.bin"):
        cifar10.read(tmp_path, ["absent.bin"])
    (tmp_path / "short.bin").write_bytes(bytes(3000))
    with pytest.raises(DataError, match=r"short\.bin: 3000 bytes"):
        cifar10.read(tmp_path, ["short.bin"])
    (tmp_path / "label.bin").write_bytes(bytes([77]) + bytes(3072))
    with pytest.raises(DataError, match=r"label\.bin: label 77"):
        cifar10.read(tmp_path, ["label.bin"])


@pytest.mark.realdata
def test_mnist_itself(real: Context) -> None:
    data = mnist.build(MnistConfig(), real)
    info = checked(data)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 55000, "val": 5000, "test": 10000}
    whole = np.add(labels(data, "train"), labels(data, "val"))
    np.testing.assert_allclose(labels(data, "val"), whole / 12, atol=1)
    image = first_batch(data.train, 5000)["image"]
    assert image.dtype == torch.float32 and abs(float(image.mean())) < 0.02 and abs(float(image.std()) - 1) < 0.02
    assert info.shape == (1, 28, 28) and data.augment is None


@pytest.mark.realdata
def test_cifar10_itself(real: Context) -> None:
    data = cifar10.build(Cifar10Config(), real)
    info = checked(data)
    assert [labels(data, split) for split in data.splits] == [[4500] * 10, [500] * 10, [1000] * 10]
    assert info.shape == (3, 32, 32) and isinstance(data.train, TensorSplit)
    assert data.train.columns["image"].dtype == torch.uint8  # type: ignore[union-attr]
    image = first_batch(data.train, 2000)["image"]
    assert image.mean((0, 2, 3)).abs().max() < 0.05 and (image.std((0, 2, 3)) - 1).abs().max() < 0.05


def test_folders_of_splits_in_capitals_are_parts_and_flat_ones_are_refused(
    coloured: Callable[..., Path], context: Context, tmp_path: Path
) -> None:
    coloured("images/Train", red=8, green=8)
    root = coloured("images/Test", red=3, green=2).parent
    data = files.build(FilesConfig(path=str(root), size=8), context)
    assert data.info["classes"] == ["green", "red"] and data.test is not None and len(data.test) == 5
    assert "taken as parts: Train as train, Test as test" in data.notes
    for part in ("train", "test"):
        (tmp_path / "flat" / part).mkdir(parents=True)
        Image.new("L", (8, 8)).save(tmp_path / "flat" / part / "1.png")
    with pytest.raises(DataError, match=r"train, test hold no folder per class .*dataset\.doubtful = take"):
        files.build(FilesConfig(path=str(tmp_path / "flat"), size=8), context)


def test_lists_and_groups_divide_what_is_theirs(
    coloured: Callable[..., Path], context: Context, tmp_path: Path
) -> None:
    root = coloured("images", red=10, green=10)
    for part, numbers in (("train", range(6)), ("val", range(6, 8)), ("test", range(8, 10))):
        names = [f"{name}/{i:03}.png" for name in ("red", "green") for i in numbers]
        (tmp_path / f"{part}.txt").write_text("\n".join(names))
    lists = {f"{part}_list": str(tmp_path / f"{part}.txt") for part in ("train", "val", "test")}
    data = files.build(FilesConfig(path=str(root), size=8, **lists), context)
    assert [labels(data, split) for split in data.splits] == [[6, 6], [2, 2], [2, 2]]
    data = files.build(FilesConfig(path=str(root), size=8, group=r"(\d\d)\.png"), context)
    assert [min(labels(data, split)) > 0 for split in data.splits] == [True] * 3
    assert "10 groups (dataset.group), each in one part" in data.notes
    coloured("parts/train", red=10, green=10)
    coloured("parts/test", red=2, green=2)
    data = files.build(FilesConfig(path=str(tmp_path / "parts"), size=8, group=r"(\d\d)\.png"), context)
    assert sum(labels(data, "train")) + sum(labels(data, "val")) == 20 and labels(data, "test") == [2, 2]


def test_images_of_two_parts_are_said_or_left_out_of_training(coloured: Callable[..., Path], context: Context) -> None:
    coloured("images/train", red=6, green=5)
    root = coloured("images/test", red=2, green=1).parent
    data = files.build(FilesConfig(path=str(root), size=8, val_fraction=0.3), context)
    (note,) = (note for note in data.notes if "equal to train" in note)
    assert "test images are equal to train images (first: " in note and "dataset.equal = drop" in note
    apart = files.build(FilesConfig(path=str(root), size=8, val_fraction=0.3, equal="drop"), context)
    assert len(apart.train) < len(data.train) and len(apart.val) == len(data.val)


def test_classes_of_very_different_sizes_are_said(coloured: Callable[..., Path], context: Context) -> None:
    config = FilesConfig(path=str(coloured(red=60, green=5)), size=8)
    (note,) = (note for note in files.build(config, context).notes if "training images:" in note)
    assert note.startswith("classes have from 3 (green) to 42 (red) training images: accuracy says little of rare ones")
    assert "dataset.balanced or loss.balanced" in note

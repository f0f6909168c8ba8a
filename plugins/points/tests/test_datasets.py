"""The data sets: shapes, shares, seeds, and files of one's own with what is wrong in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dlkit.data.context import Context
from dlkit.data.splits import Data
from dlkit.errors import DataError, UsageError
from dlkit_points.datasets import files, shapes
from dlkit_points.options import (
    BlobsConfig,
    CirclesConfig,
    FilesConfig,
    GateConfig,
    MoonsConfig,
    Points,
    SpiralConfig,
)

SHAPES: dict[str, tuple[Callable[[Any, Context], Data], type[Points]]] = {
    "blobs": (shapes.blobs, BlobsConfig),
    "moons": (shapes.moons, MoonsConfig),
    "circles": (shapes.circles, CirclesConfig),
    "spiral": (shapes.spiral, SpiralConfig),
}


def column(data: Data, part: str, name: str) -> torch.Tensor:
    split = getattr(data, part)
    return split.take(torch.arange(len(split)))[name]  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("classes", [2, 3, 4])
def test_every_part_of_a_shape_has_every_class_in_proportion(name: str, classes: int, context: Context) -> None:
    build, config = SHAPES[name]
    data = build(config(classes=classes, points=120), context)
    assert [len(getattr(data, part)) for part in ("train", "val", "test")] == [60, 30, 30]
    for part in ("train", "val", "test"):
        counts = torch.bincount(column(data, part, "label"))
        assert len(counts) == classes and int(counts.max() - counts.min()) <= 1
    assert column(data, "train", "point").abs().max() < 4


@pytest.mark.parametrize("name", SHAPES)
def test_points_are_a_function_of_the_seed(name: str, context: Context) -> None:
    build, config = SHAPES[name]
    one, same, other = (build(config(seed=seed), context).train.fingerprint() for seed in (1, 1, 2))
    assert one == same != other


def test_shapes_are_what_they_are_called_without_noise(context: Context) -> None:
    rings = shapes.circles(CirclesConfig(noise=0, classes=3), context)
    radius = column(rings, "train", "point").norm(dim=1)
    torch.testing.assert_close(radius, (column(rings, "train", "label") + 1) / 3)
    arms = column(shapes.spiral(SpiralConfig(noise=0, turns=2), context), "train", "point")
    assert arms.norm(dim=1).max() <= 1


@pytest.mark.parametrize(
    ("build", "table"), [(shapes.and_, [0, 0, 0, 1]), (shapes.or_, [0, 1, 1, 1]), (shapes.xor, [0, 1, 1, 0])]
)
def test_a_gate_without_noise_is_its_truth_table(build: Any, table: list[int], context: Context) -> None:
    data = build(GateConfig(noise=0), context)
    for part in ("train", "val", "test"):
        assert column(data, part, "point").tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
        assert column(data, part, "label").tolist() == table
    assert data.info["divided"] == (build is not shapes.xor)
    assert "the same table" in data.notes[0]


def test_a_gate_with_noise_is_four_clouds(context: Context) -> None:
    data = shapes.xor(GateConfig(points=400), context)
    points, labels = column(data, "train", "point"), column(data, "train", "label")
    corner = points.round().long()
    assert torch.equal(labels, corner[:, 0] ^ corner[:, 1])
    assert data.info["divided"] is False and data.info["best_line"] < 0.85


def table(folder: Path, text: str) -> Path:
    path = folder / "points.csv"
    path.write_text(text, encoding="utf-8")
    return path


ROWS = "".join(f"{i},{i % 7 / 2},{'cat' if i % 2 else 'dog'},{i * i}\n" for i in range(40))


def test_a_file_says_its_columns_or_they_are_found(tmp_path: Path, context: Context) -> None:
    path = table(tmp_path, f"width,height,kind,area\n{ROWS}")
    found = files.build(FilesConfig(path=str(path), label="kind"), context)
    assert found.info["axes"] == ("width", "height") and found.info["classes"] == ["cat", "dog"]
    told = files.build(FilesConfig(path=str(path), x="area", y="width", label="kind"), context)
    assert told.info["axes"] == ("area", "width")
    points = column(told, "train", "point")
    np.testing.assert_allclose(points.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(points.std(0, unbiased=False), 1, atol=1e-5)


def test_decimal_commas_and_other_delimiters_are_read(tmp_path: Path, context: Context) -> None:
    rows = "".join(f"{i},5;{i % 5},25;{'a' if i % 2 else 'b'}\n" for i in range(30))
    data = files.build(FilesConfig(path=str(table(tmp_path, f"x;y;kind\n{rows}"))), context)
    assert (data.info["axes"], data.info["delimiter"]) == (("x", "y"), ";")
    assert data.info["mean"][0] % 1 != 0


@pytest.mark.parametrize(
    ("options", "text", "said"),
    [
        ({"x": "widht"}, f"width,height,kind,area\n{ROWS}", r"dataset\.x: no column 'widht'.*did you mean 'width'"),
        ({"x": "width", "y": "width"}, f"width,height,kind,area\n{ROWS}", "name three columns, not width, width"),
    ],
)
def test_a_column_that_is_not_there_is_named(
    options: dict[str, str], text: str, said: str, tmp_path: Path, context: Context
) -> None:
    with pytest.raises(UsageError, match=said):
        files.build(FilesConfig(path=str(table(tmp_path, text)), **options), context)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x,y,kind\n1,2,a\n2,,b\n3,4,a\n", r"points\.csv, line 3, column 'y': an empty cell; dataset\.missing = drop"),
        ("x,y,kind\n1,2,a\n2,3,a\n", r"column 'kind': one class only \(a\)"),
        ("name,y,kind\nu,2,a\nv,3,b\n", "two columns of numbers and one of labels are needed; .* are: name, y"),
        ("x,y,kind\n" + "".join(f"{i},{i},k{i}\n" for i in range(12)), "12 classes .*colours for 10"),
        ("x,y,kind\n" + "".join(f"1,{i},{'ab'[i % 2]}\n" for i in range(12)), "column 'x': all training rows"),
        ("x,y,kind\n1,2,a\n2,3,b\n", "2 rows are too few to take a test split from; raise dataset.test_fraction"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_named(text: str, said: str, tmp_path: Path, context: Context) -> None:
    with pytest.raises(DataError, match=said):
        files.build(FilesConfig(path=str(table(tmp_path, text))), context)


def test_rows_with_an_empty_cell_are_left_out_and_counted(tmp_path: Path, context: Context) -> None:
    path = table(tmp_path, f"width,height,kind,area\n{ROWS},1,cat,2\n3,,dog,4\n")
    data = files.build(FilesConfig(path=str(path), label="kind", missing="drop"), context)
    assert "2 rows with an empty cell are left out; the first: " in "\n".join(data.notes)
    assert sum(len(getattr(data, part)) for part in ("train", "val", "test")) == 40

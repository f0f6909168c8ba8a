"""A table: read from a file, or drawn by a seeded generator. Replace both by what you have: columns of numbers."""

from __future__ import annotations

from math import pi
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from dlkit.data.context import Context
from dlkit.data.example import Example
from dlkit.data.randomness import rng
from dlkit.data.splits import Data, TensorSplit
from dlkit.errors import DataError

from dlkit_my_plugin.options import Options

FEATURES, TARGET, UNIT = ("metres", "degrees"), "swing", "seconds"
PARTS = ("train", "val", "test")
Rows = npt.NDArray[np.float64]


def build(config: Options, context: Context) -> Data:
    """Batches as the task declares them: ``features`` float32 [N,F] and ``target`` [N,1], both standardised.

    ``info`` says how, so that a checkpoint answers raw rows without this data set.
    """
    rows = read(Path(config.path)) if config.path else {part: measured(config, part) for part in PARTS}
    mean, std = rows["train"].mean(0), rows["train"].std(0)

    def split(part: str) -> TensorSplit:
        scaled = torch.from_numpy(((rows[part] - mean) / std).astype(np.float32))
        return TensorSplit({"features": scaled[:, :-1].contiguous(), "target": scaled[:, -1:].contiguous()})

    scales = [{"mean": float(m), "std": float(s)} for m, s in zip(mean, std, strict=True)]
    columns = [{"kind": "number", "name": name, **scale} for name, scale in zip(FEATURES, scales, strict=False)]
    info = {"columns": columns, "target": {"name": TARGET, "unit": UNIT, **scales[-1]}}
    return Data(train=split("train"), val=split("val"), test=split("test"), info=info)


def read(path: Path) -> dict[str, Rows]:
    """A file's rows by part: of ten, one is for validation and one for the test. DataError says what is wrong."""
    try:
        rows = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    if rows.shape[1] != len(FEATURES) + 1 or len(rows) < 20 or not np.isfinite(rows).all():
        raise DataError(f"{path}: 20 rows at least are needed, of {', '.join(FEATURES)} and {TARGET}")
    tenth = np.arange(len(rows)) % 10
    return {"train": rows[tenth < 8], "val": rows[tenth == 8], "test": rows[tenth == 9]}


def write_example(folder: Path) -> Example:
    """A small file of the kind that ``read`` reads: dlkit data example regression DIR --dataset my-plugin."""
    rows = measured(Options(train=100), "train")
    lines = [",".join([*FEATURES, TARGET]), *(",".join(f"{value:.3f}" for value in row) for row in rows)]
    (folder / "swings.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    what = "a header, then a row a swing: the length in metres, the angle in degrees, the time in seconds"
    return Example({"path": str(folder / "swings.csv")}, {"swings.csv": what})


def measured(config: Options, part: str) -> Rows:
    """Rows [N,3] of length, angle and time: the same for the same options and part, others for others."""
    generator = rng(0, "swings", part)
    count = config.train if part == "train" else config.held_out
    length, degrees = generator.uniform(0.1, 3, count), generator.uniform(5, 90, count)
    angle = np.radians(degrees)
    swing = 2 * pi * np.sqrt(length / 9.81) * (1 + angle**2 / 16 + 11 * angle**4 / 3072)
    noise = config.noise if part == "train" else 0.0
    return np.stack([length, degrees, swing + noise * generator.normal(size=count)], axis=1)

"""A table drawn by a seeded generator. Replace ``measured`` by what you have: columns of numbers."""

from __future__ import annotations

from math import pi

import numpy as np
import numpy.typing as npt
import torch
from dlkit.data.context import Context
from dlkit.data.randomness import rng
from dlkit.data.splits import Data, TensorSplit

from dlkit_my_plugin.options import Options

FEATURES, TARGET, UNIT = ("metres", "degrees"), "swing", "seconds"


def build(config: Options, context: Context) -> Data:
    """Batches as the task declares them: ``features`` float32 [N,F] and ``target`` [N,1], both standardised.

    ``info`` says how, so that a checkpoint answers raw rows without this data set.
    """
    rows = {part: measured(config, part) for part in ("train", "val", "test")}
    mean, std = rows["train"].mean(0), rows["train"].std(0)

    def split(part: str) -> TensorSplit:
        scaled = torch.from_numpy(((rows[part] - mean) / std).astype(np.float32))
        return TensorSplit({"features": scaled[:, :-1].contiguous(), "target": scaled[:, -1:].contiguous()})

    scales = [{"mean": float(m), "std": float(s)} for m, s in zip(mean, std, strict=True)]
    columns = [{"kind": "number", "name": name, **scale} for name, scale in zip(FEATURES, scales, strict=False)]
    info = {"columns": columns, "target": {"name": TARGET, "unit": UNIT, **scales[-1]}}
    return Data(train=split("train"), val=split("val"), test=split("test"), info=info)


def measured(config: Options, part: str) -> npt.NDArray[np.float64]:
    """Rows [N,3] of length, angle and time: the same for the same options and part, others for others."""
    generator = rng(0, "my-plugin", part)
    count = config.train if part == "train" else config.held_out
    length, degrees = generator.uniform(0.1, 3, count), generator.uniform(5, 90, count)
    angle = np.radians(degrees)
    swing = 2 * pi * np.sqrt(length / 9.81) * (1 + angle**2 / 16 + 11 * angle**4 / 3072)
    noise = config.noise if part == "train" else 0.0
    return np.stack([length, degrees, swing + noise * generator.normal(size=count)], axis=1)

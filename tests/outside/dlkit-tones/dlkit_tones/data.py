"""Chords drawn by seeded generators: sines of random phase and amplitude, and noise."""

from __future__ import annotations

import numpy as np
import torch
from dlkit.data.context import Context
from dlkit.data.randomness import rng
from dlkit.data.splits import Data, TensorSplit

from dlkit_tones.task import ChordsOptions

FREQUENCIES = (4, 7, 11, 16, 22, 29)
SAMPLES, RATE = 128, 128.0


def build(config: ChordsOptions, context: Context) -> Data:
    def split(part: str, count: int) -> TensorSplit:
        generator = rng(0, "tones", part)
        sounding = generator.random((count, len(FREQUENCIES))) < 0.4
        phase = generator.uniform(0, 2 * np.pi, (count, len(FREQUENCIES), 1))
        amplitude = generator.uniform(0.5, 1.5, (count, len(FREQUENCIES), 1)) * sounding[:, :, None]
        time = np.arange(SAMPLES) / RATE
        waves = amplitude * np.sin(2 * np.pi * np.array(FREQUENCIES)[:, None] * time + phase)
        signal = waves.sum(1) + config.noise * generator.normal(size=(count, SAMPLES))
        columns = {"signal": signal, "sounding": sounding}
        return TensorSplit({name: torch.from_numpy(column.astype(np.float32)) for name, column in columns.items()})

    info = {"tones": [f"{hertz} Hz" for hertz in FREQUENCIES], "samples": SAMPLES, "rate": RATE}
    val, test = split("val", config.held_out), split("test", config.held_out)
    return Data(train=split("train", config.train), val=val, test=test, info=info)

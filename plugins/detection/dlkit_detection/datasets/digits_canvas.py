"""Several digits on a noisy canvas: MNIST's where they are at hand, else scikit-learn's."""

from __future__ import annotations

import torch

from dlkit.data.canvases import CanvasOptions
from dlkit.data.context import Context
from dlkit.data.digits import digit_parts, draw_parts, note_of, resolve_source
from dlkit.data.encoding import Encoding, channel_statistics
from dlkit.data.splits import Data
from dlkit_detection.options import DigitsCanvasConfig
from dlkit_detection.storage import as_data, split

COUNTS = {
    "mnist": {"train": 54_000, "val": 3_000, "test": 10_000},
    "digits": {"train": 8_000, "val": 1_000, "test": 1_000},
}
"""Canvases of each split, where no other number is asked for."""


def build(config: DigitsCanvasConfig, context: Context) -> Data:
    source = resolve_source(config.source, context)
    counts = {part: getattr(config, part) or count for part, count in COUNTS[source].items()}
    digits = digit_parts(source, context)
    chosen = {part: found.below(config.classes) for part, found in digits.items()}
    drawn = draw_parts(chosen, counts, config.canvas_seed, canvas_options(config))
    encoding = Encoding(*channel_statistics(drawn["train"].images[:, None]))
    splits = {
        part: split(
            torch.from_numpy(canvases.images[:, None]),
            torch.from_numpy(canvases.boxes),
            torch.from_numpy(canvases.labels),
            encoding,
        )
        for part, canvases in drawn.items()
    }
    return as_data(
        splits,
        [str(digit) for digit in range(config.classes)],
        (1, config.height, config.width),
        encoding,
        config,
        notes=note_of(config.source, source),
        resolved_options={"source": source, **counts},
    )


def canvas_options(config: DigitsCanvasConfig) -> CanvasOptions:
    return CanvasOptions(
        height=config.height,
        width=config.width,
        fewest=config.fewest,
        most=config.most,
        scale=config.scale,
        angle=config.angle,
        empty=config.empty,
        noise=config.noise,
        max_iou=config.max_iou,
    )

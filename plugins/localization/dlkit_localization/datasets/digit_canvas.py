"""A digit, or none, on a noisy canvas: MNIST's digits where they are at hand, else scikit-learn's."""

from __future__ import annotations

from dlkit.data.canvases import CanvasOptions
from dlkit.data.context import Context
from dlkit.data.digits import CLASSES, digit_parts, draw_parts, note_of, resolve_source
from dlkit.data.splits import Data
from dlkit_localization.augment import Move
from dlkit_localization.options import DigitCanvasConfig
from dlkit_localization.storage import Scenes, splits_and_info

COUNTS = {
    "mnist": {"train": 54_000, "val": 6_000, "test": 10_000},
    "digits": {"train": 8_000, "val": 1_000, "test": 1_000},
}
"""Canvases of each split, where no other number is asked for."""


def build(config: DigitCanvasConfig, context: Context) -> Data:
    source = resolve_source(config.source, context)
    counts = {part: getattr(config, part) or count for part, count in COUNTS[source].items()}
    drawn = draw_parts(digit_parts(source, context), counts, config.canvas_seed, canvas_options(config))
    parts = {
        part: Scenes(canvases.images[:, None], canvases.boxes[:, 0], canvases.labels[:, 0])
        for part, canvases in drawn.items()
    }
    splits, info = splits_and_info(parts, [str(digit) for digit in range(CLASSES)])
    return Data(
        train=splits["train"],
        val=splits["val"],
        test=splits["test"],
        info=info,
        augment=Move(config.height, config.width) if config.move else None,
        notes=note_of(config.source, source),
        resolved_options={"source": source, **counts},
    )


def canvas_options(config: DigitCanvasConfig) -> CanvasOptions:
    return CanvasOptions(
        height=config.height,
        width=config.width,
        scale=config.scale,
        angle=config.angle,
        noise=config.noise,
        empty=config.empty,
    )

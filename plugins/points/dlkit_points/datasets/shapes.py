"""Points drawn at random around shapes: truth tables, clouds, moons, rings and spirals."""

from __future__ import annotations

import numpy as np

from dlkit.data.context import Context
from dlkit.data.randomness import rng
from dlkit.data.splits import Data
from dlkit_points.options import BlobsConfig, CirclesConfig, GateConfig, MoonsConfig, Points, SpiralConfig
from dlkit_points.storage import Floats, Labelled, Labels, as_data, divided_by_shares

CORNERS = np.array([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
TABLES = {"and": (0, 0, 0, 1), "or": (0, 1, 1, 1), "xor": (0, 1, 1, 0)}
"""The truth of each corner, by gate."""


def and_(config: GateConfig, context: Context) -> Data:
    return _gate("and", config)


def or_(config: GateConfig, context: Context) -> Data:
    return _gate("or", config)


def xor(config: GateConfig, context: Context) -> Data:
    return _gate("xor", config)


def _gate(name: str, config: GateConfig) -> Data:
    """Corners as clouds. Without noise the table is all there is: it is trained on, and is the validation split too."""
    truth = np.array(TABLES[name], np.int64)
    classes = ["false", "true"]
    if config.noise == 0:
        table = Labelled(CORNERS, truth)
        note = "the four corners alone: training, validation and test are the same table"
        return as_data(classes, {"train": table, "val": table, "test": table}, notes=[note])
    corner = _shared(config.points, 4)
    points = CORNERS[corner] + config.noise * _normal(config, name, len(corner))
    return _data(classes, points, truth[corner], config)


def blobs(config: BlobsConfig, context: Context) -> Data:
    label = _shared(config.points, config.classes)
    angle = 2 * np.pi * label / config.classes + np.pi / 2
    return _noisy(_around(angle), label, config, config.noise, "blobs")


def moons(config: MoonsConfig, context: Context) -> Data:
    """Half-circles, every other one upside down, each beginning in the middle of the one before."""
    label, along = _shared_along(config, config.classes)
    half = np.where(label % 2 == 0, 1.0, -1.0)
    points = _around(np.pi * along) * half[:, None] + np.stack([label, 0.5 - 0.25 * (1 + half)], 1)
    return _noisy(points - [(config.classes - 1) / 2, 0.25], label, config, config.noise, "moons")


def circles(config: CirclesConfig, context: Context) -> Data:
    label, along = _shared_along(config, config.classes)
    points = _around(2 * np.pi * along) * ((label + 1) / config.classes)[:, None]
    return _noisy(points, label, config, config.noise, "circles")


def spiral(config: SpiralConfig, context: Context) -> Data:
    """Archimedes' spirals: as far from the middle as they have turned."""
    label, along = _shared_along(config, config.classes)
    along = np.sqrt(along)  # even along an arm's length: outside, a turn is longer
    angle = 2 * np.pi * (config.turns * along + label / config.classes)
    return _noisy(_around(angle) * along[:, None], label, config, config.noise, "spiral")


def _noisy(points: Floats, label: Labels, config: Points, noise: float, name: str) -> Data:
    classes = [str(number + 1) for number in range(int(label.max()) + 1)]
    return _data(classes, points + noise * _normal(config, name, len(points)), label, config)


def _data(classes: list[str], points: Floats, label: Labels, config: Points) -> Data:
    whole = Labelled(points, label)
    return as_data(classes, divided_by_shares(whole, config.val_fraction, config.test_fraction, config.seed, "points"))


def _shared(points: int, classes: int) -> Labels:
    """Labels, the same number of each as nearly as can be."""
    return np.arange(points, dtype=np.int64) % classes


def _shared_along(config: Points, classes: int) -> tuple[Labels, Floats]:
    """Labels, and where on its shape each point lies, in [0, 1): evenly at random."""
    return _shared(config.points, classes), rng(config.seed, "points", "along").random(config.points)


def _normal(config: Points, name: str, count: int) -> Floats:
    return rng(config.seed, "points", name).standard_normal((count, 2))


def _around(angle: Floats) -> Floats:
    """Points of the unit circle [N,2]."""
    return np.stack([np.cos(angle), np.sin(angle)], 1)

"""Each hidden unit's map: what it makes of every place."""

from __future__ import annotations

import numpy as np
from torch import nn

from dlkit.samples import Images
from dlkit_points.colours import Pixels, of_values
from dlkit_points.info import PointsInfo
from dlkit_points.regions import size_of, view_of
from dlkit_points.shown import hidden_units

DETAIL = 40
COLUMNS = 8


def unit_maps(model: nn.Module, info: PointsInfo, most: int) -> list[Images]:
    """A map a unit, layer by layer, the first ``most`` of them: blue where it is above 0, orange below, each by its
    own reach. None where the model has no hidden units, or does not tell."""
    width, height = size_of(DETAIL)
    layers = hidden_units(model, view_of(info).grid(width, height))
    maps: list[Pixels] = []
    captions: list[str] = []
    for number, values in enumerate(layers, 1):
        for unit, value in enumerate(values.T[: max(0, most - len(maps))].numpy(), 1):
            reach = float(np.abs(value).max())
            maps.append(of_values(value.reshape(height, width), reach))
            captions.append(f"{number}.{unit}  ±{reach:.2g}")
    total = sum(values.shape[1] for values in layers)
    if not maps:
        return []
    what = f"{len(maps)} of {total} hidden units" if total > len(maps) else "hidden units"
    title = f"What the {what} make of every place (layer.unit): blue above 0, orange below"
    return [Images(name="units", title=title, images=np.stack(maps), captions=captions, columns=COLUMNS)]

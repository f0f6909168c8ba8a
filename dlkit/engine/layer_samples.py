"""What was seen of the layers (``engine.layers``), as samples for people to look at."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from torch import Tensor

from dlkit.engine.layers import Seen, Spread, Watched
from dlkit.present.distribution import ACTIVATIONS, DECADES, GRADIENTS, captioned, histogram
from dlkit.samples import Curve, Images, Sample, Table

Floats = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

_COLUMNS = 4
_ACTIVATIONS, _GRADIENTS = (86, 180, 233), (230, 159, 0)
"""Two colours that colour-blind people can tell apart (Okabe and Ito 2008)."""
_INSIDE = 0.995


def layer_samples(watched: Watched) -> list[Sample]:
    """Reads from the device; empty where nothing was seen."""
    at, layers = f"step {watched.step}", watched.layers
    made: list[Sample] = []
    called = {name: name if name == seen.kind else f"{name} {seen.kind}" for name, seen in layers.items()}
    if active := {called[name]: seen.activation for name, seen in layers.items() if seen.activation is not None}:
        made.append(_activations(active, at))
    if moved := {called[name]: seen.gradient for name, seen in layers.items() if seen.gradient is not None}:
        made.append(_gradients(moved, at))
    if len(layers) > 1 and (lines := by_depth(layers)):
        labels = {"x_label": "layer", "y_label": "log10"}
        title = f"Layer by layer, {at}"
        made.append(Curve(name="layers-depth", title=title, x=list(range(1, len(layers) + 1)), lines=lines, **labels))
    return [*made, _table(watched, at)] if layers else made


def _activations(found: Mapping[str, Spread], at: str) -> Images:
    """Each on an axis of its own, symmetric about 0, since their sizes are in the table and their forms are here."""
    pictures, captions = [], []
    for name, spread in found.items():
        values = finite(spread.some)
        # Not the greatest: a single one would press all others into the middle.
        reach = float(np.quantile(np.abs(values), _INSIDE)) if len(values) else 0.0
        pictures.append(histogram(values, (-reach, reach), _ACTIVATIONS, axis=0.5))
        captions.append(captioned(name, reach))
    title = f"Activations, {at}: values from left to right, 0 in the middle"
    return Images(name=ACTIVATIONS, title=title, images=np.stack(pictures), captions=captions, columns=_COLUMNS)


def _gradients(found: Mapping[str, Spread], at: str) -> Images:
    """All on one logarithmic axis: what vanishes from layer to layer moves to the left."""
    pictures, captions = [], []
    low, high = DECADES
    for name, spread in found.items():
        sizes = np.abs(finite(spread.some))
        decades = np.log10(sizes[sizes > 0])
        pictures.append(histogram(decades.clip(low, high), (low, high), _GRADIENTS, axis=-low / (high - low)))
        captions.append(f"{name} {10 ** np.median(decades):.0e}" if len(decades) else f"{name} 0")
    title = f"Gradients of weights, {at}: their size from 1e{low} to 1e{high}, a line at 1"
    return _grid(GRADIENTS, title, pictures, captions)


def _grid(name: str, title: str, pictures: list[Picture], captions: list[str]) -> Images:
    return Images(name=name, title=title, images=np.stack(pictures), captions=captions, columns=_COLUMNS)


def by_depth(layers: Mapping[str, Seen]) -> dict[str, list[float]]:
    """Over the layers in their order, the logarithms of the deviations of activations and gradients, and of the
    updates; nan where a layer has none."""
    lines = {
        "activations": [_log10(seen.activation.std if seen.activation else None) for seen in layers.values()],
        "gradients": [_log10(seen.gradient.std if seen.gradient else None) for seen in layers.values()],
        "update": [_log10(seen.update) for seen in layers.values()],
    }
    return {name: values for name, values in lines.items() if np.isfinite(values).any()}


_HEADERS = ("layer", "kind", "mean", "std", "zeros", "dead", "gradient", "update")


def _table(watched: Watched, at: str) -> Table:
    hidden = "; engine.compile hides activations" if watched.compiled else ""
    title = f"Layers, {at}; dead: share of units 0 or without gradient; update: share of the weights{hidden}"
    rows = [_row(name, seen) for name, seen in watched.layers.items()]
    # A column that no layer has anything in says nothing.
    kept = [i for i in range(len(_HEADERS)) if i < 2 or any(row[i] != "" for row in rows)]
    return Table(
        name="layers", title=title, headers=[_HEADERS[i] for i in kept], rows=[[row[i] for i in kept] for row in rows]
    )


def _row(name: str, seen: Seen) -> list[str | float | int]:
    activation, gradient = seen.activation, seen.gradient
    through = (activation.mean, activation.std, activation.zeros) if activation else (None, None, None)
    numbers = (*through, seen.dead, gradient.std if gradient else None, seen.update)
    return [name, seen.kind, *["" if (value := _number(n)) is None else float(f"{value:.4g}") for n in numbers]]


def finite(values: Tensor) -> Floats:
    """As NumPy, without what is not a number or infinite."""
    found: Floats = values.detach().double().cpu().numpy()
    return found[np.isfinite(found)]


def _number(value: Tensor | None) -> float | None:
    return None if value is None or not math.isfinite(found := float(value)) else found


def _log10(value: Tensor | None) -> float:
    found = _number(value)
    return math.log10(found) if found else math.nan

"""Smoothing of a noisy curve."""

from __future__ import annotations

import math

import numpy as np

from dlkit.tui.chart.thin import Floats

LEVELS = (0.0, 0.6, 0.9, 0.99)
"""Weights to choose from; 0 is none."""
_BLOCK = 64


def smoothed(values: Floats, weight: float) -> Floats:
    """The exponential moving average with its bias corrected, as TensorBoard draws it: y' = w y' + (1 − w) y, divided
    by 1 − wⁿ. Values that are not finite stay as they are and count for nothing."""
    if weight <= 0 or not len(values):
        return values
    finite = np.isfinite(values)
    whole = bool(finite.all())
    average = _scan((values if whole else values[finite]) * (1 - weight), weight)
    biased = min(len(average), math.ceil(-40 / math.log(weight)))  # beyond, wⁿ is nothing beside 1
    average[:biased] /= -np.expm1(np.arange(1, biased + 1) * math.log(weight))
    if whole:
        return average
    found = values.copy()
    found[finite] = average
    return found


def _scan(values: Floats, decay: float) -> Floats:
    """s[i] = decay · s[i−1] + values[i], all blocks at once, what is carried from block to block by the same rule: a
    million points take 5 ms, a loop in Python half a second. A matrix product would be as short, and 25 ms whenever
    the threads that it wakes find no core free."""
    count = len(values)
    rows = -(-count // _BLOCK)
    padded = np.zeros(rows * _BLOCK)
    padded[:count] = values
    within = np.ascontiguousarray(padded.reshape(rows, _BLOCK).T)  # [place in its block, block]
    for place in range(1, _BLOCK):
        within[place] += decay * within[place - 1]
    if rows > 1:
        carried = _scan(within[-1], decay**_BLOCK)
        within[:, 1:] += np.outer(decay ** np.arange(1, _BLOCK + 1), carried[:-1])
    return np.ascontiguousarray(within.T).reshape(-1)[:count]

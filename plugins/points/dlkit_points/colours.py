"""The colours of classes, units and errors: bright points on darker ground, as a terminal shows them best."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

CLASSES: tuple[Colour, ...] = (
    (96, 180, 255), (255, 158, 66), (86, 214, 140), (236, 120, 222), (250, 220, 80),
    (255, 105, 105), (90, 220, 220), (180, 150, 255), (190, 215, 120), (225, 225, 230),
)  # fmt: skip
WHITE: Colour = (255, 255, 255)
GROUND = np.array([15, 17, 23], np.float32)
_DEPTH = 0.52
"""How bright a region is beside its points."""
_STEPS = 24
"""Shades of a region: so few that neighbours look alike, which a terminal draws at once, and many for the eye."""
_HEAT = np.array(
    [[68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99],
     [170, 220, 50], [253, 231, 37]], np.float32)  # fmt: skip
"""Viridis (van der Walt and Smith 2015), at nine places."""


def of_shares(shares: Floats) -> Pixels:
    """What each class has of every place [H,W,K] → [H,W,3]: the leader's colour, the darker the less it leads by."""
    count = shares.shape[-1]
    leader, most = shares.argmax(-1), shares.max(-1)
    lead = np.clip((most - 1 / count) / (1 - 1 / count), 0, 1)
    lead = np.round(lead**0.6 * _STEPS) / _STEPS
    tints = np.array(CLASSES[:count], np.float32) * _DEPTH
    found: Pixels = (GROUND + (tints[leader] - GROUND) * lead[..., None]).astype(np.uint8)
    return found


def of_values(values: Floats, reach: float) -> Pixels:
    """Values [H,W] from −reach to reach → [H,W,3]: orange below 0, dark at 0, blue above."""
    strength = np.clip(values / (reach or 1), -1, 1)[..., None]
    high, low = (np.array(CLASSES[i], np.float32) * 0.85 for i in (0, 1))
    mixed = GROUND + np.where(strength > 0, (high - GROUND) * strength, (low - GROUND) * -strength)
    found: Pixels = mixed.astype(np.uint8)
    return found


def of_heights(heights: Floats, bands: int = 18) -> Pixels:
    """Heights [H,W] → [H,W,3], low dark and high bright, in bands whose edges are lines of equal height."""
    low, high = float(heights.min()), float(heights.max())
    share = (heights - low) / (high - low) if high > low else np.zeros_like(heights)
    share = np.minimum(np.floor(share * bands), bands - 1) / max(1, bands - 1)
    place = share * (len(_HEAT) - 1)
    before = np.minimum(place.astype(int), len(_HEAT) - 2)
    mixed = _HEAT[before] + (_HEAT[before + 1] - _HEAT[before]) * (place - before)[..., None]
    found: Pixels = (mixed * 0.8).astype(np.uint8)
    return found

"""Colours of lines: told apart by everybody, read on the ground of every theme."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from dlkit.tui.chart.palette import COUNT, DARK, LIGHT, colour

Floats = npt.NDArray[np.float64]
MISSING = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""What people see who lack a kind of cone, in linear RGB: Machado, Oliveira and Fernandes 2009, severity 1."""
GROUNDED = [theme for theme in BUILTIN_THEMES.values() if not theme.name.startswith("ansi")]
"""The others leave the ground to the terminal."""


def linear(text: str) -> Floats:
    values = np.array(Color.parse(text).rgb) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def luminance(text: str) -> float:
    return float(linear(text) @ [0.2126, 0.7152, 0.0722])


def oklab(rgb: Floats) -> Floats:
    """Of linear RGB: Ottosson 2020."""
    cones = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                      [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
    lab = np.array([[0.2104542553, 0.793617785, -0.0040720468], [1.9779984951, -2.428592205, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.808675766]])  # fmt: skip
    found: Floats = lab @ np.cbrt(cones @ np.clip(rgb, 0, 1))
    return found


@pytest.mark.parametrize("palette", [DARK, LIGHT])
@pytest.mark.parametrize(("cone", "least"), [("none", 0.12), ("red", 0.08), ("green", 0.08), ("blue", 0.12)])
def test_any_two_are_told_apart(palette: tuple[str, ...], cone: str, least: float) -> None:
    seen = [oklab(np.array(MISSING[cone]) @ linear(text)) for text in palette]
    assert len(palette) == COUNT >= 8
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > least


@pytest.mark.parametrize("theme", GROUNDED, ids=lambda theme: theme.name)
def test_each_can_be_read_on_the_ground_of_every_theme(theme: Theme) -> None:
    ground = luminance(theme.to_color_system().generate()["background"])
    for place in range(COUNT):
        low, high = sorted((ground, luminance(colour(place, dark=theme.dark))))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_after_the_last_comes_the_first_again() -> None:
    assert colour(COUNT + 2, dark=True) == DARK[2] and colour(3, dark=False) == LIGHT[3]

"""Numbers as pictures: grey, signed, hot; laid over others; side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Pixels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float32]

_BLUE, _WHITE, _RED = (33, 102, 172), (247, 247, 247), (178, 24, 43)
_HEAT = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))
"""Colours from nothing to the most, five of Matplotlib's inferno (CC0)."""
_MARGIN = 4
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def grey(values: Numbers, low: float, high: float) -> Pixels:
    """Values of any shape as levels: ``low`` black, ``high`` white."""
    span = max(high - low, 1e-12)
    return ((np.asarray(values, np.float64) - low) / span * 255).round().clip(0, 255).astype(np.uint8)


def signed(values: Numbers, most: float | None = None) -> Pixels:
    """Values [...] as colours [...,3]: blue below 0, white at 0, red above; full at ± ``most`` (the largest)."""
    found = np.asarray(values, np.float64)
    most = float(np.abs(found).max(initial=0)) if most is None else most
    return _coloured(found / max(most, 1e-12) / 2 + 0.5, (_BLUE, _WHITE, _RED))


def heat(values: Numbers) -> Pixels:
    """Values [...] in [0, 1] as colours [...,3], from black over red to yellow."""
    return _coloured(np.asarray(values, np.float64), _HEAT)


def overlaid(picture: Pixels, values: Numbers, strength: float = 0.65) -> Pixels:
    """A picture [H,W] or [H,W,3] with heat [H,W] in [0, 1] laid over it: where there is none, the picture shows."""
    base = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)
    share = strength * np.sqrt(np.clip(values, 0, 1))[..., None]
    return (base * (1 - share) + heat(values) * share).round().astype(np.uint8)


def scaled(values: Numbers) -> Numbers:
    """Values ≥ 0 with the largest at 1; all 0 where there is none."""
    return np.asarray(values / max(float(values.max(initial=0)), 1e-12), np.float32)


def resized(values: Numbers, height: int, width: int) -> Numbers:
    """A map [h,w] at another size, bilinear."""
    image = Image.fromarray(np.asarray(values, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def blurred(values: Numbers, deviation: float) -> Numbers:
    """A map [h,w] under a Gaussian of that standard deviation in pixels; mirrored at the border."""
    if deviation < 0.1:
        return values
    reach = min(math.ceil(3 * deviation), min(values.shape) - 1)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    bell /= bell.sum()
    for axis in (0, 1):
        wide = np.pad(values, [(reach, reach) if axis == a else (0, 0) for a in (0, 1)], "reflect")
        values = np.apply_along_axis(np.convolve, axis, wide, bell, mode="valid")
    return values.astype(np.float32)


def enlarged(picture: Pixels, least: int) -> Pixels:
    """A picture [H,W] or [H,W,3] whose pixels are squares: its longer side has ``least`` pixels at least."""
    factor = max(1, -(-least // max(picture.shape[:2])))
    return picture.repeat(factor, 0).repeat(factor, 1)


def in_colour(picture: Pixels) -> Pixels:
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)


def side_by_side(pictures: Sequence[Pixels], titles: Sequence[str], columns: int = 4) -> Image.Image:
    """Pictures of one size in rows, each under its title."""
    height, width = pictures[0].shape[:2]
    size = max(10, min(24, height // 12))
    font = ImageFont.load_default(size)
    head = round(1.6 * size)
    rows, across = -(-len(pictures) // columns), min(columns, len(pictures))
    cell = height + head + _MARGIN, width + _MARGIN
    sheet = Image.new("RGB", (across * cell[1] + _MARGIN, rows * cell[0] + _MARGIN), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        left, top = number % columns * cell[1] + _MARGIN, number // columns * cell[0] + _MARGIN
        draw.text((left, top), _fitted_text(draw, title, width, font), "black", font)
        sheet.paste(Image.fromarray(in_colour(picture)), (left, top + head))
    return sheet


def _fitted_text(draw: ImageDraw.ImageDraw, text: str, width: int, font: Font) -> str:
    while text and draw.textlength(text, font) > width:
        text = text[:-2] + "…" if len(text) > 2 else ""
    return text


def _coloured(shares: npt.NDArray[np.float64], stops: Sequence[tuple[int, int, int]]) -> Pixels:
    """Shares [...] in [0, 1] as colours between the stops."""
    at = np.linspace(0, 1, len(stops))
    channels = [np.interp(shares, at, [stop[channel] for stop in stops]) for channel in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)

"""Digits pasted on noisy canvases: images with boxes and labels, generated from a seed.

The same bits on every machine and with every version of NumPy: all that is random comes from Philox's raw words, which
NumPy promises to keep, and everything after that is integer arithmetic (turning and resizing in fixed point, noise from
a table). What a canvas looks like is a function of the seed and its index alone, never of how many are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from dlkit.data.randomness import derive
from dlkit.errors import UsageError

THRESHOLD = 40
"""A digit's box is the tight bounds of its pixels that exceed this, before noise."""
TRIES = 64
"""Places tried for a digit that must not overlap others; after that the canvas goes without it."""

_CHUNK = 256
"""Canvases drawn at once: some ten megabytes of intermediate results."""
_ONE = 16
"""Binary digits of a fixed-point coordinate's fraction."""
_TURN = 14
"""Binary digits of a sine's fraction: coarse enough for every machine's libm to round alike."""
_MARGIN = 2
"""Blank pixels put around a digit, for interpolation beyond its border."""
_DIGIT = 1 + TRIES // 2
"""Random words for a digit: one for its size and turn, and half a one for each place."""

Words = npt.NDArray[np.uint64]
Integers = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class CanvasOptions:
    """What canvases look like; the defaults are localization's default canvas.

    height, width  pixels of a canvas
    fewest, most   digits on a canvas that is not empty: a number between them, all equally probable
    scale          lowest and highest factor that a digit is resized by
    angle          degrees that a digit is turned by at most, either way
    empty          share of canvases without a digit
    noise          standard deviation of the Gaussian noise, as a share of full scale; clipped after adding
    max_iou        highest intersection over union of two boxes of one canvas
    """

    height: int = 48
    width: int = 60
    fewest: int = 1
    most: int = 1
    scale: tuple[float, float] = (0.7, 1.3)
    angle: float = 15.0
    empty: float = 0.15
    noise: float = 0.2
    max_iou: float = 0.05


@dataclass(frozen=True)
class Canvases:
    """``images`` uint8 [N,H,W]; ``boxes`` float32 [N,M,4], corners x1, y1, x2, y2 in pixels (the far ones exclusive);
    ``labels`` int64 [N,M]. M is the options' ``most``; a canvas with fewer digits has them first, then boxes of 0 and
    labels of −1.
    """

    images: Pixels
    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class _Turned:
    """Digits resized and turned: ``ink`` [n,P,P]; ``extent`` and ``box`` int64 [n,4], the bounds of all ink and of
    what exceeds the threshold, as x1, y1, x2, y2 within P×P; 0 where there is none.
    """

    ink: Pixels
    extent: Integers
    box: Integers


def draw_canvases(digits: Pixels, labels: Integers, count: int, seed: int, options: CanvasOptions) -> Canvases:
    """``count`` canvases with digits drawn from ``digits`` uint8 [K,h,w] (light on dark) and ``labels`` int64 [K].

    Every digit lies wholly inside its canvas, and each of the K is tried before one is tried again. UsageError if the
    largest would not fit; a canvas on which no place is found within ``TRIES`` for a further digit has fewer. 54,000
    default canvases take about 6 s on one core.
    """
    _check(digits, options)
    # Every digit is tried once before one is tried again: a small set is used evenly.
    order = _order(count * options.most, len(digits), seed).reshape(count, options.most)
    images = np.zeros((count, options.height, options.width), np.uint8)
    boxes = np.zeros((count, options.most, 4), np.float32)
    found = np.full((count, options.most), -1, np.int64)
    for first, words in _words(count, seed, options):
        part = slice(first, first + len(words))
        _paste(digits, labels, order[part], words, options, Canvases(images[part], boxes[part], found[part]))
        _add_noise(images[part], words[:, _placing(options) :], options.noise)
    return Canvases(images, boxes, found)


def enlarged(images: Pixels, side: int = 20, border: int = 4) -> Pixels:
    """Small digits [N,h,w] brought to side × side (bilinear) within a black border: by default to MNIST's proportions.

    Returns uint8 [N, side + 2·border, side + 2·border].
    """
    large = np.zeros((len(images), side + 2 * border, side + 2 * border), np.uint8)
    inner = stretched(stretched(images.astype(np.int64) << 8, 1, side), 2, side)
    large[:, border : border + side, border : border + side] = (inner + 128) >> 8
    return large


def stretched(values: Integers, axis: int, size: int) -> Integers:
    """Linear interpolation along an axis to ``size`` samples, pixel centres aligned, in fixed point."""
    old = values.shape[axis]
    position = ((2 * np.arange(size) + 1) * old * 128) // size - 128
    position = position.clip(0, (old - 1) << 8)
    low = position >> 8
    weight = (position & 255).reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    high = np.minimum(low + 1, old - 1)
    mixed: Integers = (values.take(low, axis) * (256 - weight) + values.take(high, axis) * weight + 128) >> 8
    return mixed


def largest(height: int, width: int, options: CanvasOptions) -> tuple[int, int]:
    """Height and width that a digit of that size can have on a canvas, resized and turned as far as options allow."""
    tall, wide = height + 1, width + 1  # interpolation reaches half a pixel beyond the border; the rest is rounding
    upright, across = (_reach(one, other, options.angle) for one, other in ((tall, wide), (wide, tall)))
    return math.ceil(upright * options.scale[1] + 1 / 16), math.ceil(across * options.scale[1] + 1 / 16)


def _reach(along: int, across: int, angle: float) -> float:
    """How long a rectangle's shadow is on the axis of its side ``along``, at most, turned by up to ``angle`` degrees:
    its diagonal, if that can lie along the axis.
    """
    turn = math.radians(angle)
    if math.tan(turn) * along >= across:
        return math.hypot(along, across)
    return along * math.cos(turn) + across * math.sin(turn)


def _check(digits: Pixels, options: CanvasOptions) -> None:
    if digits.ndim != 3 or digits.dtype != np.uint8 or not len(digits):
        raise ValueError(f"digits must be uint8[K,h,w], and one at least, not {digits.dtype}{list(digits.shape)}")
    low, high = options.scale
    if not (0.1 <= low <= high <= 8 and 0 <= options.angle <= 45):
        raise UsageError(f"a canvas needs 0.1 ≤ scale ≤ 8, the lower first, and 0 ≤ angle ≤ 45: {options}")
    if not (0 <= options.empty <= 1 and 0 <= options.noise <= 1 and options.max_iou >= 0):
        raise UsageError(f"a canvas needs 0 ≤ empty ≤ 1, 0 ≤ noise ≤ 1 and max_iou ≥ 0: {options}")
    if not 1 <= options.fewest <= options.most:
        raise UsageError(f"a canvas needs 1 ≤ fewest ≤ most digits, not {options.fewest} and {options.most}")
    height, width = largest(digits.shape[1], digits.shape[2], options)
    if options.height < height or options.width < width:
        raise UsageError(
            f"a canvas of {options.height} × {options.width} pixels is too small: a digit resized by {high} and turned "
            f"by {options.angle}° needs {height} × {width}"
        )


def _placing(options: CanvasOptions) -> int:
    """Words of a canvas that say what is on it; one more for each four pixels of noise follows."""
    return 1 + options.most * _DIGIT


def _words(count: int, seed: int, options: CanvasOptions) -> Iterator[tuple[int, Words]]:
    """(index of the first canvas, random words [n,each]), in chunks: each canvas has its own place in one stream."""
    each = _placing(options) + -(-options.height * options.width // 4)
    each += -each % 4  # a step of Philox's counter makes four words
    source = np.random.Philox(key=derive(seed, "canvases"))
    for first in range(0, count, _CHUNK):
        n = min(_CHUNK, count - first)
        yield first, source.random_raw(n * each).reshape(n, each)


def _order(count: int, digits: int, seed: int) -> Integers:
    """``count`` indices of digits: one permutation of all after the other, each a function of the seed."""
    passes = range(-(-count // digits))
    words = (np.random.Philox(key=derive(seed, "digits", i)).random_raw(digits) for i in passes)
    return np.concatenate([word.argsort(kind="stable") for word in words] or [np.zeros(0, np.int64)])[:count]


def _below(words: Words | Integers, bits: int, limit: int | Integers) -> Integers:
    """Integers in [0, limit) from uniform ones of so many bits, without a division's bias at its end."""
    # A product and a shift (Lemire 2019) and not a remainder, which favours small numbers.
    scaled: Integers = (words.astype(np.int64) * limit) >> bits
    return scaled


def _parts(words: Words) -> tuple[Integers, Integers]:
    """The upper and lower 32 bits."""
    return (words >> np.uint64(32)).astype(np.int64), (words & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _paste(
    digits: Pixels, labels: Integers, order: Integers, words: Words, options: CanvasOptions, target: Canvases
) -> None:
    """Put digits (``order`` [n,most]) on a chunk of n blank canvases and note boxes and labels."""
    wanted = _how_many(words[:, 0], options)
    placed = np.zeros(len(words), np.int64)
    for slot in range(options.most):
        rows = np.flatnonzero(wanted > slot)
        first = 1 + slot * _DIGIT
        own, chosen = words[rows, first : first + _DIGIT], order[rows, slot]
        turned = _turn(digits[chosen], own[:, 0], options)
        corners, clear = _places(turned, own[:, 1:], target.boxes[rows], options)
        _stamp(target, rows[clear], placed, labels[chosen[clear]], _only(turned, clear), corners[clear])


def _how_many(words: Words, options: CanvasOptions) -> Integers:
    """Digits wanted on each canvas."""
    blank, number = _parts(words)
    share = round(options.empty * (1 << 32))
    return np.where(blank < share, 0, options.fewest + _below(number, 32, options.most - options.fewest + 1))


@lru_cache(maxsize=8)
def _sines(angle: float, steps: int = 1 << 12) -> Integers:
    """Sine and cosine [steps,2] of evenly spaced turns from −angle to angle degrees, in fixed point."""
    turns = np.deg2rad((2 * np.arange(steps) + 1 - steps) * (angle / (steps - 1)))
    return np.round(np.stack([np.sin(turns), np.cos(turns)], 1) * (1 << _TURN)).astype(np.int64)


def _turn(digits: Pixels, words: Words, options: CanvasOptions) -> _Turned:
    """Each digit [n,h,w] resized and turned about its middle by what its word says, interpolated bilinearly."""
    height, width = digits.shape[1:]
    patch = max(largest(height, width, options))
    patch += (patch - height) % 2  # pixel centres on pixel centres: a digit that is left as it is stays as it is
    by_scale, by_angle = _parts(words)
    low, high = options.scale
    scale = low + (high - low) * (by_scale / (1 << 32))
    inverse = np.round((1 << _ONE) / scale).astype(np.int64)
    table = _sines(options.angle)
    sine, cosine = ((inverse * table[_below(by_angle, 32, len(table)), i]) >> _TURN for i in (0, 1))
    middle = 2 * np.arange(patch) - (patch - 1)  # from the patch's middle, in half pixels
    x = _coordinate(cosine, sine, middle, width)
    y = _coordinate(cosine, -sine, middle, height).transpose(0, 2, 1)
    ink = _interpolated(digits, y, x)
    return _Turned(ink, _bounds(ink > 0), _bounds(ink > THRESHOLD))


def _coordinate(along: Integers, across: Integers, middle: Integers, size: int) -> npt.NDArray[np.int32]:
    """Where each pixel of a patch comes from on one axis, [n, across, along], fixed point: 0 is the first pixel's
    centre.
    """
    first = (along[:, None] * middle)[:, None, :]
    second = (across[:, None] * middle)[:, :, None]
    return (((first + second) >> 1) + ((size - 1) << (_ONE - 1))).astype(np.int32)


def _interpolated(digits: Pixels, y: npt.NDArray[np.int32], x: npt.NDArray[np.int32]) -> Pixels:
    """Values [n,P,P] of digits [n,h,w] at fixed-point coordinates, black beyond them; weights have eight bits."""
    count, height, width = digits.shape
    # Padded, so that places beyond the border are black without a comparison for each.
    padded = np.pad(digits, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN))).astype(np.uint32)
    # The four neighbours of a place in one word: one look-up instead of four.
    quads = np.zeros_like(padded)
    quads[:, :-1, :-1] = (
        padded[:, :-1, :-1] | padded[:, :-1, 1:] << 8 | padded[:, 1:, :-1] << 16 | padded[:, 1:, 1:] << 24
    )
    rows = (y >> _ONE).clip(-_MARGIN, height) + _MARGIN
    columns = (x >> _ONE).clip(-_MARGIN, width) + _MARGIN
    offset = (np.arange(count, dtype=np.int32) * (quads.shape[1] * quads.shape[2]))[:, None, None]
    quad = quads.reshape(-1).take(rows * quads.shape[2] + columns + offset)
    right, down = ((axis >> (_ONE - 8)) & 255 for axis in (x, y))
    above = (quad & 255).astype(np.int32) * (256 - right) + (quad >> 8 & 255).astype(np.int32) * right
    below = (quad >> 16 & 255).astype(np.int32) * (256 - right) + (quad >> 24).astype(np.int32) * right
    mixed: Pixels = ((above * (256 - down) + below * down + (1 << 15)) >> 16).astype(np.uint8)
    return mixed


def _bounds(inside: npt.NDArray[np.bool_]) -> Integers:
    """x1, y1, x2, y2 [n,4] of what is true in [n,P,P], the far ones exclusive; 0 where nothing is."""
    size = inside.shape[1]
    ends = []
    for axis in (1, 2):  # columns, then rows
        any_ = np.any(inside, axis)
        ends.append((any_.argmax(1), (size - any_[:, ::-1].argmax(1)) * any_.any(1)))
    (x1, x2), (y1, y2) = ends
    return np.stack([x1, y1, x2, y2], 1)


def _places(
    turned: _Turned, words: Words, others: npt.NDArray[np.float32], options: CanvasOptions
) -> tuple[Integers, npt.NDArray[np.bool_]]:
    """Where each patch's corner goes, int64 [n,2] as x and y, and whether that is clear of the other boxes [n,M,4].

    Of ``TRIES`` places, which all keep the ink on the canvas, the first that is clear.
    """
    extent, box = turned.extent, turned.box
    tries = np.stack(_parts(words), 2).reshape(len(words), TRIES)  # each 32 bits: 16 for x, 16 for y
    room = np.array([options.width, options.height]) - (extent[:, 2:] - extent[:, :2])
    split = np.stack([tries >> 16, tries & 0xFFFF], 2)
    corners = _below(split, 16, room[:, None] + 1) - extent[:, None, :2]
    there = box[:, None] + np.tile(corners, 2)  # [n,TRIES,4]
    clear = ~np.any(_overlap(there[:, :, None], others.astype(np.int64)[:, None], options.max_iou), 2)
    first = clear.argmax(1)
    rows = np.arange(len(words))
    return corners[rows, first], clear[rows, first] & (box[:, 2] > 0)


def _overlap(a: Integers, b: Integers, limit: float) -> npt.NDArray[np.bool_]:
    """Whether boxes [..., 4] have an IoU above the limit; boxes of no area never do."""
    size = (np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])).clip(0)
    both = size[..., 0] * size[..., 1]
    one, other = ((c[..., 2] - c[..., 0]) * (c[..., 3] - c[..., 1]) for c in (a, b))
    above: npt.NDArray[np.bool_] = both > limit * (one + other - both)
    return above


def _only(turned: _Turned, chosen: npt.NDArray[np.bool_]) -> _Turned:
    return _Turned(turned.ink[chosen], turned.extent[chosen], turned.box[chosen])


def _stamp(
    target: Canvases,
    rows: Integers,
    placed: Integers,
    labels: Integers,
    turned: _Turned,
    corners: Integers,
) -> None:
    """Put patches' ink on canvases ``rows``, the lighter of two pixels; ``placed`` counts digits and is raised."""
    for row, ink, (x1, y1, x2, y2), (x, y) in zip(
        rows.tolist(), turned.ink, turned.extent.tolist(), corners.tolist(), strict=True
    ):
        there = target.images[row, y + y1 : y + y2, x + x1 : x + x2]
        np.maximum(there, ink[y1:y2, x1:x2], out=there)
    target.boxes[rows, placed[rows]] = turned.box + np.tile(corners, 2)
    target.labels[rows, placed[rows]] = labels
    placed[rows] += 1


@lru_cache(maxsize=8)
def _noise_table(sigma: float) -> npt.NDArray[np.int16]:
    """Grey levels of Gaussian noise by 16 random bits: the normal distribution's quantiles, rounded to whole levels."""
    normal, half = NormalDist(0, sigma * 255), 1 << 15
    positive = [round(normal.inv_cdf((half + i + 0.5) / (2 * half))) for i in range(half)]
    return np.array([-value for value in reversed(positive)] + positive, np.int16)


def _add_noise(images: Pixels, words: Words, sigma: float) -> None:
    """Add noise to images [n,H,W] in place and clip; four pixels a word."""
    if not sigma:
        return
    bits = words.astype("<u8", copy=False).copy().view("<u2")[:, : images[0].size]
    noise = _noise_table(sigma).take(bits).reshape(images.shape)
    images[...] = (images + noise).clip(0, 255)

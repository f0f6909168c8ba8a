"""Images whose values have more than 8 bits: 16 and 32 bits, grey or colour, and floats.

What of them is black and what is white, ``PixelRules`` knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile

from dlkit.data.pixel_rules import BY_TYPE, Kind, Range
from dlkit.errors import DataError

Values = npt.NDArray[np.integer] | npt.NDArray[np.floating]

_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339


@dataclass(frozen=True)
class Deep:
    """Values of an image [H,W] or, in colour, [H,W,3 or 4]; of four channels the last is opacity.

    ``declared``: the range that the file itself gives. ``clear``: the value that is transparent, if one is.
    ``white_is_low``: the file says that low values are bright.
    """

    values: Values
    kind: Kind
    declared: Range | None = None
    clear: tuple[int, ...] = ()
    white_is_low: bool = False

    def extremes(self) -> Range:
        """Lowest and highest value, opacity apart; DataError where a value is no number."""
        colours = self._colours()
        low, high = (float(colours.min()), float(colours.max())) if colours.size else (0.0, 0.0)
        # A hole in the picture would be black, or white, as the decoder likes.
        if not np.isfinite([low, high]).all():
            raise DataError("holds values that are not finite numbers")
        return low, high

    def to_8_bits(self, span: Range, *, as_stored: bool = False) -> Image.Image:
        """The image in mode L, RGB or RGBA, ``span`` brought to 0 … 255; what lies outside is cut off.

        ``as_stored``: low values are black, whatever the file says.
        """
        colours = scaled(self._colours(), span)
        if self.white_is_low and not as_stored:
            colours = 255 - colours
        opacity = self._opacity()
        if opacity is None:
            return Image.fromarray(colours)
        whole = Image.fromarray(colours).convert("RGBA")
        whole.putalpha(Image.fromarray(opacity))
        return whole

    def _colours(self) -> Values:
        return self.values[..., :3] if self.values.ndim == 3 else self.values

    def _opacity(self) -> npt.NDArray[np.uint8] | None:
        if self.values.ndim == 3 and self.values.shape[2] == 4:
            return scaled(self.values[..., 3], BY_TYPE["16-bit"])
        if not self.clear:
            return None
        same = self.values == np.array(self.clear if self.values.ndim == 3 else self.clear[0])
        clear = same.all(-1) if self.values.ndim == 3 else same
        return np.where(clear, 0, 255).astype(np.uint8)


def scaled(values: Values, span: Range) -> npt.NDArray[np.uint8]:
    """``span`` → 0 … 255. Of integers each of the 256 has an equal share: 0 … 65535 loses its low 8 bits, 0 … 255 is
    left as it is."""
    low, high = span
    if values.dtype.kind in "iu" and float(low).is_integer() and float(high).is_integer():
        steps = values.astype(np.int64).clip(int(low), int(high)) - int(low)
        # Shares of equal size, not rounding: 0 and 255 would have half as many values as the others.
        shared: npt.NDArray[np.uint8] = (steps * 256 // int(high - low + 1)).astype(np.uint8)
        return shared
    if span == BY_TYPE["float"]:
        # Cut off, not rounded: Pillow's own way with such floats, and so that of older runs.
        cut: npt.NDArray[np.uint8] = values.clip(0, 255).astype(np.uint8)
        return cut
    shares = (values.astype(np.float64) - low) / ((high - low) or 1)
    rounded: npt.NDArray[np.uint8] = np.rint(shares.clip(0, 1) * 255).astype(np.uint8)
    return rounded


def deep(image: Image.Image, again: Callable[[], Image.Image] | None) -> Deep | None:
    """The values of an image that has more than 8 bits; None of others. ``again`` opens the same file anew: without it,
    of colours of 16 bits there are but 8."""
    if image.mode.startswith("I;16"):
        whole = np.asarray(image).astype(np.int32)
        return Deep(whole, "16-bit", _declared(image), _clear(image), _white_is_low(image))
    if image.mode == "I":
        # Pillow brings what a PGM file says its white is to 65535.
        if image.format == "PPM":
            return Deep(np.asarray(image), "16-bit", BY_TYPE["16-bit"])
        return Deep(_unsigned(image), "32-bit", None, _clear(image))
    if image.mode == "F":
        return Deep(np.asarray(image), "float", white_is_low=_white_is_low(image))
    return _deep_colour(image, again) if again else None


def _declared(image: Image.Image) -> Range | None:
    """TIFF knows 12 bits."""
    bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))[0]
    return (0, 2**bits - 1) if bits < 16 else None


def _white_is_low(image: Image.Image) -> bool:
    """TIFF's WhiteIsZero, of which Pillow makes black by itself in images of 8 bits, and in no deeper ones."""
    return getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0


def _unsigned(image: Image.Image) -> Values:
    """Values of mode I, in which Pillow keeps a TIFF's unsigned 32 bits as if they were signed."""
    tags = getattr(image, "tag_v2", {})
    values = np.asarray(image)
    unsigned = tags.get(_BITS_PER_SAMPLE) == (32,) and tags.get(_SAMPLE_FORMAT, (1,))[0] == 1
    return values.astype(np.int32).view(np.uint32) if unsigned else values


def _clear(image: Image.Image) -> tuple[int, ...]:
    value = image.info.get("transparency")
    return () if value is None else value if isinstance(value, tuple) else (value,)


def _deep_colour(image: Image.Image, again: Callable[[], Image.Image]) -> Deep | None:
    """Colour of 16 bits, of which Pillow gives the high 8: the low ones are decoded from the file a second time."""
    raw = _raw_mode(image)
    if raw is None or image.mode not in ("RGB", "RGBA"):
        return None
    other = again()
    if raw.startswith("LA"):  # two values of two bytes: as four bytes they are all there
        _decode_as(other, raw, "RGBA")
        pairs = np.asarray(other).astype(np.int32)
        grey, opacity = (pairs[..., place] << 8 | pairs[..., place + 1] for place in (0, 2))
        return Deep(np.stack([grey, grey, grey, opacity], -1), "16-bit")
    # In the other order of bytes, what Pillow keeps is the low one.
    _decode_as(other, raw, raw[:-1] + ("L" if raw.endswith("B") else "B"))
    values = np.asarray(image).astype(np.int32) << 8 | np.asarray(other)
    return Deep(values, "16-bit", None, _clear(image))


def _raw_mode(image: Image.Image) -> str | None:
    """How a file that is not decoded yet lays its 16-bit colours out, as ``RGB;16B``; None: it has others."""
    tile = getattr(image, "tile", None)
    args = tile[0].args if tile and hasattr(tile[0], "args") else None
    raw = args[0] if isinstance(args, tuple) and args else args
    return raw if isinstance(raw, str) and raw.endswith((";16B", ";16L", ";16N")) else None


def _decode_as(image: Image.Image, raw: str, other: str) -> None:
    assert isinstance(image, ImageFile.ImageFile)

    # What reads pixels is told its layout in a tile's args: alone in a PNG's, first of several in a TIFF's.
    image.tile = [
        tile._replace(args=(other, *tile.args[1:]) if isinstance(tile.args, tuple) else other) for tile in image.tile
    ]

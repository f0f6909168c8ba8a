"""Code files: an image as the few numbers that a model made of it, in a small safetensors document.

The tensor ``code`` is uint8 or float16 [K]. The metadata says, as text: ``format``; ``model``, a hash of the weights
that alone can restore it; ``width`` and ``height`` of the original in pixels; ``invert``, ``1`` where its negative was
encoded; and for uint8 ``low`` and ``high``, which 0 and 255 stand for.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dlkit.errors import DataError

if TYPE_CHECKING:
    from torch import nn

SUFFIX = ".code"
FORMAT = "dlkit-autoencoder-1"

_LARGEST = 1 << 20
"""Bytes of the largest file that is read: codes have tens."""
_LEVELS = 255
_LARGEST_NUMBER = float(np.finfo(np.float32).max)
_HASH = 16
"""Hexadecimal digits of a model's hash: 64 bits tell models apart, and every byte of a file counts."""

Numbers = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Code:
    """``numbers`` float32 [K], as they come out of the file; the original's size; of which model; of a negative."""

    numbers: Numbers
    width: int
    height: int
    model: str
    invert: bool = False


def rounded(numbers: Numbers, bits: Literal[8, 16]) -> Numbers:
    """What is left of numbers [K] in a file: 256 even steps from the least to the greatest, or float16.

    Rounding once more changes nothing. DataError for numbers that are not finite, or too large for float16.
    """
    if not np.isfinite(numbers).all():
        raise DataError("the model gives no finite code for this image")
    if bits == 8:
        low, high = _ends(numbers)
        return _values(_steps(numbers, low, high), low, high)
    with np.errstate(over="ignore"):
        half = numbers.astype(np.float16).astype(np.float32)
    if not np.isfinite(half).all():
        raise DataError(f"a code of {np.abs(numbers).max():g} is too large for 16 bits: ask with --inference.bits 8")
    return half


def dumped(code: Code, bits: Literal[8, 16]) -> bytes:
    """A file of numbers that were ``rounded`` to as many bits."""
    size = {"width": str(code.width), "height": str(code.height), **({"invert": "1"} if code.invert else {})}
    head = {"format": FORMAT, "model": code.model, **size}
    if bits == 16:
        return save({"code": code.numbers.astype(np.float16)}, head)
    low, high = _ends(code.numbers)
    return save({"code": _steps(code.numbers, low, high)}, {**head, "low": repr(low), "high": repr(high)})


def described(code: Code, bits: Literal[8, 16], raw: int, brought_to: str) -> dict[str, object]:
    """A code in an answer's words. ``raw``: bytes of the image that the model sees; ``brought_to``: how it came to that
    size."""
    code_bytes = len(code.numbers) * bits // 8
    return {
        "code_bytes": code_bytes,
        "file_bytes": len(dumped(code, bits)),
        "raw_bytes": raw,
        "ratio": raw / code_bytes,
        "width": code.width,
        "height": code.height,
        "brought_to": brought_to,
        "inverted": code.invert,
        "numbers": code.numbers.tolist(),
    }


def called(source: Path | bytes) -> str:
    """What a code file is called in messages."""
    return "the code" if isinstance(source, bytes) else str(source)


def read_code(source: Path | bytes) -> tuple[Code, Literal[8, 16]]:
    """A code and the bits of each number, of a file or the bytes of one; DataError names one that is missing, too
    large, damaged, or no code."""
    path = called(source)
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > _LARGEST:
            raise DataError(f"{path}: not a code file: {size:,} bytes")
        data = source if isinstance(source, bytes) else source.read_bytes()
        tensors, head = load(data), _metadata(data)  # in this order: it looks at how deep the header is
        if head.get("format") != FORMAT:
            raise DataError(f"{path}: not a code file of format {FORMAT}")
        values = tensors["code"]
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise DataError(f"{path}: not a readable code file: {error}") from error
    try:
        return _code(values, head), 8 if values.dtype == np.uint8 else 16
    except (ValueError, KeyError) as error:
        raise DataError(f"{path}: damaged: {error}") from error


def _metadata(data: bytes) -> Mapping[str, str]:
    """What stands in a safetensors document's header beside its tensors, which its reader of bytes does not tell."""
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    found = head.get("__metadata__") if isinstance(head, dict) else None
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def is_code(value: object) -> bool:
    """Whether an input is a code file."""
    return code_file(value) is not None


def code_file(value: object) -> Path | bytes | None:
    """An input as a code file, if it is one by its name, or its bytes begin as one does."""
    if isinstance(value, bytes):
        return value if value[8:9] == b"{" else None  # no image begins so
    return Path(value) if isinstance(value, (str, Path)) and Path(value).suffix.lower() == SUFFIX else None


def model_hash(model: nn.Module) -> str:
    """Of the names, shapes and values of a model's whole state, wherever it lies."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)} ".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:_HASH]


def _code(values: npt.NDArray[np.generic], head: Mapping[str, str]) -> Code:
    """ValueError or KeyError says what is wrong with the parts of a file."""
    if values.ndim != 1 or not len(values):
        raise ValueError(f"the code has the shape {list(values.shape)}")
    numbers = _numbers(values, head)
    if not np.isfinite(numbers).all():
        raise ValueError("the code is not finite")
    width, height = int(head["width"]), int(head["height"])
    if width < 1 or height < 1 or width * height > (Image.MAX_IMAGE_PIXELS or math.inf):
        raise ValueError(f"an original of {width}x{height} pixels")
    return Code(numbers, width, height, head["model"], head.get("invert") == "1")


def _numbers(values: npt.NDArray[np.generic], head: Mapping[str, str]) -> Numbers:
    """What the values of a file stand for: 256 steps between two ends, or themselves."""
    if values.dtype == np.float16:
        return values.astype(np.float32)
    if values.dtype != np.uint8:
        raise ValueError(f"the code is of type {values.dtype}")
    low, high = float(head["low"]), float(head["high"])
    if not -_LARGEST_NUMBER <= low <= high <= _LARGEST_NUMBER:
        raise ValueError(f"the code goes from {low:g} to {high:g}")
    return _values(values.astype(np.uint8), low, high)


def _ends(numbers: Numbers) -> tuple[float, float]:
    return float(numbers.min()), float(numbers.max())


def _steps(numbers: Numbers, low: float, high: float) -> npt.NDArray[np.uint8]:
    """float32 [K] as steps of the way from ``low`` to ``high``, in double precision: small numbers have steps too."""
    if low == high:
        return np.zeros(len(numbers), np.uint8)
    return np.rint((numbers.astype(np.float64) - low) / (high - low) * _LEVELS).astype(np.uint8)


def _values(steps: npt.NDArray[np.uint8], low: float, high: float) -> Numbers:
    """The ends themselves are exact, so that rounding twice is rounding once."""
    share = steps.astype(np.float64) / _LEVELS
    return (low * (1 - share) + high * share).astype(np.float32)

"""What a predictor is asked and what it answers, as JSON schema (draft 2020-12): the words that they are put into."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import TypedDict

from dlkit.errors import DataError
from dlkit.json_types import Json, JsonObject

TEXT: JsonObject = {"type": "string"}
NUMBER: JsonObject = {"type": "number"}
INTEGER: JsonObject = {"type": "integer"}
TRUTH: JsonObject = {"type": "boolean"}
SHARE: JsonObject = {"type": "number", "minimum": 0, "maximum": 1}
CORNERS: JsonObject = {
    "type": "array",
    "items": {"type": "number"},
    "minItems": 4,
    "maxItems": 4,
    "description": "x1, y1, x2, y2 in pixels of the image",
}
IMAGE: JsonObject = {
    "description": "an image: the bytes of a file in base64 (a data URL too), or rows of pixels from 0 to 255",
    "oneOf": [
        {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/*"},
        {"type": "array", "items": {"type": "array"}},
    ],
}


class Schema(TypedDict):
    """``question``: what ``Predictor.accept`` takes; ``answer``: what ``predict`` returns of it; ``example``: a
    question."""

    question: JsonObject
    answer: JsonObject
    example: Json


def several(items: JsonObject) -> JsonObject:
    """A list of these, of any length."""
    return {"type": "array", "items": items}


def maybe(schema: JsonObject) -> JsonObject:
    """The same, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def choice(names: Sequence[str]) -> JsonObject:
    """One of these texts."""
    return {"type": "string", "enum": [*names]}


def by_name(values: JsonObject) -> JsonObject:
    """An object of any names, each with such a value."""
    return {"type": "object", "additionalProperties": values}


def fields(properties: Mapping[str, JsonObject], optional: Sequence[str] = ()) -> JsonObject:
    """An object of these; all are there, but for the optional ones."""
    required: list[Json] = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


def told(value: object) -> str:
    """What kind of JSON value that is, for messages: ``a list``."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "a number"
    kinds = {bool: "true or false", str: "a text", dict: "an object", list: "a list", bytes: "a file"}
    return "null" if value is None else kinds.get(type(value), f"a {type(value).__name__}")


def text_of(value: object, what: str) -> str:
    """A question that is a text (a file's bytes are UTF-8); DataError says what else it is. ``what``: "a sentence"."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"{what} is UTF-8 text: byte {error.start + 1} of the file is not") from None
    if not isinstance(value, str):
        raise DataError(f"{what} is a text, not {told(value)}")
    if (odd := next((place for place, sign in enumerate(value, 1) if "\ud800" <= sign <= "\udfff"), 0)) != 0:
        raise DataError(f"{what} is Unicode text: character {odd} is half of a surrogate pair")
    return value


def base64_bytes(text: str) -> bytes:
    """What base64, or a data URL of it, stands for; DataError where it is neither."""
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise DataError("a data URL of an image is of the form data:image/png;base64,…")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"an image's text is base64 of its file: {error}") from None

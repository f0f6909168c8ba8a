"""``--vary KEY=VALUES`` as typed: alternatives, or a range; what each means is the option's own affair.

==================  ===============================================================================================
``a,b,c``           alternatives
``64|128,64``       alternatives, where a value has commas itself: of an option that is a list
``[64],[128,64]``   the same
``1..8``            a range: whole numbers, or any between, as the option has it
``log:1e-4..1e-1``  a range, each power of ten as likely as the next
==================  ===============================================================================================
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from dlkit.config import CHOICES, SECTIONS, SHORT_FLAGS, FieldInfo, parse_option
from dlkit.errors import UsageError, nearest

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*(log:)?\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*")
MOST_VALUES = 10_000
"""Of one key in a grid."""


@dataclass(frozen=True)
class Axis:
    """One ``--vary``: the full key (``trainer.lr``, ``model.name``) and what was typed."""

    key: str
    text: str

    @property
    def section(self) -> str:
        return self.key.partition(".")[0]

    @property
    def chooses(self) -> bool:
        """Whether it names components."""
        return self.section in CHOICES and self.key.endswith(".name")


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``, both included. ``whole``: of whole numbers; ``log``: evenly in the logarithm."""

    low: float
    high: float
    whole: bool
    log: bool


Alternatives = tuple[object, ...]
Domain = Alternatives | Range


def axis(word: str) -> Axis:
    """``KEY=VALUES``; UsageError for what is none, for an unknown section, and for the seed."""
    key, equals, text = word.partition("=")
    key = key.strip().removeprefix("--").replace("-", "_")
    if not equals or not text.strip():
        raise UsageError(f"--vary {word}: give KEY=VALUES, for example trainer.lr=0.1,0.03 or model=mlp,cnn")
    full = SHORT_FLAGS.get(key, f"{key}.name" if key in CHOICES else key)
    section, dot, _ = full.partition(".")
    if not dot or section not in SECTIONS:
        known = [*CHOICES, *SHORT_FLAGS, *(name for name in SECTIONS if name not in CHOICES)]
        raise UsageError(f"--vary {key}: no such option: {nearest(section, known)}; and SECTION.FIELD")
    if full == "engine.seed":
        raise UsageError("--vary seed: seeds are not settings: --seeds N trains each setting with N of them")
    return Axis(full, text.strip())


def names_of(found: Axis) -> list[str]:
    """The components that an axis names."""
    return list(dict.fromkeys(_split(found.text, of_lists=False)))


def domain(found: Axis, info: FieldInfo) -> Domain:
    """What the option makes of it; bounds are judged where the whole configuration is."""
    if (match := _RANGE.fullmatch(found.text)) and _is_number(info):
        return _range(found, info, bool(match[1]), match[2], match[3])
    texts = _split(found.text, of_lists=_is_list(info))
    values = [parse_option(info.schema, text) for text in texts]
    return tuple({repr(value): value for value in values}.values())


def every_value(found: Axis, what: Domain) -> Alternatives:
    """All values of a domain; UsageError for a range that has no end of them."""
    if not isinstance(what, Range):
        return what
    if not what.whole or what.log:
        raise UsageError(
            f"--vary {found.key}={found.text}: a grid takes values one by one, and this is a range: "
            "name them (a,b,c), or give --search random"
        )
    if what.high - what.low >= MOST_VALUES:
        raise UsageError(f"--vary {found.key}={found.text}: more than {MOST_VALUES} values of one option")
    return tuple(range(int(what.low), int(what.high) + 1))


def _range(found: Axis, info: FieldInfo, log: bool, low: str, high: str) -> Range:
    least, most = float(low), float(high)
    said = f"--vary {found.key}={found.text}"
    if not math.isfinite(least) or not math.isfinite(most) or least >= most:
        raise UsageError(f"{said}: a range goes from a number to a larger one")
    if log and least <= 0:
        raise UsageError(f"{said}: log: takes numbers above 0")
    whole = "number" not in _types(info)
    if whole and not (least.is_integer() and most.is_integer()):
        raise UsageError(f"{said}: {found.key} takes whole numbers")
    return Range(least, most, whole, log)


def _types(info: FieldInfo) -> set[str]:
    options = info.schema.get("anyOf", [info.schema])
    return {str(option.get("type", "")) for option in options}


def _is_number(info: FieldInfo) -> bool:
    return bool(_types(info) & {"number", "integer"}) and not _is_list(info)


def _is_list(info: FieldInfo) -> bool:
    return "array" in _types(info)


def _split(text: str, *, of_lists: bool) -> list[str]:
    """Alternatives; commas inside brackets belong to a value, and so do all of a list written without."""
    if "|" in text:
        parts = text.split("|")
    elif of_lists and not text.startswith("["):
        parts = [text]
    else:
        parts = re.split(r",(?![^\[]*\])", text)
    return [part.strip() for part in parts]

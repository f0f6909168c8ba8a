"""Settings as people read them. Needs no plugin: a table of a study shows what its log has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dlkit.json_types import Settings
from dlkit.present.text import from_here


def changing(settings: Mapping[int, Settings]) -> list[str]:
    """The keys in which settings differ, in the order they came in; of a single setting all of them."""
    keys = list(dict.fromkeys(key for values in settings.values() for key in values))
    if len(settings) < 2:
        return keys
    return [key for key in keys if len({repr(values.get(key, _MISSING)) for values in settings.values()}) > 1]


_MISSING = object()


def words(values: Settings, keys: Iterable[str] | None = None) -> str:
    """``model lenet, trainer.lr 0.1``; empty of a setting in which nothing is varied."""
    return ", ".join(
        f"{label(key)} {shown(values[key])}" for key in (values if keys is None else keys) if key in values
    )


BASE = "the base"
"""Of an ablation: the setting that the others change an option of."""


def changes(values: Settings, base: Settings, keys: Iterable[str]) -> str:
    """What a setting of an ablation changes; ``BASE``: nothing."""
    return words(values, [key for key in keys if values.get(key, _MISSING) != base.get(key, _MISSING)]) or BASE


def base_told(base: Settings, keys: Iterable[str]) -> str:
    """What the settings of an ablation are changes of, in a line."""
    return f"{BASE} has {words(base, keys)}; each other setting changes one option of it"


def label(key: str) -> str:
    """A key as people know it: a component by its part."""
    return key.removesuffix(".name")


def shown(value: object) -> str:
    """A value in a cell."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, (list, tuple)):
        return ",".join(map(shown, value)) or "(empty)"
    return f"{value:.6g}" if isinstance(value, float) else str(from_here(value))

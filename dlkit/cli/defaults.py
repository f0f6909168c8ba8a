"""Where a stored configuration differs from its options' defaults, without validating it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dlkit.errors import DlkitError
from dlkit.runs.contents import flatten

if TYPE_CHECKING:
    from pydantic import BaseModel

    from dlkit.catalog import Catalog


def differences(values: Mapping[str, object]) -> dict[str, object]:
    """The settings, by dotted key, that are not an option's default; of a component that is gone, all of them."""
    from dlkit.catalog import Catalog
    from dlkit.config import CHOICES, OWN

    catalog = Catalog.load_everything()
    known = {f"{section}.": _defaults_of(model) for section, model in OWN.items()}
    for part in CHOICES:
        fields = values.get(part)
        name = fields.get("name") if isinstance(fields, Mapping) else None
        known[f"{part}."] = _defaults(catalog, part, str(name), str(values.get("task")))
    known["launcher."]["name"] = "local"
    flat = flatten(values)
    return {
        key: value
        for key, value in flat.items()
        if not any(key.startswith(part) and _same(value, key[len(part) :], known[part]) for part in known)
    }


def _same(value: object, name: str, defaults: Mapping[str, object]) -> bool:
    return name in defaults and defaults[name] == value


def _defaults_of(model: type[BaseModel]) -> dict[str, object]:
    from dlkit.config import fields_of

    return {info.name: info.default for info in fields_of(model)}


def _defaults(catalog: Catalog, part: str, name: str, task: str) -> dict[str, object]:
    from dlkit.config import config_class

    try:
        return _defaults_of(config_class(catalog, catalog.find(part, name, task)))
    except DlkitError:
        return {}

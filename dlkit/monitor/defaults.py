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

    known = defaults(Catalog.load_everything(), values)
    return {key: value for key, value in flatten(values).items() if key not in known or known[key] != value}


def defaults(catalog: Catalog, values: Mapping[str, object]) -> dict[str, object]:
    """What every option of the chosen components is if nobody says otherwise, by dotted key; nothing of a component
    that is gone."""
    from dlkit.config import CHOICES, OWN

    known = {section: _defaults_of(model) for section, model in OWN.items()}
    for part in CHOICES:
        fields = values.get(part)
        name = fields.get("name") if isinstance(fields, Mapping) else None
        known[part] = _defaults(catalog, part, str(name), str(values.get("task")))
    known["launcher"]["name"] = "local"
    return {f"{section}.{name}": value for section, found in known.items() for name, value in found.items()}


def _defaults_of(model: type[BaseModel]) -> dict[str, object]:
    from dlkit.config import fields_of

    return {info.name: info.default for info in fields_of(model)}


def _defaults(catalog: Catalog, part: str, name: str, task: str) -> dict[str, object]:
    from dlkit.config import config_class

    try:
        return _defaults_of(config_class(catalog, catalog.find(part, name, task)))
    except DlkitError:
        return {}

"""What JSON and TOML files hold, as types: for values that come from one, or go into one.

``Json`` is what a parser returns: whoever uses a value checks first what it is. A file that has a contract has a type
of its own (the record of a run, a checkpoint's manifest, the events).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, Union

Json: TypeAlias = Union[bool, int, float, str, "list[Json]", "dict[str, Json]", None]  # names itself: so no "|"
JsonObject: TypeAlias = dict[str, Json]
Settings: TypeAlias = Mapping[str, object]
"""Options as a person or a file gives them, by name or by section and name: nobody has checked them yet."""

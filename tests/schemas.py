"""The schemas of what ``--json`` writes, as dlkit ships them, and the comparison with them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

import dlkit

SCHEMAS = Path(dlkit.__file__).parent / "schemas"


@cache
def registry() -> Registry[Any]:
    files = [Resource.from_contents(json.loads(path.read_text())) for path in SCHEMAS.glob("*.json")]
    return Registry().with_resources([(str(file.contents["$id"]), file) for file in files])


def check(name: str, value: object) -> None:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text())
    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:500]}"
        for error in Draft202012Validator(schema, registry=registry()).iter_errors(value)
    ]
    assert not problems, (name, problems)

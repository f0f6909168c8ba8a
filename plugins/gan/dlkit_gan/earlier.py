"""What options that a run was written without mean for it: what was done then."""

from __future__ import annotations


def dataset(fields: dict[str, object], version: int) -> dict[str, object]:
    """Before version 2 as many images were judged as a split has, drawn at random."""
    return {**({"judged": 0} if version < 2 else {}), **fields}

"""What options that a run was written without mean for it: what was done then."""

from __future__ import annotations


def spotlight(fields: dict[str, object], version: int) -> dict[str, object]:
    """Before version 2 Muon updated all matrices but that of the classes."""
    return {**({"muon_answers": True} if version < 2 else {}), **fields}

"""What options that a run was written without mean for it: what was done then."""

from __future__ import annotations


def variational(fields: dict[str, object], version: int) -> dict[str, object]:
    """Before version 2 the loss outside training was that of the posterior's mean."""
    return {**({"bound": False} if version < 2 else {}), **fields}


def elbo(fields: dict[str, object], version: int) -> dict[str, object]:
    """Before version 2 the gaussian had one variance for a batch."""
    return {**({"variance": "batch"} if version < 2 else {}), **fields}

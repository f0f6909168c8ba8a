"""A plugin's code as a new process would have it: what it keeps in its modules is gone."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import invalidate_caches

from dlkit.components import Spec


@contextmanager
def imported_anew(specs: Iterable[Spec]) -> Iterator[None]:
    """Meanwhile the packages of these components are imported again; afterwards they are as they were."""
    packages = {spec.target.partition(":")[0].partition(".")[0] for spec in specs if spec.target} - {"dlkit"}
    kept = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in packages}
    for name in kept:
        del sys.modules[name]
    invalidate_caches()
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
            del sys.modules[name]
        sys.modules.update(kept)

"""The probe without its process, for tests: answers are the same, but for what kills it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from dlkit.config import Resolved
from dlkit.engine.probe.asking import Child, Died
from dlkit.engine.probe.process import Tries


class Here(Child):
    """In the place of ``child``: a context that gives itself, and asks ``tries`` in this process."""

    def __init__(self, tries: Tries) -> None:
        self._tries = tries
        self.started = 0.0

    def __call__(self, workspace: Path, *, offline: bool = False) -> Here:
        return self

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None: ...

    def ask(self, do: str, resolved: Resolved, say: Callable[[str], None] = lambda stage: None, **fields: Any) -> Any:
        request = {"do": do, "task": resolved.task.name, "config": resolved.values(), **fields}
        found = self._tries.answer(request)
        if "error" in found:
            raise Died(str(found["error"]), str(found["stage"]))
        return found

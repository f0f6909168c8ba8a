"""What people ask of a running job: read from commands.jsonl, and what has come of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from dlkit.config import EngineConfig, changeable, explain
from dlkit.engine.trainer import Trainer
from dlkit.errors import UsageError, nearest
from dlkit.events import Commanded
from dlkit.runs import commands
from dlkit.runs.commands import Command
from dlkit.runs.files import file_size
from dlkit.runs.log import parse_lines

LOOK_SECONDS = 0.1
"""Shortest time between two looks at commands.jsonl: a look costs a system call."""


class Inbox:
    """New lines of commands.jsonl, from ``offset`` on."""

    def __init__(self, path: Path, offset: int | None = None) -> None:
        """Without ``offset``, what stands there already is passed over: it was asked of an earlier attempt."""
        self.path = path
        self.offset = file_size(path) if offset is None else offset
        self._looked = 0.0

    def due(self) -> bool:
        """Whether it is time to look again."""
        return time.monotonic() - self._looked >= LOOK_SECONDS

    def look(self) -> list[Command]:
        """What has been asked since the last look."""
        self._looked = time.monotonic()
        if file_size(self.path) <= self.offset:
            return []
        found, self.offset = commands.read(self.path, self.offset)
        return found


class Settings:
    """Options changed while the run goes: those of the trainer that say so, and a few of the engine.

    ``values`` are the changed ones by full key, ``obeyed`` the ids of the commands that changed them; both are in every
    checkpoint. ``replay`` are changes of later steps than the checkpoint's, made again at the same steps.
    """

    def __init__(self, trainer: Trainer, engine: EngineConfig, on_engine: Callable[[EngineConfig], None]) -> None:
        self._trainer, self._engine, self._on_engine = trainer, engine, on_engine
        self.values: dict[str, Any] = {}
        self.obeyed: list[str] = []
        self.replay: list[Commanded] = []

    @property
    def keys(self) -> list[str]:
        """What may be changed."""
        return sorted([*(f"engine.{name}" for name in changeable(EngineConfig)), *self._trainer.changeable()])

    def change(self, key: str, value: Any, identity: str) -> str:
        """Change an option; returns why that is refused, or an empty text."""
        if key not in self.keys:
            return f"{key} cannot be changed while the run goes; {nearest(key, self.keys)}"
        section, _, name = key.partition(".")
        try:
            if section == "engine":
                self._engine = _changed(self._engine, "engine", name, value)
                self._on_engine(self._engine)
            else:
                self._trainer.change(_changed(self._trainer.config, section, name, value))
        except UsageError as error:
            return str(error)
        self.values[key] = value
        self.obeyed.append(identity)
        return ""

    def restore(self, values: Mapping[str, Any], obeyed: Iterable[str], log: Path, step: int) -> None:
        """As of a checkpoint at ``step``; what the log tells of later changes is to be made again."""
        for key, value in values.items():
            self.change(key, value, "")
        self.obeyed = list(obeyed)
        with log.open("rb") as file:
            told = [e for e in parse_lines(file) if isinstance(e, Commanded) and e.action == "set" and not e.refused]
        later = {e.id: e for e in told if e.id not in self.obeyed and e.step >= step}
        self.replay = sorted(later.values(), key=lambda e: (e.step, e.end))

    def due(self, step: int) -> list[Commanded]:
        """Changes to be made again at this step."""
        found = [event for event in self.replay if event.step <= step]
        self.replay = self.replay[len(found) :]
        return found

    def next_step(self) -> float:
        """The step of the next one of them."""
        return self.replay[0].step if self.replay else float("inf")


def _changed(config: Any, section: str, name: str, value: Any) -> Any:
    """The options with one changed, validated; UsageError says what is allowed."""
    model: type[BaseModel] = type(config)
    try:
        return model.model_validate({**config.model_dump(), name: value})
    except ValidationError as error:
        problems = [explain(section, model, problem, {}, section) for problem in error.errors()]
        raise UsageError("; ".join(problems)) from error

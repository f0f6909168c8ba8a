"""Options that are changed while a run goes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dlkit.config import EngineConfig, changeable, explain
from dlkit.engine.progress import Progress
from dlkit.engine.trainer import Trainer
from dlkit.errors import UsageError, nearest
from dlkit.events import Commanded
from dlkit.json_types import Json
from dlkit.runs.log import every_event

C = TypeVar("C", bound=BaseModel)


class Settings:
    """The options as they are now: those of the trainer that say so may be changed, and a few of the engine.

    ``engine`` are the engine's, ``values`` the changed ones of all by full key, which every checkpoint holds.
    ``replay`` are changes at later steps than the checkpoint's that the log tells of: they are made again at the same
    steps, so that a resume computes what the killed attempt would have.
    """

    def __init__(self, trainer: Trainer, engine: EngineConfig, progress: Progress) -> None:
        self.engine = engine
        self.values: dict[str, Json] = {}
        self.replay: list[Commanded] = []
        self._trainer, self._progress = trainer, progress

    @property
    def keys(self) -> list[str]:
        """What may be changed."""
        return sorted([*(f"engine.{name}" for name in changeable(EngineConfig)), *self._trainer.changeable()])

    def change(self, key: str, value: Json, identity: str) -> str:
        """Change an option, as the command ``identity`` asks; returns why that is refused, or an empty text."""
        if refused := self._apply(key, value):
            return refused
        self._progress.obeyed.append(identity)
        return ""

    def restore(self, values: Mapping[str, Json], log: Path, step: int) -> None:
        """As of a checkpoint at ``step``; later changes are kept, to be made again."""
        for key, value in values.items():
            self._apply(key, value)  # the ids of who asked are in the progress already
        told = [e for e in every_event(log) if isinstance(e, Commanded) and e.action == "set" and not e.refused]
        # By id: a change that was made again stands in the log more than once.
        later = {e.id: e for e in told if e.id not in self._progress.obeyed and e.step >= step}
        self.replay = sorted(later.values(), key=lambda e: (e.step, e.end))

    def due(self, step: int) -> list[Commanded]:
        """Changes to be made again at this step."""
        found = [event for event in self.replay if event.step <= step]
        self.replay = self.replay[len(found) :]
        return found

    def next_step(self) -> float:
        """The step of the next change that is to be made again."""
        return self.replay[0].step if self.replay else float("inf")

    def _apply(self, key: str, value: Json) -> str:
        if key not in self.keys:
            return f"{key} cannot be changed while the run goes; {nearest(key, self.keys)}"
        section, _, name = key.partition(".")
        try:
            if section == "engine":
                self.engine = _changed(self.engine, "engine", name, value)
            else:
                self._trainer.change(_changed(self._trainer.config, section, name, value))
        except UsageError as error:
            return str(error)
        self.values[key] = value
        return ""


def _changed(config: C, section: str, name: str, value: Json) -> C:
    """The options with one changed, validated; UsageError says what is allowed."""
    model = type(config)
    try:
        # All of them again: a rule may tie one option to another.
        return model.model_validate({**config.model_dump(), name: value})
    except ValidationError as error:
        problems = [explain(section, model, problem, {}, section) for problem in error.errors()]
        raise UsageError("; ".join(problems)) from error

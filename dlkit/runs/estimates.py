"""What a run will take, as a few steps of it told: kept in its run.json where it was known before it began."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from dlkit.json_types import Json

PARTS = ("preparing", "training", "evaluations", "samples", "checkpoints", "rest")
"""What a run's time goes to, in the order in which people read it."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a run will take. None stands for what cannot be known, and ``unknown`` says why, a sentence each.

    fits           whether it could take its first steps; ``problem`` says why not, ``advice`` what to change
    seconds        of the run, from its first event to its last; of these ``parts`` by kind (PARTS)
    starting       seconds before that: process, data and model
    step           seconds of one step, once warm
    steps          that the run will take; ``tried``: that were taken for this
    memory         bytes of the host that its processes have at most; ``device_memory``: of the device, if it has its
                   own
    checkpoint     bytes of one; ``disk``: of the run's folder, at its end
    """

    fits: bool = True
    problem: str = ""
    advice: Sequence[str] = ()
    seconds: float | None = None
    starting: float = 0.0
    step: float | None = None
    steps: int = 0
    tried: int = 0
    parts: Mapping[str, float] = dataclasses.field(default_factory=dict)
    memory: int | None = None
    device: str = ""
    device_memory: int | None = None
    checkpoint: int = 0
    disk: int = 0
    unknown: Sequence[str] = ()

    @property
    def whole(self) -> float | None:
        """Seconds from typing Enter to the end."""
        return None if self.seconds is None else self.starting + self.seconds

    def after(self, step: int) -> Estimate:
        """Of a run that goes on behind so many steps: each kind of work comes as much less often."""
        if self.seconds is None or not self.steps:
            return self
        # Warm-up and beginnings are in it as well, by their share: a fork has some of its own.
        left = max(0, self.steps - step)
        parts = {kind: took * left / self.steps for kind, took in self.parts.items()}
        return dataclasses.replace(self, steps=left, parts=parts, seconds=self.seconds * left / self.steps)

    def record(self) -> dict[str, object]:
        """What is kept of it."""
        # Not its notes and parts: what stands beside the run's own time and memory is enough, and run.json is read for
        # every run of a list.
        return {
            "seconds": None if self.seconds is None else round(self.seconds, 3),
            "starting": round(self.starting, 3),
            "steps": self.steps,
            "memory": self.memory,
            "device_memory": self.device_memory,
            "disk": self.disk,
        }

    def to_json(self) -> dict[str, Json]:
        return cast("dict[str, Json]", dataclasses.asdict(self))


# Not for records, which may be damaged or newer: of those each reader takes what it understands.
def from_json(found: Mapping[str, Json]) -> Estimate:
    """What ``to_json`` gave, in another process of the same version."""
    return Estimate(**found)  # type: ignore[arg-type]

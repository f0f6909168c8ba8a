"""How a run goes on that has been broken off."""

from __future__ import annotations

from dataclasses import dataclass

from dlkit.runs.checkpoints import Checkpoint


@dataclass(frozen=True)
class Resuming:
    """How a run goes on: from a checkpoint (None: from step 0), and what of it may not be reproduced exactly."""

    checkpoint: Checkpoint | None = None
    differences: tuple[str, ...] = ()

    @property
    def branches(self) -> bool:
        """Whether the checkpoint is that which a fork begins with."""
        return self.checkpoint is not None and self.checkpoint.manifest.taken_with is not None

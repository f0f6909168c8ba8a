"""What dlkit itself offers, through the same hooks as everybody."""

from __future__ import annotations

from dlkit import TrainerSpec, hookimpl


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="supervised",
            summary="Gradient descent on a loss: SGD, Adam, AdamW or Muon, with a schedule",
            target="dlkit.engine.supervised:SupervisedTrainer",
            config="dlkit.engine.options:SupervisedConfig",
        )
    ]

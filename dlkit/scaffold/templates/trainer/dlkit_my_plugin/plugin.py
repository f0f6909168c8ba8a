"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import TrainerSpec, hookimpl


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="my-plugin",
            task="any",
            summary="Lion: steps by the sign of an average of gradients",
            target="dlkit_my_plugin.trainer:LionTrainer",
            config="dlkit_my_plugin.options:Options",
        )
    ]

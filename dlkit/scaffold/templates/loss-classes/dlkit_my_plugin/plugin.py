"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import LossSpec, hookimpl


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="my-plugin",
            task="classification",
            summary="Focal loss: what is surely right already counts less",
            target="dlkit_my_plugin.loss:focal",
            config="dlkit_my_plugin.options:Options",
        )
    ]

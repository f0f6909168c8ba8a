"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import ModelSpec, hookimpl


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="my-plugin",
            task="classification",
            summary="Fully connected layers with skips",
            target="dlkit_my_plugin.model:build",
            config="dlkit_my_plugin.options:Options",
        )
    ]

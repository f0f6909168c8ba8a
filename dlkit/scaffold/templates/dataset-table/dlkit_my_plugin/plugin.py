"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import DatasetSpec, hookimpl


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="my-plugin",
            task="regression",
            summary="Pendulums: length and angle in, the time of a swing out",
            target="dlkit_my_plugin.data:build",
            config="dlkit_my_plugin.options:Options",
            example="dlkit_my_plugin.data:write_example",
        )
    ]

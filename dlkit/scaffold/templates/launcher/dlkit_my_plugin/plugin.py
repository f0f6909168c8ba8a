"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import LauncherSpec, hookimpl


@hookimpl
def dlkit_launchers() -> list[LauncherSpec]:
    return [
        LauncherSpec(
            name="my-plugin",
            summary="Processes of low priority: whoever works at this machine comes first",
            target="dlkit_my_plugin.launcher:command",
            config="dlkit_my_plugin.options:Options",
        )
    ]

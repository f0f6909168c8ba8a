"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import ModelSpec, hookimpl


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="mixer",
            task="classification",
            summary="MLP-Mixer: layers across patches and within them",
            target="dlkit_mixer.model:build",
            config="dlkit_mixer.options:Options",
        )
    ]

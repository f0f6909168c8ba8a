"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import InferenceSpec, hookimpl


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="my-plugin",
            task="classification",
            summary="The two likeliest classes, and how far they are apart",
            target="dlkit_my_plugin.predictor:Margins",
            config="dlkit_my_plugin.options:Options",
        )
    ]

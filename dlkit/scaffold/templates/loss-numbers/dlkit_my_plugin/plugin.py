"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import LossSpec, hookimpl


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="my-plugin",
            task="regression",
            summary="Logarithm of the hyperbolic cosine: square near 0, linear far off",
            target="dlkit_my_plugin.loss:log_cosh",
            config="dlkit_my_plugin.options:Options",
        )
    ]

"""A plugin for the toy task: a model with a frozen part, and a loss that learns and has a frozen part too."""

from __future__ import annotations

from dlkit import LossSpec, ModelSpec, hookimpl


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="headed",
            task="toy",
            summary="A frozen layer and norm, and a head",
            target="headed_parts:build_headed",
            config="headed_parts:HeadedConfig",
        )
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="uncertain",
            task="toy",
            summary="Squared error by a deviation that is learned",
            target="headed_parts:build_uncertain",
        )
    ]

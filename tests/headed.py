"""A plugin for the toy task: a frozen part, a loss that learns, a trainer that computes frozen features once."""

from __future__ import annotations

from dlkit import LossSpec, ModelSpec, TrainerSpec, hookimpl


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


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="cached",
            task="toy",
            summary="Trains the head on features that are computed once",
            target="headed_parts:CachedTrainer",
            config="headed_parts:CachedConfig",
        )
    ]

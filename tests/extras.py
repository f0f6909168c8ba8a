"""A second plugin for the toy task, of components that wait, break or need more than a straight line."""

from __future__ import annotations

from dlkit import LauncherSpec, LossSpec, ModelSpec, TrainerSpec, hookimpl


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="mlp",
            task="toy",
            summary="Two hidden layers, normalised, maybe with one matrix for both",
            target="extras_parts:build_mlp",
            config="extras_options:MlpConfig",
        ),
        ModelSpec(name="sum", task="toy", summary="The sum of its inputs: no parameters", target="extras_parts:Sum"),
        ModelSpec(
            name="rivals",
            task="toy",
            summary="A generator of points and a discriminator that knows the plane's",
            target="rivals:build",
            config="extras_options:RivalsConfig",
            interface="adversarial",
            defaults={"loss": "rivals", "trainer": "adversarial"},
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="troubled",
            task="toy",
            summary="Mean squared error that waits, turns into NaN, or raises",
            target="extras_parts:build_troubled",
            config="extras_options:TroubleConfig",
        ),
        LossSpec(
            name="rivals",
            task="toy",
            summary="Sigmoid cross-entropy of both",
            target="rivals:Rivalry",
            interface="adversarial",
        ),
    ]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="modest",
            task="toy",
            summary="Supervised, but honours no option of the engine",
            target="extras_parts:ModestTrainer",
            config="dlkit.engine.options:SupervisedConfig",
        )
    ]


@hookimpl
def dlkit_launchers() -> list[LauncherSpec]:
    return [
        LauncherSpec(name="zygote", summary="A process that begins in milliseconds", target="zygote:command"),
    ]

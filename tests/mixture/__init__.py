"""A plugin for tests of configuration: two data sets, three models of two interfaces, and presets. Nothing is built."""

from __future__ import annotations

from typing import Any

from dlkit import (
    DatasetSpec,
    InferenceSpec,
    LossSpec,
    ModelSpec,
    Suggest,
    TaskSpec,
    TrainerSpec,
    hookimpl,
)

HERE: dict[str, Any] = {"task": "mixture", "target": "mixture.parts:build"}


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name="mixture",
            title="Mixture",
            summary="Nothing to be trained",
            target="mixture.parts:Mixture",
            defaults={"dataset": "small", "model": "plain", "loss": "l2", "trainer": "usual", "inference": "ask"},
            metric="val/score",
            direction="max",
            presets="mixture:presets",
            suggest=(Suggest(settings={"engine.epochs": 7, "trainer.lr": 0.5}),),
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(name="small", summary="Few", **HERE),
        DatasetSpec(
            name="large",
            summary="Many",
            config="mixture.options:LargeConfig",
            suggest=(
                Suggest(settings={"model": "deep", "engine.batch_size": 512}),
                Suggest(settings={"trainer.lr": 0.25}, when={"model": "deep"}),
                Suggest(settings={"trainer.lr": 0.125}, when={"model": "plain"}),
            ),
            **HERE,
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(name="plain", summary="One layer", config="mixture.options:PlainConfig", **HERE),
        ModelSpec(
            name="deep",
            summary="Many layers",
            config="mixture.options:DeepConfig",
            suggest=(Suggest(settings={"engine.steps": 900}, when={"dataset": "small"}),),
            **HERE,
        ),
        ModelSpec(
            name="handmade",
            summary="Without autograd",
            interface="handmade",
            defaults={"loss": "byhand", "trainer": "byhand"},
            **HERE,
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(name="l1", summary="Absolute", **HERE),
        LossSpec(name="l2", summary="Squared", **HERE),
        LossSpec(name="byhand", summary="Squared, with its derivative", interface="handmade", **HERE),
    ]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(name="usual", summary="Autograd", config="mixture.options:UsualConfig", **HERE),
        TrainerSpec(
            name="byhand",
            summary="Derivatives by hand",
            interface="handmade",
            config="mixture.options:UsualConfig",
            **HERE,
        ),
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [InferenceSpec(name="ask", summary="Questions", config="mixture.options:AskConfig", **HERE)]

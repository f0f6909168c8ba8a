"""A plugin planted to disturb: one component of each kind for the toy task, which misbehaves as its ``way`` says.

This module is its entry point; ``unruly_options`` holds the options, ``unruly_parts`` what needs torch.
"""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, TrainerSpec, hookimpl

CONFIG = "unruly_options:UnrulyConfig"


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [DatasetSpec(name="unruly", task="toy", summary="s", target="unruly_parts:build_data", config=CONFIG)]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [ModelSpec(name="unruly", task="toy", summary="s", target="unruly_parts:build_model", config=CONFIG)]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [LossSpec(name="unruly", task="toy", summary="s", target="unruly_parts:build_loss", config=CONFIG)]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    config = "unruly_options:UnrulyTrainerConfig"
    return [TrainerSpec(name="unruly", task="toy", summary="s", target="unruly_parts:UnrulyTrainer", config=config)]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [InferenceSpec(name="unruly", task="toy", summary="s", target="unruly_parts:Unruly", config=CONFIG)]

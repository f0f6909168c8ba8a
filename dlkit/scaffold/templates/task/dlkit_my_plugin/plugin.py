"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, Suggest, TaskSpec, hookimpl

TASK, HERE = "my-plugin", "dlkit_my_plugin"
DEFAULTS = {"dataset": "drawn", "model": "layers", "loss": "mse", "trainer": "supervised", "inference": "flights"}
GOOD = Suggest.recipe({}, engine={"epochs": 40}, trainer={"lr": 3e-3, "schedule": "cosine"})


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="My plugin",
            summary="The flight of a ball, from how it is thrown",
            target=f"{HERE}.task:Flight",
            defaults=DEFAULTS,
            metric="val/metres",
            direction="min",
            suggest=(GOOD,),
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    config = f"{HERE}.task:DrawnOptions"
    return [DatasetSpec(name="drawn", task=TASK, summary="Random throws", target=f"{HERE}.parts:throws", config=config)]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    config = f"{HERE}.task:LayersOptions"
    return [ModelSpec(name="layers", task=TASK, summary="Dense layers", target=f"{HERE}.parts:layers", config=config)]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [LossSpec(name="mse", task=TASK, summary="Mean squared error", target=f"{HERE}.parts:mse")]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [InferenceSpec(name="flights", task=TASK, summary="A throw's flight", target=f"{HERE}.parts:Flights")]

"""A plugin for tests of stacks: networks for the toy task, and the same task in float64, where bits are to be equal."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, Suggest, TaskSpec, hookimpl

TASKS = ("toy", "toy64")
MODELS = {
    "layers": "Dense layers in a sequence, with activation and dropout",
    "gated": "A network whose forward pass is a function of its own",
    "normed": "Dense layers with a batch norm",
    "deciding": "A network that looks at values to decide what to do",
    "counting": "A network that counts its passes",
}


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    settings = {
        "engine.epochs": 3, "engine.batch_size": 16, "engine.sample_every": "never", "trainer.optimizer": "sgd",
        "trainer.lr": 0.05,
    }  # fmt: skip
    return [
        TaskSpec(
            name="toy64",
            title="Toy in float64",
            summary="A straight line in three dimensions, in float64",
            target="stackable_parts:Toy64Task",
            defaults={
                "dataset": "plane64",
                "model": "layers",
                "loss": "squared",
                "trainer": "supervised",
                "inference": "values64",
            },
            metric="val/mse",
            direction="min",
            suggest=(Suggest(settings=settings),),
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="plane64",
            task="toy64",
            summary="The plane's points in float64",
            target="stackable_parts:build_plane64",
            config="toy_options:PlaneConfig",
        )
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name=name,
            task=task,
            summary=summary,
            target=f"stackable_parts:build_{name}",
            config="stackable_parts:NetworkConfig",
        )
        for task in TASKS
        for name, summary in MODELS.items()
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    found = [
        LossSpec(name="squared", task=task, summary="Mean squared error", target="toy_parts:build_mse")
        for task in TASKS
    ]
    read = LossSpec(name="read", task="toy", summary="Read for every batch", target="stackable_parts:build_read")
    return [*found, read]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(name="values64", task="toy64", summary="As values", target="stackable_parts:Values64Predictor")
    ]

"""What this plugin offers. Declarations alone, so that listing it is quick: what they name is imported when used."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, Suggest, TaskSpec, hookimpl

TASK, HERE = "tones", "dlkit_tones"
DEFAULTS = {"dataset": "chords", "model": "filters", "loss": "bce", "trainer": "supervised", "inference": "listener"}
GOOD = Suggest.recipe({}, engine={"epochs": 20, "batch_size": 64}, trainer={"lr": 3e-3, "schedule": "cosine"})


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Tones",
            summary="Which tones sound in a signal, several at once",
            target=f"{HERE}.task:Tones",
            defaults=DEFAULTS,
            metric="val/f1",
            direction="max",
            suggest=(GOOD,),
        )
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    config = f"{HERE}.task:ChordsOptions"
    return [DatasetSpec(name="chords", task=TASK, summary="Drawn chords", target=f"{HERE}.data:build", config=config)]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    config = f"{HERE}.task:FiltersOptions"
    return [
        ModelSpec(
            name="filters",
            task=TASK,
            summary="Filters over the signal, then averages",
            target=f"{HERE}.model:build",
            config=config,
        )
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    summary = "Binary cross-entropy, the mean over tones"
    return [LossSpec(name="bce", task=TASK, summary=summary, target=f"{HERE}.model:cross_entropy")]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    config = f"{HERE}.task:ListenerOptions"
    target = f"{HERE}.predictor:Listener"
    return [InferenceSpec(name="listener", task=TASK, summary="Signals in, tones out", target=target, config=config)]

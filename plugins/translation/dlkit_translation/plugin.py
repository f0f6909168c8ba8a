"""What this plugin offers: the task ``translation`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, SourceSpec, TaskSpec, hookimpl
from dlkit_translation import recipes
from dlkit_translation.sources import FRA_ENG

TASK = "translation"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Translation",
            summary="Sentences from one language into another: English to French, or your own pairs",
            target="dlkit_translation.task:Translation",
            defaults={
                "dataset": "grammar",
                "model": "transformer",
                "loss": "cross-entropy",
                "trainer": "supervised",
                "inference": "translator",
            },
            metric="val/token_accuracy",
            direction="max",
            recipes="dlkit_translation:studies",
            suggest=recipes.ANY,
        )
    ]


@hookimpl
def dlkit_sources() -> list[SourceSpec]:
    return [FRA_ENG]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="grammar",
            task=TASK,
            summary="100,000 English-French pairs of a grammar (embedded; no network needed)",
            target="dlkit_translation.datasets.grammar:build",
            config="dlkit_translation.options:GrammarConfig",
            suggest=recipes.GRAMMAR,
        ),
        DatasetSpec(
            name="fra-eng",
            task=TASK,
            summary="English-French sentences from tatoeba.org (manythings.org/anki)",
            target="dlkit_translation.datasets.fra_eng:build",
            config="dlkit_translation.options:FraEngConfig",
            suggest=recipes.FRA_ENG,
            sources=("fra-eng",),
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own pairs: a TSV, or two files line by line",
            target="dlkit_translation.datasets.files:build",
            config="dlkit_translation.options:FilesConfig",
            example="dlkit_translation.datasets.example:write",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="recurrent",
            task=TASK,
            summary="LSTM or GRU encoder and decoder with Luong's or Bahdanau's attention: the course network",
            target="dlkit_translation.models.recurrent:build",
            config="dlkit_translation.options:RecurrentConfig",
        ),
        ModelSpec(
            name="transformer",
            task=TASK,
            summary="Encoder and decoder of attention layers",
            target="dlkit_translation.models.transformer:build",
            config="dlkit_translation.options:TransformerConfig",
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="cross-entropy",
            task=TASK,
            summary="Cross-entropy of each target token, with label smoothing",
            target="dlkit_translation.losses:cross_entropy",
            config="dlkit_translation.options:CrossEntropyConfig",
        )
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="translator",
            task=TASK,
            summary="Translates sentences, greedily or by beam search; samples show attention",
            target="dlkit_translation.translator:Translator",
            config="dlkit_translation.options:TranslatorConfig",
            answers="dlkit_translation.answering:Translating",
        )
    ]

"""What this plugin offers: the task ``conjugation`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, SourceSpec, TaskSpec, hookimpl
from dlkit_embeddings.conjugation import recipes
from dlkit_embeddings.sources import GUTENBERG

TASK = "conjugation"
_PACKAGE = "dlkit_embeddings.conjugation"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Conjugation",
            summary="Which form of be or have stands in the gap of a sentence",
            target=f"{_PACKAGE}.task:Conjugation",
            defaults={
                "dataset": "python-docs",
                "model": "mlp",
                "loss": "cross-entropy",
                "trainer": "supervised",
                "inference": "conjugator",
            },
            metric="val/accuracy",
            direction="max",
            recipes="dlkit_embeddings:studies",
            suggest=recipes.ANY,
            presets=f"{_PACKAGE}:presets",
        )
    ]


@hookimpl
def dlkit_sources() -> list[SourceSpec]:
    return [GUTENBERG]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="python-docs",
            task=TASK,
            summary="Gaps in Python's language reference (from the interpreter; no network needed)",
            target=f"{_PACKAGE}.datasets:python_docs",
            config=f"{_PACKAGE}.options:PythonDocsConfig",
        ),
        DatasetSpec(
            name="gutenberg",
            task=TASK,
            summary="Gaps in books: folders train, val and test of text files",
            target=f"{_PACKAGE}.datasets:gutenberg",
            config=f"{_PACKAGE}.options:GutenbergConfig",
            suggest=recipes.GUTENBERG,
            sources=(GUTENBERG.name,),
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Gaps in your own text: a file, or a folder of them",
            target=f"{_PACKAGE}.datasets:files",
            config=f"{_PACKAGE}.options:FilesConfig",
            example="dlkit.data.examples:text",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="mlp",
            task=TASK,
            summary="Perceptron over the vectors of the words around the gap, one after the other",
            target=f"{_PACKAGE}.models.perceptrons:mlp",
            config=f"{_PACKAGE}.options:MlpConfig",
        ),
        ModelSpec(
            name="attention",
            task=TASK,
            summary="Perceptron behind multi-head self-attention with sinusoidal positions",
            target=f"{_PACKAGE}.models.perceptrons:attention",
            config=f"{_PACKAGE}.options:AttentionConfig",
        ),
        ModelSpec(
            name="rnn",
            task=TASK,
            summary="LSTM, GRU or plain recurrent network that reads towards the gap from both sides",
            target=f"{_PACKAGE}.models.recurrent:rnn",
            config=f"{_PACKAGE}.options:RnnConfig",
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="cross-entropy",
            task=TASK,
            summary="Cross-entropy, with label smoothing and class weights as options",
            target=f"{_PACKAGE}.losses:cross_entropy",
            config=f"{_PACKAGE}.options:CrossEntropyConfig",
        )
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="conjugator",
            task=TASK,
            summary="Fills the gap of a sentence, and shows what the model gets wrong",
            target=f"{_PACKAGE}.conjugator:Conjugator",
            config=f"{_PACKAGE}.options:ConjugatorConfig",
            answers=f"{_PACKAGE}.answering:Filling",
        )
    ]

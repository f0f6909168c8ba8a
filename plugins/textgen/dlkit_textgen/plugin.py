"""What this plugin offers: the task ``textgen`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, SourceSpec, TaskSpec, TrainerSpec, hookimpl
from dlkit_textgen import recipes
from dlkit_textgen.sources import TINYSHAKESPEARE

TASK = "textgen"
PRESETS = "dlkit_textgen:presets"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Text generation",
            summary="Go on from a text, a character, word or subword at a time",
            target="dlkit_textgen.task:TextGeneration",
            defaults={
                "dataset": "python-docs",
                "model": "transformer",
                "loss": "cross-entropy",
                "trainer": "language",
                "inference": "writer",
            },
            metric="val/loss",
            direction="min",
            recipes="dlkit_textgen:studies",
            suggest=recipes.ANY,
            presets=PRESETS,
        )
    ]


@hookimpl
def dlkit_sources() -> list[SourceSpec]:
    return [TINYSHAKESPEARE]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name="python-docs",
            task=TASK,
            summary="65,000 words of Python's language reference (from the interpreter; no network needed)",
            target="dlkit_textgen.datasets:python_docs",
            config="dlkit_textgen.options:PythonDocsConfig",
        ),
        DatasetSpec(
            name="tinyshakespeare",
            task=TASK,
            summary="1.1 million characters of Shakespeare's plays",
            target="dlkit_textgen.datasets:tinyshakespeare",
            config="dlkit_textgen.options:TinyShakespeareConfig",
            suggest=recipes.TINYSHAKESPEARE,
            sources=("tinyshakespeare",),
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own text: a file, or a folder of them",
            target="dlkit_textgen.datasets:files",
            config="dlkit_textgen.options:FilesConfig",
            example="dlkit.data.examples:text",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="transformer",
            task=TASK,
            summary="Small GPT-style transformer: rotary positions, RMS norm, tied weights",
            target="dlkit_textgen.models.transformer:build",
            config="dlkit_textgen.options:TransformerConfig",
        ),
        ModelSpec(
            name="lstm",
            task=TASK,
            summary="LSTM that carries its state through the text, with attention over the past as an option",
            target="dlkit_textgen.models.recurrent:lstm",
            config="dlkit_textgen.options:RecurrentConfig",
        ),
        ModelSpec(
            name="gru",
            task=TASK,
            summary="GRU that carries its state through the text, with attention over the past as an option",
            target="dlkit_textgen.models.recurrent:gru",
            config="dlkit_textgen.options:RecurrentConfig",
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="cross-entropy",
            task=TASK,
            summary="Cross-entropy of the next token, in nats",
            target="dlkit_textgen.losses:cross_entropy",
        )
    ]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="language",
            task=TASK,
            summary="Gradient descent that carries a recurrent network's state from batch to batch",
            target="dlkit_textgen.trainer:LanguageTrainer",
            config="dlkit_textgen.options:LanguageTrainerConfig",
        )
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="writer",
            task=TASK,
            summary="Goes on from a prompt: drawing with temperature, top-k and top-p, or beam search",
            target="dlkit_textgen.writer:Writer",
            config="dlkit_textgen.options:WriterConfig",
            answers="dlkit_textgen.answering:Writing",
        )
    ]

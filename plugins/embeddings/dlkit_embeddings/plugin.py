"""What this plugin offers: the task ``embeddings`` and its components."""

from __future__ import annotations

from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, SourceSpec, TaskSpec, TrainerSpec, hookimpl
from dlkit_embeddings.sources import GUTENBERG
from dlkit_embeddings.word_vectors import recipes

TASK = "embeddings"
PRESETS = "dlkit_embeddings.word_vectors:presets"
SKIP_GRAM = "skip-gram"


@hookimpl
def dlkit_tasks() -> list[TaskSpec]:
    return [
        TaskSpec(
            name=TASK,
            title="Word embeddings",
            summary="Vectors for words, learnt from the words around them",
            target="dlkit_embeddings.word_vectors.task:WordEmbeddings",
            defaults={
                "dataset": "python-docs",
                "model": SKIP_GRAM,
                "loss": "cross-entropy",
                "trainer": "supervised",
                "inference": "neighbours",
            },
            metric="val/loss",
            direction="min",
            recipes="dlkit_embeddings:studies",
            suggest=recipes.ANY,
            presets=PRESETS,
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
            summary="65,000 words of Python's language reference (from the interpreter; no network needed)",
            target="dlkit_embeddings.word_vectors.datasets:python_docs",
            config="dlkit_embeddings.word_vectors.options:PythonDocsConfig",
            suggest=recipes.PYTHON_DOCS,
        ),
        DatasetSpec(
            name="gutenberg",
            task=TASK,
            summary="Books in folders for training, validation and test",
            target="dlkit_embeddings.word_vectors.datasets:gutenberg",
            config="dlkit_embeddings.word_vectors.options:GutenbergConfig",
            sources=("gutenberg-books",),
            suggest=recipes.GUTENBERG,
        ),
        DatasetSpec(
            name="files",
            task=TASK,
            summary="Your own text: a file, a folder of them, or folders train, val and test",
            target="dlkit_embeddings.word_vectors.datasets:files",
            config="dlkit_embeddings.word_vectors.options:FilesConfig",
            example="dlkit.data.examples:text",
        ),
    ]


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name=SKIP_GRAM,
            task=TASK,
            summary="Skip-gram: a word's vector tells the words around it apart from others (word2vec)",
            target="dlkit_embeddings.word_vectors.skip_gram.model:skip_gram",
            config="dlkit_embeddings.word_vectors.options:SkipGramConfig",
            interface=SKIP_GRAM,
            defaults={"loss": "negative-sampling", "trainer": SKIP_GRAM},
        ),
        ModelSpec(
            name="cbow",
            task=TASK,
            summary="A perceptron over the context's vectors, concatenated or averaged, predicts the word",
            target="dlkit_embeddings.word_vectors.cbow:cbow",
            config="dlkit_embeddings.word_vectors.options:CbowConfig",
        ),
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name="cross-entropy",
            task=TASK,
            summary="Cross-entropy of the word over the vocabulary, in nats",
            target="dlkit_embeddings.word_vectors.losses:cross_entropy",
        ),
        LossSpec(
            name="negative-sampling",
            task=TASK,
            summary="Each word of a context against its target and words drawn at random",
            target="dlkit_embeddings.word_vectors.skip_gram.negative_sampling:NegativeSampling",
            config="dlkit_embeddings.word_vectors.options:NegativeSamplingConfig",
            interface=SKIP_GRAM,
        ),
    ]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name=SKIP_GRAM,
            task=TASK,
            summary="Gradient by hand, a passage of text as products of matrices",
            target="dlkit_embeddings.word_vectors.skip_gram.trainer:SkipGramTrainer",
            config="dlkit_embeddings.word_vectors.options:SkipGramTrainerConfig",
            interface=SKIP_GRAM,
        )
    ]


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="neighbours",
            task=TASK,
            summary="Nearest words, analogies, and how well the vectors do on files of either",
            target="dlkit_embeddings.word_vectors.neighbours:Neighbours",
            config="dlkit_embeddings.word_vectors.options:NeighboursConfig",
            answers="dlkit_embeddings.word_vectors.answering:Near",
        )
    ]

"""Word vectors as files: of TensorBoard's projector, and of word2vec."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dlkit.data.text.vectors import write_vectors
from dlkit_embeddings.vectors import Matrix

FORMATS: Mapping[str, str] = {
    "projector": "embeddings.tsv and metadata.tsv, for TensorBoard's projector (projector.tensorflow.org: Load)",
    "word2vec": "vectors.txt, word2vec's text format: for textgen's --model.embeddings, gensim, spaCy, …",
}
"""Format → what it is."""


def write(form: str, words: Sequence[str], vectors: Matrix, folder: Path) -> list[Path]:
    """The files of one of ``FORMATS`` in a folder; the vectors float32 [words, size] come back exactly from both."""
    writers: dict[str, Callable[[Sequence[str], Matrix, Path], list[Path]]] = {
        "projector": projector,
        "word2vec": word2vec,
    }
    return writers[form](words, vectors, folder)


def projector(words: Sequence[str], vectors: Matrix, folder: Path) -> list[Path]:
    """A line of numbers for each word, between tabs, and a line with the word: one column, so no heading."""
    numbers, names = folder / "embeddings.tsv", folder / "metadata.tsv"
    with numbers.open("w", encoding="utf-8") as file:
        for vector in vectors:
            file.write("\t".join(map(str, vector)) + "\n")  # NumPy's shortest decimals that read back the same
    names.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    return [numbers, names]


def word2vec(words: Sequence[str], vectors: Matrix, folder: Path) -> list[Path]:
    path = folder / "vectors.txt"
    write_vectors(path, words, vectors)
    return [path]

"""Word vectors as files: of TensorBoard's projector, of word2vec, and each word with its nearest words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dlkit.data.text.vectors import write_vectors
from dlkit_embeddings.vectors import Matrix
from dlkit_embeddings.word_vectors.space import Space

FORMATS: Mapping[str, str] = {
    "projector": "embeddings.tsv and metadata.tsv, for TensorBoard's projector (projector.tensorflow.org: Load)",
    "word2vec": "vectors.txt, word2vec's text format: for textgen's --model.embeddings, gensim, spaCy, …",
    "similar": "embedd.tsv: every word, its nearest words and their cosines, a line a pair (--inference.top: how many)",
}
"""Format → what it is."""


def write(form: str, words: Sequence[str], vectors: Matrix, folder: Path) -> list[Path]:
    """The files of ``projector`` or ``word2vec`` in a folder; the vectors float32 [words, size] come back exactly."""
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


def similar(space: Space, top: int, folder: Path) -> list[Path]:
    """``embedd.tsv``: under a heading, word, neighbour and cosine between tabs; words in the vocabulary's order, each
    one's ``top`` nearest in theirs."""
    path = folder / "embedd.tsv"
    with path.open("w", encoding="utf-8") as file:
        file.write("word\tneighbour\tcosine\n")
        for word, found in space.all_nearest(top):
            file.writelines(f"{word}\t{other}\t{cosine:.6f}\n" for other, cosine in found)
    return [path]

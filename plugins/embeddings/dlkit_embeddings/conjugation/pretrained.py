"""Word vectors to read with: of an earlier run of task ``embeddings``, or a file in word2vec's text format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dlkit.data.context import Context
from dlkit.data.names import composed
from dlkit.data.text.vectors import read_vectors
from dlkit.data.text.vocabulary import UNKNOWN
from dlkit.errors import DataError, DlkitError, UsageError
from dlkit.runs import index
from dlkit.runs.checkpoints import Checkpoint, choose, complete
from dlkit.runs.finding import find_run
from dlkit.runs.folder import RunFolder
from dlkit_embeddings.conjugation.info import SPECIAL
from dlkit_embeddings.conjugation.numbered_text import is_sign
from dlkit_embeddings.conjugation.options import AUTO, NONE

TASK = "embeddings"
_PINNED = 16
"""Digits of a SHA-256 that name weights."""
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Lexicon:
    """``words`` by number, ``<pad>`` and ``<unk>`` first; their ``vectors`` float32 [words, size], if they have any.

    ``signs``: whether punctuation signs are among them. ``origin``: the value of the option ``embeddings``
    that finds the same again.
    """

    words: Sequence[str]
    vectors: Matrix | None
    signs: bool
    origin: str

    @classmethod
    def of(cls, words: Sequence[str], matrix: npt.ArrayLike, origin: str, most: int | None = None) -> Lexicon:
        """The first ``most`` of the words, each once, and their vectors. ``<pad>`` is 0; ``<unk>``, where it has no
        vector, the mean of all. DataError: there are none, or not all numbers are finite."""
        # Composed, as texts are read: a file of another program may have letters and accents apart.
        places = {word: place for place, word in reversed(list(enumerate(map(composed, words)))) if word}
        kept = sorted(place for word, place in places.items() if word not in SPECIAL)[:most]
        vectors = np.asarray(matrix, np.float32)
        if not kept or not np.isfinite(vectors).all():
            raise DataError(f"{origin}: {'its vectors are not all finite' if kept else 'holds no word vectors'}")
        own, named = vectors[kept], [composed(words[place]) for place in kept]
        unknown = vectors[places[UNKNOWN]] if UNKNOWN in places else own.mean(0)
        head = np.stack([np.zeros_like(unknown), unknown])
        return cls([*SPECIAL, *named], np.concatenate([head, own]), any(map(is_sign, named)), origin)


def find_lexicon(embeddings: str, most: int | None, context: Context) -> Lexicon | None:
    """What the option ``embeddings`` means now; None for ``none``, and for ``auto`` where no run has vectors.

    UsageError: there is no such run, or it is of another task. DataError: no such file, or not one of vectors.
    """
    if embeddings == NONE:
        return None
    if embeddings == AUTO:
        return _latest(most, context)
    path = Path(embeddings)
    if path.is_file():
        return _read(path, most)
    place = embeddings.rpartition("@")[0] or embeddings
    if path.is_absolute() and not (Path(place) / "run.json").is_file():
        raise DataError(f"dataset.embeddings: {path} is neither a file nor a run's folder")
    return _of_run(*_named(embeddings, context), most, context)


def _read(path: Path, most: int | None) -> Lexicon:
    found = list(islice(read_vectors(path), most))
    if not found:
        raise DataError(f"{path}: holds no word vectors")
    return Lexicon.of([word for word, _ in found], np.stack([vector for _, vector in found]), str(path))


def _latest(most: int | None, context: Context) -> Lexicon | None:
    """Of the newest completed run that can be used; those that cannot are named."""
    for summary in index.list_runs(context.workspace, TASK) if context.workspace else ():
        if summary.state != "completed":
            continue
        run = find_run(context.workspace, summary.id)  # type: ignore[arg-type]  # else there are no summaries
        try:
            return _of_run(run, choose(run.path), most, context)
        except DlkitError as error:
            context.say(f"the vectors of {run.id} cannot be used: {error}")
    return None


def _named(reference: str, context: Context) -> tuple[RunFolder, Checkpoint]:
    """The run and checkpoint that ``RUN``, ``RUN@best``, ``RUN@last``, ``RUN@STEP`` or ``RUN@SHA256`` means."""
    name, _, which = reference.rpartition("@") if "@" in reference else (reference, "", "best")
    run = _run(name, context)
    if (task := run.read().get("task")) != TASK:
        raise UsageError(f"dataset.embeddings: {run.id} is a run of task {task!r}, which has no word vectors")
    if len(which) != _PINNED:
        return run, choose(run.path, which)
    for checkpoint in complete(run.path):
        if checkpoint.sha256.startswith(which):
            return run, checkpoint
    raise DataError(f"dataset.embeddings: {run.id} has no checkpoint any more with the weights {which}")


def _run(name: str, context: Context) -> RunFolder:
    """``last`` is the last one of task embeddings: that it is not this task's is clear."""
    if context.workspace is None and not (Path(name) / "run.json").is_file():
        raise UsageError(f"dataset.embeddings = {name!r}: there is no workspace with runs here, and no such file")
    workspace = context.workspace or Path()
    if name == "last" and (summaries := index.list_runs(workspace, TASK)):
        name = summaries[0].id
    try:
        return find_run(workspace, name)
    except UsageError as error:
        raise UsageError(f"dataset.embeddings: {error}; or a file in word2vec's text format, auto or none") from error


def _of_run(run: RunFolder, checkpoint: Checkpoint, most: int | None, context: Context) -> Lexicon:
    from dlkit.catalog import Catalog
    from dlkit.use.load import load_predictor
    from dlkit_embeddings.vectors import stored_vectors

    predictor = load_predictor(Catalog.load_everything(), run, str(checkpoint.step)).predictor
    words, matrix = stored_vectors(predictor.model, predictor.info)
    own = context.workspace is not None and run.path.parent.resolve() == (context.workspace / "runs").resolve()
    return Lexicon.of(words, matrix, f"{run.id if own else run.path}@{checkpoint.sha256[:_PINNED]}", most)

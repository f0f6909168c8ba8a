"""Skip-gram on the books, beside gensim's: words a second and word similarity, in one interleaved run (A B B A).

    DLKIT_TEST_DATA=… uv run --group benchmarks python tests/benchmarks/bench_embeddings.py [--rounds N] [--epochs N]
                                                                         [--threads N] [--cbow [PRESET …]]

Both read the same words with the same vocabulary (seen 5 times or more), vectors of 100, a window of 5, 5 negatives,
subsampling at 0.001 and a rate from 0.025 to nearly 0; gensim with 2 workers. *Raw* words are those of the text, times
epochs; *effective* ones are left after subsampling. Seconds are of training alone, vocabulary and evaluation left out:
gensim's ``train``, and the steps of a run as the engine makes them. Similarity is the mean of Spearman's ρ over the
word-similarity files that cover at least 100 pairs. ``--cbow`` trains the course's variants instead: their accuracy.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dlkit
from common import data_folder, workspace
from dlkit.data.text.corpus import read_text
from dlkit.events import Finished, MetricsLogged
from dlkit.runs.log import read_events
from dlkit_embeddings.texts import book_folders
from dlkit_embeddings.vectors import stored_vectors
from dlkit_embeddings.word_vectors.benchmarks import read_pairs
from dlkit_embeddings.word_vectors.datasets import by_folder
from dlkit_embeddings.word_vectors.options import GutenbergConfig
from dlkit_embeddings.word_vectors.space import Space

LEAST_PAIRS = 100
SENTENCE = 10_000
"""Words that gensim takes at a time, at most."""
PRESETS = ("concatenated", "averaged", "deep")
TEXT = {"lower": True, "least": 5, "unknown": "drop", "window": 5, "subsample": 1e-3}


@dataclass(frozen=True)
class Trained:
    """One training: seconds, words of the text and words after subsampling that it went over, and its vectors."""

    seconds: float
    raw: int
    effective: int
    words: Sequence[str]
    vectors: np.ndarray[Any, Any]


def ours(where: Path, epochs: int, threads: int, seed: int, raw: int) -> Trained:
    run = dlkit.train(
        "embeddings",
        preset="word2vec",
        dataset={"name": "gutenberg", **TEXT},
        engine={"eval_every": "never", "sample_every": "never", "checkpoint_every": 1e9, "threads": threads},
        epochs=epochs,
        seed=seed,
        device="cpu",
        workspace=where,
        offline=True,
    )
    (end,) = (event for event in read_events(run.path / "events.jsonl") if isinstance(event, Finished))
    predictor = run.predictor("last")
    words, vectors = stored_vectors(predictor.model, predictor.info)
    batch = dlkit_batch(run)
    return Trained(end.train_seconds, raw * epochs, end.steps * batch, words, vectors)


def dlkit_batch(run: dlkit.Run) -> int:
    """Words a step: whole passages."""
    config = tomllib.loads((run.path / "config.toml").read_text())
    passage = int(config["dataset"]["passage"])
    return int(config["engine"]["batch_size"]) // passage * passage


def gensims(text: Sequence[str], epochs: int, seed: int) -> Trained:
    from gensim.models import Word2Vec

    sentences = [list(text[i : i + SENTENCE]) for i in range(0, len(text), SENTENCE)]
    model = Word2Vec(sg=1, vector_size=100, window=5, negative=5, sample=1e-3, min_count=5, workers=2, seed=seed)
    model.build_vocab(sentences)
    began = time.perf_counter()
    effective, raw = model.train(sentences, total_examples=model.corpus_count, epochs=epochs)
    seconds = time.perf_counter() - began
    return Trained(seconds, raw, effective, model.wv.index_to_key, model.wv.vectors)


def similarity(trained: Trained, show: Callable[[str], None] = lambda line: None) -> float:
    """The mean over the files with enough covered pairs."""
    space = Space(trained.words, trained.vectors, lower=True)
    found = []
    for path in sorted((data_folder() / "word-similarity").glob("EN-*.txt")):
        rho, covered = space.spearman(read_pairs(path, read_text(path)))
        if rho is not None and covered >= LEAST_PAIRS:
            found.append(rho)
            show(f"    {path.name:22} {rho:6.3f}  ({covered} pairs)")
    return statistics.mean(found)


def race(options: argparse.Namespace) -> None:
    config = GutenbergConfig(**TEXT)  # type: ignore[arg-type]
    text = by_folder(book_folders(data_folder() / "gutenberg-books"), config)["train"]
    kinds: dict[str, Callable[[Path, int], Trained]] = {
        "dlkit": lambda where, seed: ours(where, options.epochs, options.threads, seed, len(text)),
        "gensim": lambda where, seed: gensims(text, options.epochs, seed),
    }
    found: dict[str, list[Trained]] = {name: [] for name in kinds}
    with workspace() as where:
        for number in range(options.rounds):
            for place, name in enumerate(("dlkit", "gensim", "gensim", "dlkit")):
                trained = kinds[name](where, 2 * number + place // 2)
                found[name].append(trained)
                line = f"{trained.raw / trained.seconds:,.0f} raw, {trained.effective / trained.seconds:,.0f} effective"
                print(f"{name:7} {trained.seconds:6.1f} s  {line} words/s  ρ {similarity(trained):.4f}", flush=True)
    report(found)


def report(found: dict[str, list[Trained]]) -> None:
    rates = {name: statistics.median(t.effective / t.seconds for t in runs) for name, runs in found.items()}
    scores = {name: statistics.mean(map(similarity, runs)) for name, runs in found.items()}
    for name, runs in found.items():
        raw = statistics.median(t.raw / t.seconds for t in runs)
        print(f"{name}: median {raw:,.0f} raw, {rates[name]:,.0f} effective words/s; mean ρ {scores[name]:.4f}")
        similarity(runs[0], print)
    ratio = rates["dlkit"] / rates["gensim"]
    verdict = "reached" if ratio >= 0.5 and scores["dlkit"] >= scores["gensim"] else "MISSED"
    print(f"dlkit / gensim: {ratio:.2f} (at least 0.5 at no lower similarity: {verdict})")


def cbow(options: argparse.Namespace) -> None:
    """Validation accuracy over known words; and over all, where <unk> is a word to be predicted as any other."""
    with workspace() as where:
        for preset in options.cbow or PRESETS:
            for unknown in ("context", "target"):
                dataset = {"name": "gutenberg", "unknown": unknown}
                run = dlkit.train("embeddings", preset=preset, dataset=dataset, workspace=where, offline=True)
                events = list(read_events(run.path / "events.jsonl"))
                (end,) = (event for event in events if isinstance(event, Finished))
                course = [
                    e.values["val/accuracy"][0]
                    for e in events
                    if isinstance(e, MetricsLogged) and "val/accuracy" in e.values
                ]
                print(
                    f"{preset}, <unk> a {unknown}: val/accuracy {run.metrics['val/accuracy']:.4f} "
                    f"(best {max(course):.4f}), top5 {run.metrics['val/top5']:.4f}, "
                    f"loss {run.metrics['val/loss']:.4f}, {end.train_seconds:.0f} s of training",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of dlkit; 0: torch's choice")
    parser.add_argument("--cbow", nargs="*", choices=PRESETS, metavar="PRESET")
    options = parser.parse_args()
    (race if options.cbow is None else cbow)(options)


if __name__ == "__main__":
    main()

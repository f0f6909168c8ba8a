"""The course's comparison: two perceptrons and two recurrent networks fill the gaps of the gutenberg books.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_conjugation.py [--embeddings RUN_OR_FILE] [--epochs N]

Word vectors are those of a skip-gram run that is trained first, on the same books and with signs and numbers as words;
or of the run's folder or word2vec file that is named. The presets are trained in turn, with the same seed; then the one
that is best on validation is tested, once. Seconds are those of training, evaluations and samples not among them.
With ``--keep DIR`` the runs stay there, to be compared with ``dlkit compare``.
"""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import dlkit
from common import data_folder, workspace
from dlkit.events import Finished, Started
from dlkit.runs.log import read_events

PRESETS = ("mlp", "attention", "gru", "lstm")


def embed(where: Path, options: argparse.Namespace) -> str:
    """A skip-gram run's folder."""
    dataset = {"name": "gutenberg", "signs": True, "numbers": "one"}
    given: dict[str, Any] = {"epochs": options.embedding_epochs} if options.embedding_epochs else {}
    run = dlkit.train(
        "embeddings", dataset=dataset, seed=options.seed, offline=True, workspace=where, device=options.device, **given
    )
    figures = ", ".join(f"{name} {value:.4g}" for name, value in run.metrics.items())
    print(f"word vectors of {run.id}: {_finished(run).train_seconds:.0f} s; {figures}", flush=True)
    return str(run.path)


def train(preset: str, embeddings: str, where: Path, options: argparse.Namespace) -> dlkit.Run:
    given: dict[str, Any] = {"epochs": options.epochs} if options.epochs else {}
    given |= {"engine": {"threads": options.threads}} if options.threads else {}
    return dlkit.train(
        "conjugation",
        preset=preset,
        dataset={"name": "gutenberg", "embeddings": embeddings},
        name=preset,
        seed=options.seed,
        device=options.device,
        offline=True,
        workspace=where,
        **given,
    )


def row(preset: str, run: dlkit.Run) -> str:
    (summary,) = (event.summary for event in read_events(run.path / "events.jsonl") if isinstance(event, Started))
    parameters = f"{summary['model']['parameters']:,}"
    accuracy, score = run.metrics["val/accuracy"], run.metrics["val/macro_f1"]
    return f"{preset:<10}{parameters:>12}{_finished(run).train_seconds:>10.1f}{accuracy:>14.4f}{score:>14.4f}"


def _finished(run: dlkit.Run) -> Finished:
    (end,) = (event for event in read_events(run.path / "events.jsonl") if isinstance(event, Finished))
    return end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embeddings", help="a run's folder, or a file in word2vec's text format")
    parser.add_argument("--embedding-epochs", type=int, help="epochs of the skip-gram run, where none is named")
    parser.add_argument("--epochs", type=int, help="in place of the presets' own")
    parser.add_argument("--threads", type=int, help="in place of the presets' own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--keep", type=Path, help="workspace to use, in place of a throw-away one")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        if not (options.keep / "data").exists():
            (options.keep / "data").symlink_to(data_folder().resolve())
    with nullcontext(options.keep) if options.keep else workspace() as where:
        embeddings = options.embeddings or embed(where, options)
        print(f"{'preset':<10}{'parameters':>12}{'seconds':>10}{'val/accuracy':>14}{'val/macro_f1':>14}", flush=True)
        runs = {}
        for preset in PRESETS:
            runs[preset] = train(preset, embeddings, where, options)
            print(row(preset, runs[preset]), flush=True)
        best = max(PRESETS, key=lambda preset: runs[preset].metrics["val/accuracy"])
        tested = runs[best].evaluate("test")
        print(f"{best}, tested: accuracy {tested['test/accuracy']:.4f}, macro F1 {tested['test/macro_f1']:.4f}")


if __name__ == "__main__":
    main()

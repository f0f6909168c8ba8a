"""What translation reaches: the baselines and networks on the grammar, and networks on fra-eng.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_translation.py [baselines | NAME …] [--minutes M]

Prints a row a recipe: the test split, looked at once a run, translated greedily, and by beam search on its own line;
with training seconds (from first to last step, evaluation apart). ``--minutes`` bounds a run. For fra-eng it prints the
first 20 held-out sentences beside their translations too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

import dlkit
from common import workspace
from dlkit.data.context import Context
from dlkit.data.randomness import derive
from dlkit_translation.baselines import Nearest, WordByWord
from dlkit_translation.datasets import fra_eng
from dlkit_translation.grammar.sentences import derivable, pairs
from dlkit_translation.options import FraEngConfig, GrammarConfig
from dlkit_translation.scores import corpus_scores, score_notes
from dlkit_translation.splitting import by_combination, by_sentence

RECIPES: dict[str, dict[str, Any]] = {
    "grammar transformer": {"dataset": "grammar", "model": "transformer"},
    "grammar gru": {"dataset": "grammar", "model": {"name": "recurrent", "cell": "gru"}},
    "grammar lstm": {"dataset": "grammar", "model": {"name": "recurrent", "cell": "lstm"}},
    "grammar bahdanau": {"dataset": "grammar", "model": {"name": "recurrent", "attention": "bahdanau"}},
    "fra-eng transformer": {"dataset": "fra-eng", "model": "transformer"},
    "fra-eng gru": {"dataset": "fra-eng", "model": {"name": "recurrent", "cell": "gru"}},
}
COLUMNS = ("token_accuracy", "exact", "bleu", "chrf")
LOOKED_UP = 1000
"""Test sentences that the baselines translate."""
SHOWN = 20


def baselines() -> None:
    """Exact sentences of the two baselines on held-out combinations of words."""
    config = GrammarConfig()
    drawn = pairs(config.pairs, derive(config.split_seed, "grammar"))
    parts = by_combination(drawn, config.val_fraction, config.test_fraction, config.split_seed)
    some = parts["test"][:LOOKED_UP]
    print(f"the grammar has {derivable():.2e} pairs; {len(parts['train'])} are trained on, {len(parts['test'])} test")
    known: dict[str, Callable[[str], str]] = {
        "word by word": WordByWord(parts["train"]),
        "nearest training sentence": Nearest(parts["train"]),
    }
    for name, translate in known.items():
        print(_row(name, [translate(source) for source, _ in some], [target for _, target in some]))


def _row(name: str, written: Sequence[str], references: Sequence[str]) -> str:
    exact = sum(one == other for one, other in zip(written, references, strict=True)) / len(written)
    scores = corpus_scores(written, references)
    return f"| {name} | | {exact:.4f} | {scores['bleu']:.2f} | {scores['chrf']:.2f} | |"


def once(where: Path, name: str, minutes: float | None) -> None:
    """Train one recipe and say what came out."""
    finished: list[Any] = []
    engine = {"max_time": 60 * minutes} if minutes else {}
    run = dlkit.train(
        "translation",
        workspace=where,
        offline=True,
        name=name,
        on_event=finished.append,
        engine=engine,
        **RECIPES[name],
    )
    test = run.evaluate("test")
    values = " | ".join(f"{test[f'test/{column}']:.4f}" for column in COLUMNS)
    print(f"| {name} | {values} | {finished[-1].train_seconds:.0f} s |", flush=True)
    texts = held_out(where, RECIPES[name]["dataset"])
    written = [answer["translation"] for answer in run.predictor().predict([source for source, _ in texts])]
    print(_row(f"{name}, beam", written, [target for _, target in texts]), flush=True)
    if name.startswith("fra-eng"):
        for (source, target), answer in zip(texts[:SHOWN], written, strict=False):
            print(f"| {source} | {target} | {answer} |")


def held_out(where: Path, dataset: str) -> list[tuple[str, str]]:
    """The test split's texts."""
    if dataset == "fra-eng":
        options = FraEngConfig()
        path = Context(where / "data").data / "fra-eng" / "fra.txt"
        return by_sentence(fra_eng.read(path), options.val, options.test, options.split_seed, str(path))["test"]
    config = GrammarConfig()
    drawn = pairs(config.pairs, derive(config.split_seed, "grammar"))
    return by_combination(drawn, config.val_fraction, config.test_fraction, config.split_seed)["test"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"baselines, {', '.join(RECIPES)}")
    parser.add_argument("--minutes", type=float, help="bound of a run's training time")
    options = parser.parse_args()
    print(f"{torch.get_num_threads()} threads; {'; '.join(score_notes(fra_eng.LANGUAGES[1]))}")
    print("| | token accuracy | exact | BLEU | chrF | training |\n|---|---|---|---|---|---|")
    if not options.names or "baselines" in options.names:
        baselines()
    with workspace() as where:
        for name in RECIPES:
            if not options.names or name in options.names:
                once(where, name, options.minutes)


if __name__ == "__main__":
    main()

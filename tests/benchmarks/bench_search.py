"""Optuna's TPE against settings at random, on the embedded regression: equal trials, the best of each, repeated.

    uv run python tests/benchmarks/bench_search.py [--trials 40] [--repeats 20]

A repeat is one seed of the search; both searches have the same space, and every trial the same data and the same seed.
Trainings are done one after another in this process, what was proposed twice only once.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from dlkit.catalog import Catalog
from dlkit.config import Layer
from dlkit.data.context import Context
from dlkit.engine.start import start
from dlkit.json_types import Settings
from dlkit.runs.folder import summarise
from dlkit.studies.planning import plan
from dlkit.studies.proposing import propose
from dlkit.studies.question import Question
from dlkit.studies.space import Space, same_word
from dlkit.studies.state import State, Trial

VARY = (
    "trainer.lr=log:1e-4..1", "trainer.weight_decay=log:1e-5..1", "model.dropout=0..0.6", "engine.batch_size=8..128",
    "trainer.optimizer=sgd,adamw",
)  # fmt: skip
FIXED = {
    "model": {"name": "mlp"},
    "engine": {"epochs": 10, "device": "cpu", "threads": 1, "sample_every": "never", "checkpoint_every": 1e9},
}


class Trials:
    """What a setting comes to: the best validation loss of its training."""

    def __init__(self, space: Space, context: Context) -> None:
        self._space, self._context = space, context
        self._known: dict[str, float] = {}

    def score(self, setting: Settings) -> float:
        word = same_word(setting)
        if word not in self._known:
            with tempfile.TemporaryDirectory() as folder:
                attempt = start(self._space.catalog, self._space.resolve(setting, 0), Path(folder), self._context)
                for _ in attempt.events():
                    pass
                best = summarise(attempt.run).best
            self._known[word] = best if best is not None else float("inf")
        return self._known[word]


def search(space: Space, trials: Trials, sampler: str, count: int, seed: int) -> list[float]:
    """The best so far after each of ``count`` trials."""
    state, best = State(), list[float]()
    for number in range(count):
        setting = propose(space, state, "min", sampler, seed)
        assert setting is not None
        value = trials.score(setting)
        state.settings[number], state.seeds[number] = setting, [0]
        state.trials[number] = Trial(number, number, 0, "run", "completed", value)
        best.append(min([*best[-1:], value]))
    return best


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args(words)
    catalog = Catalog.load_everything()
    spec = catalog.task("regression")
    question = Question("regression", spec.metric, spec.direction, vary=VARY, search="random")
    with tempfile.TemporaryDirectory() as folder:
        space = plan(catalog, question, [Layer("benchmark", FIXED)], Path(folder), trials=1).space
        sources = {spec.name: spec for spec in catalog.specs("source")}
        trials = Trials(space, Context(Path(folder) / "data", sources, offline=True))
        found: dict[str, list[list[float]]] = {"tpe": [], "random": []}
        for repeat in range(options.repeats):
            for sampler, runs in found.items():
                began = time.monotonic()
                runs.append(search(space, trials, sampler, options.trials, repeat))
                print(f"{repeat} {sampler}: {runs[-1][-1]:.5g} ({time.monotonic() - began:.0f} s)", flush=True)
    for at in sorted({options.trials // 4, options.trials // 2, options.trials}):
        told = ", ".join(f"{name} {statistics.median(run[at - 1] for run in runs):.5g}" for name, runs in found.items())
        print(f"median best {spec.metric} of {options.repeats} searches after {at} trials: {told}")


if __name__ == "__main__":
    main()

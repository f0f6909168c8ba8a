"""Whoever looks at a run does not change it."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Sections, Subject
from dlkit.testing.trying import attempt, learned, listed, run_to_end, trains, unlike

QUIET: Sections = {"engine": {"eval_every": "never", "sample_every": "never", "probe_every": 0}}
LOOKED: dict[str, Sections] = {
    "evaluated at every step": {"engine": {**QUIET["engine"], "eval_every": "1 step", "eval_first": True}},
    "sampled at every step": {"engine": {**QUIET["engine"], "sample_every": "1 step"}},
    "stored at every step": {"engine": {**QUIET["engine"], "eval_every": "1 step", "checkpoint_every": 0.001}},
    "probed at every step": {"engine": {**QUIET["engine"], "probe_every": 1}},
}


def check(subject: Subject) -> Iterator[Finding]:
    trains(subject.experiment())
    alone = learned(run_to_end(attempt(subject, QUIET)))
    for how, settings in LOOKED.items():
        if far := unlike(alone, learned(run_to_end(attempt(subject, settings)))):
            yield Finding(f"{how}, a run ends with other weights: {listed(far)}", "the same, bit for bit", how)


RULE = Rule(
    name="engine-looking-changes-nothing",
    tier="silver",
    kinds=("task", "model", "loss", "trainer", "inference"),
    title="Evaluation, samples, checkpoints and probes on or off: the final weights are the same",
    why="A run must not come out otherwise because somebody wanted to see more of it.",
    mend="In metrics and predictors change no weight, no mode, no statistic; draw in samples from the rng that is "
    "given; let a model keep nothing of its own but buffers that only training changes.",
    buggy="def samples(self, count, rng, examples):\n    self.model.train()",
    corrected="def samples(self, count, rng, examples):\n    outputs = self.forward(examples.take(index)['x'])",
    check=check,
)

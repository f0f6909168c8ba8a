"""First weights are a function of the seed."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from dlkit.data.randomness import forked
from dlkit.engine.build import Job, build_model
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import listed, unlike, weights


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    (first, left), (second, _), (_, other) = _drawn(job, 1), _drawn(job, 1), _drawn(job, 2)
    if found := unlike(first, second):
        yield Finding(f"built twice with one seed, its weights differ: {listed(found)}", "the same weights")
    if torch.equal(left, other):
        yield Finding(
            "built with two seeds, it leaves torch's generator in one state: it seeds it", "draws from it alone"
        )


def _drawn(job: Job, seed: int) -> tuple[dict[str, Tensor], Tensor]:
    """The weights that a seed gives, and where the generator is afterwards."""
    with forked(seed, "weights"):
        return weights(build_model(job.catalog, job.resolved, job.info)), torch.get_rng_state()


RULE = Rule(
    name="model-drawn-from-the-seed",
    tier="silver",
    kinds=("model",),
    title="The first weights are drawn from torch's global generator, and seed nothing",
    why="engine.seed is what a run is repeated by; several seeds that begin with the same weights are no several runs.",
    mend="Leave out torch.manual_seed in build and in modules; draw with torch.nn.init or torch.randn, not with NumPy "
    "or a generator of your own.",
    buggy="torch.manual_seed(0)\nreturn Net(config)",
    corrected="return Net(config)",
    check=check,
)

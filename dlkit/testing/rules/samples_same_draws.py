"""The same draws make the same samples."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.data.splits import OnHost
from dlkit.engine.build import Job
from dlkit.samples import Sample, encoded
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, listed, unlike, weights


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    before, modes = weights(job.trainer.model), _modes(job)
    first, second = _made(job), _made(job)
    other = [name for name, files in first.items() if second.get(name) != files]
    if other or first.keys() != second.keys():
        yield Finding(
            f"made twice, of the same draws: {', '.join(other) or 'other names'} differ", "the same, to the byte"
        )
    if found := unlike(before, weights(job.trainer.model)):
        yield Finding(f"samples change the model: {listed(found)}", "weights and statistics left as they are")
    if changed := [name for name, training in _modes(job).items() if modes[name] != training]:
        yield Finding(f"samples leave {changed[0] or 'the model'} in another mode", "the mode it had")


def _made(job: Job) -> dict[str, dict[str, bytes]]:
    """Within the engine's context: what that puts back itself is not asked for."""
    with forked(SEED, "samples") as generator, job.trainer.evaluating():
        made = [s for s in job.predictor.samples(6, generator, OnHost(job.data.val)) if isinstance(s, Sample)]
        return {sample.name: encoded(sample, "sample") for sample in made}


def _modes(job: Job) -> dict[str, bool]:
    return {name: module.training for name, module in job.trainer.model.named_modules()}


RULE = Rule(
    name="samples-same-draws",
    tier="silver",
    kinds=("inference",),
    title="Samples are a function of the model and of what is drawn for them, and leave it as it is",
    why="While a run trains, one wants to see what has become of the same noise, the same image.",
    mend="Draw from the rng that is given, or from torch's generator, which is forked; choose examples by it, not "
    "in turn.",
    buggy="index = random.sample(range(len(examples)), count)",
    corrected="index = rng.permutation(len(examples))[:count]",
    check=check,
)

"""Whatever a predictor makes can be looked at."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.data.randomness import forked
from dlkit.data.splits import OnHost
from dlkit.errors import DlkitError
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.shown import unshowable
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED

COUNTS = (24, 1)


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    for count in COUNTS:
        with forked(SEED, "samples") as generator, job.trainer.evaluating():
            made = list(job.predictor.samples(count, generator, OnHost(job.data.val)))
        yield from unshowable(made, f"samples({count})")
        if not made and len(job.data.val) >= max(COUNTS):  # of fewer samples there may be no map, no average
            yield Finding(f"samples({count}, rng, examples) makes nothing", "something to look at", "samples")
            return
    with forked(SEED, "samples") as generator, job.trainer.evaluating():
        try:  # where only a checkpoint is at hand
            yield from unshowable(list(job.predictor.samples(4, generator, None)), "samples without examples")
        except DlkitError:
            return  # said in words


RULE = Rule(
    name="samples-can-be-shown",
    tier="silver",
    kinds=("inference",),
    title="Samples of every kind render in a terminal of 80×24, as PNG, and come back from their file",
    why="What cannot be shown is left out with a notice, at the very moment when somebody wants to look.",
    mend="Give plain Python numbers, texts and NumPy uint8 images [N,H,W] or [N,H,W,3], as many captions as images; "
    "raise DataError where samples need the validation split and there is none.",
    buggy="Images(name='drawn', images=outputs)  # float32 in -1 … 1",
    corrected="Images(name='drawn', images=((outputs + 1) * 127.5).clamp(0, 255).byte().numpy())",
    check=check,
)

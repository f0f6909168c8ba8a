"""Samples while training: what the model makes now, for people to look at."""

from __future__ import annotations

from dlkit import samples
from dlkit.data.randomness import forked
from dlkit.data.splits import OnHost, Split
from dlkit.engine.build import Job
from dlkit.events import SampleRef
from dlkit.runs.folder import RunFolder

SAMPLES = 24


def make_samples(job: Job, split: Split, run: RunFolder, step: int) -> list[SampleRef]:
    """Have the run's predictor make samples, from inputs of ``split``, and save them. No weight changes."""
    # The same draws every time: pictures of different steps can be compared.
    stream = forked(job.resolved.engine.seed, "samples", device=job.placement.device)
    with stream as generator, job.trainer.evaluating():
        made = job.predictor.samples(SAMPLES, generator, OnHost(split))
    refs = []
    for sample in made:
        file = samples.save(sample, run.samples, f"step-{step:08d}-{sample.name}")
        refs.append(SampleRef(kind=sample.kind, name=sample.name, title=sample.title, file=f"samples/{file}"))
    return refs

"""Samples while training: what the model makes now, for people to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dlkit import samples
from dlkit.data.randomness import forked
from dlkit.data.splits import OnHost, Split
from dlkit.engine.build import Job
from dlkit.engine.layer_samples import layer_samples
from dlkit.engine.layers import LayerWatch
from dlkit.errors import DlkitError, in_words
from dlkit.events import SampleRef
from dlkit.present.output import say_traceback
from dlkit.runs.contents import save_sample
from dlkit.runs.folder import RunFolder

SAMPLES = 24


@dataclass(frozen=True)
class Made:
    """The samples of one time, saved; ``problems`` says, by component, what of them there is not."""

    refs: Sequence[SampleRef]
    problems: Sequence[str] = ()


def make_samples(job: Job, split: Split, run: RunFolder, step: int, watch: LayerWatch | None = None) -> Made:
    """Have the run's predictor make samples, from inputs of ``split``, and save them, with what ``watch`` saw last. No
    weight changes.

    Samples are for people to look at: what goes wrong with them is told, and training goes on. OSError: the run's
    folder cannot be written.
    """
    who = f"inference {job.resolved.specs['inference'].name!r}"
    made, problems = _made(job, split, who)
    if watch is not None and watch.watched is not None:
        made += layer_samples(watch.watched)
    refs: list[SampleRef] = []
    for sample in made:
        try:
            refs.append(_saved(sample, run, step, [ref.name for ref in refs]))
        except OSError:  # the disk's affair, which is the run's
            raise
        # What a sample holds is the predictor's affair: a tensor among its cells, say, is not JSON.
        except Exception as error:
            problems.append(f"a sample is left out: {who}: {_told(error)}")
    return Made(refs, problems)


def _made(job: Job, split: Split, who: str) -> tuple[list[object], list[str]]:
    """What the predictor makes, and what is to be said of that."""
    # The same draws every time: pictures of different steps can be compared.
    stream = forked(job.resolved.engine.seed, "samples", device=job.placement.device)
    try:
        with stream as generator, job.trainer.evaluating():
            found: Iterable[object] = job.predictor.samples(SAMPLES, generator, OnHost(split))
            return list(found), []
    # The plugin boundary: whatever a predictor raises, its weights and generators are as they were.
    except (Exception, SystemExit) as error:
        return [], [f"no samples: {who}: {_told(error)}"]


def conclude(job: Job) -> list[str]:
    """What the run's predictor says of the model at the end of training; what goes wrong with it is told instead."""
    stream = forked(job.resolved.engine.seed, "samples", device=job.placement.device)
    try:
        with stream, job.trainer.evaluating():
            return [str(sentence) for sentence in job.predictor.verdict()]
    # The plugin boundary, as for samples: the run is completed whatever is said of it.
    except (Exception, SystemExit) as error:
        return [f"no verdict: inference {job.resolved.specs['inference'].name!r}: {_told(error)}"]


def _saved(made: object, run: RunFolder, step: int, taken: Sequence[str]) -> SampleRef:
    sample = samples.checked_one(made, taken)
    file = save_sample(run, sample, f"step-{step:08d}-{sample.name}")
    return SampleRef(kind=sample.kind, name=sample.name, title=sample.title, file=file)


def _told(error: BaseException) -> str:
    """An error in one line, for the notice; where it comes from goes to the job's output."""
    if not isinstance(error, DlkitError):
        say_traceback(error)
    return in_words(error)

"""Options that say they may be changed while a run goes can be."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from dlkit.config import Config
from dlkit.engine.build import Job
from dlkit.errors import DlkitError
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import again, learned, listed, still, training_batches, trains, unlike

STEPS, SIZE = 4, 6


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    trains(job)
    keys = [key.partition(".")[2] for key in job.trainer.changeable()]
    if not keys:
        raise Skipped(f"trainer {job.resolved.specs['trainer'].name!r} has no option that may be changed")
    plain = _steps(subject, None)
    if far := unlike(plain, _steps(subject, job.trainer.config)):
        yield Finding(f"set to what they are, options change the run: {listed(far)}", "no change", "trainer")
    for key in keys:
        other = _other(job, key)
        if other is None:
            continue
        changed = _steps(subject, other)
        learnt = {name for name, _ in job.trainer.model.named_parameters()}  # a buffer may well begin without numbers
        bad = [name for name, tensor in changed.items() if name in learnt and not tensor.isfinite().all()]
        value = getattr(other, key)
        if bad:
            yield Finding(f"with {value!r}, weights are not finite: {', '.join(bad[:3])}", "finite", f"trainer.{key}")
        elif key == "lr" and not unlike(plain, changed):
            yield Finding(f"set to {value!r}, it changes nothing", "another step", f"trainer.{key}")


def _steps(subject: Subject, config: Config | None) -> dict[str, Tensor]:
    """The weights after some steps, options having been changed in their midst."""
    job = again(subject, {"engine": {"steps": STEPS, "epochs": None}})
    with still(job):
        for step, batch in enumerate(training_batches(job, STEPS, SIZE)):
            if step == 1 and config is not None:
                job.trainer.change(config)
            job.trainer.step([batch], step)
    return learned(job)


def _other(job: Job, key: str) -> Config | None:
    """The options with one a little different; None where it takes no such value."""
    config = job.trainer.config
    value = getattr(config, key)
    changed: float | None = None
    if isinstance(value, bool):
        changed = not value
    elif isinstance(value, (int, float)):
        changed = value + 1 if isinstance(value, int) else value * 0.5 or 0.01
    try:
        return None if changed is None else type(config).model_validate({**config.model_dump(), key: changed})
    except (ValueError, DlkitError):
        return None


RULE = Rule(
    name="engine-obeys-set",
    tier="silver",
    kinds=("trainer", "model"),
    title="dlkit set TRAINER.OPTION works for every option that declares itself changeable",
    why="The interface offers these to be changed; one that is not looked at again is changed in vain.",
    mend="Read self.config at every step, not once in __init__; give rates() what the learning rates are now; in "
    "change() carry over what was made of the old options.",
    buggy="self.lr = setup.config.lr  # in __init__",
    corrected="def rates(self):\n    return [[self.config.lr]]",
    check=check,
)

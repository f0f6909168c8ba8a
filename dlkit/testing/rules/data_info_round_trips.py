"""Info survives the checkpoint, and a model needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import safetensors.torch
from pydantic import BaseModel

from dlkit.data.randomness import forked
from dlkit.engine import tree
from dlkit.engine.build import Job, build_model
from dlkit.task import Info
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, listed, outputs_of, rows, unlike


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    try:
        back = _stored(job.info)
    # Whatever JSON and safetensors cannot hold, they say in their own errors.
    except Exception as error:
        yield Finding(
            f"it cannot be stored and read: {type(error).__name__}: {error}", "JSON values and arrays", "info"
        )
        return
    for name in type(job.info).model_fields:
        if not _equal(getattr(job.info, name), getattr(back, name)):
            seen = f"{_told(getattr(job.info, name))} comes back as {_told(getattr(back, name))}"
            yield Finding(seen, "the value that was stored", f"info.{name}")
    yield from _suffices(job, back)


def _stored(info: Info) -> Info:
    """As a checkpoint stores it, and reads it."""
    skeleton, tensors = tree.split(info.model_dump())
    text, stored = json.dumps(skeleton, allow_nan=False), safetensors.torch.save(tensors)
    return type(info).model_validate(tree.join(json.loads(text), safetensors.torch.load(stored)))


def _suffices(job: Job, back: Info) -> Iterator[Finding]:
    """A model that is built from it takes the run's weights, and answers alike."""
    with forked(SEED, "another model"):
        model = build_model(job.catalog, job.resolved, back)
    model.load_state_dict(job.trainer.model.state_dict())
    batch = rows(job.data.val, 3)
    with forked(SEED, "look"):
        found = unlike(outputs_of(job, batch), model.eval()(*(batch[key] for key in job.task.inputs)), 1e-5)
    if found:
        seen = f"a model of the stored info, with the same weights, answers otherwise: {listed(found)}"
        yield Finding(seen, "the same outputs", "info")


def _equal(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        a, b = np.asarray(one), np.asarray(other)
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(value, other[key]) for key, value in one.items())
    if isinstance(one, BaseModel) and isinstance(other, BaseModel):
        return type(one) is type(other) and _equal(dict(one), dict(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return type(one) is type(other) and one == other


def _told(value: object) -> str:
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) else f"{value!r}"[:100]


RULE = Rule(
    name="data-info-round-trips",
    tier="silver",
    kinds=("dataset",),
    title="Info comes back from a checkpoint as it was, and is all that a model is built from",
    why="A checkpoint must answer when the data set's files and code are gone: it has info, and nothing else.",
    mend="Type info's fields as JSON has them (a list, not a tuple; names, not objects), numbers in bulk as "
    "dlkit.task.Array; put everything into it that the input's encoding depends on.",
    buggy="sizes: tuple[int, int]  # with typing.Any as its type: comes back as a list",
    corrected="sizes: list[int]",
    check=check,
)

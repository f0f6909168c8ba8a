"""Every task: however a split is cut into evaluation batches, micro-batches and processes, losses and metrics agree."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dlkit.catalog import Catalog
from dlkit.config import Layer, Resolved, resolve
from dlkit.data.context import make_context
from dlkit.data.splits import Batch
from dlkit.engine.build import Job, prepare, trainer_class
from dlkit.engine.distributed import World
from dlkit.engine.evaluation import Meter
from dlkit.engine.means import samples_of
from dlkit.engine.trainer import Values
from dlkit.testing.seats import seated
from small import models, small

CATALOG = Catalog.load_everything()
SAMPLES = 12
UNEQUAL: dict[str, Any] = {
    "autoencoder variational": {"loss": {"likelihood": "gaussian"}},
    "conjugation": {"loss": {"weights": "balanced", "smoothing": 0.1}},
    "detection": {"dataset": {"empty": 0.4}},
    "localization": {"dataset": {"empty": 0.7}},
    "translation": {"loss": {"label_smoothing": 0.1}},
}
"""Settings with which some samples count more than others: weights, images without an object."""
ROUNDING = {"rel": 1e-6, "abs": 1e-12}
"""Networks compute in float32, and add up in another order; of all cuts of these, the worst came to 8.4e-7."""

TWO_NETWORKS = {"rel": 4e-6, "abs": 1e-12}
"""Two in a row, and the second judges after a step of its own: 1.7e-6 came of dcgan."""


def resolved(task: str, model: str) -> Resolved:
    layer = small(task, model)
    for section, options in {**UNEQUAL.get(task, {}), **UNEQUAL.get(f"{task} {model}", {})}.items():
        layer.setdefault(section, {}).update(options)
    if model == "scratch-mlp":  # its trainer drops units in any mode
        layer["model"]["dropout"] = 0.0
    return resolve(CATALOG, task, [Layer("test", layer)])


@cache
def job(task: str, model: str) -> Job:
    """In evaluation mode: without dropout or batch statistics."""
    made = prepare(CATALOG, resolved(task, model), make_context(CATALOG, Path(mkdtemp())))
    made.trainer.model.eval()
    return made


def cut(made: Job, bounds: Sequence[int]) -> list[Batch]:
    """The split's first samples, each batch padded to its own longest."""
    edges = [0, *sorted(bounds), min(SAMPLES, len(made.data.val))]
    return [made.data.val.take(torch.arange(a, b)) for a, b in pairwise(edges)]


def measured(made: Job, batches: Sequence[Batch], world: World | None = None) -> dict[str, float]:
    meter = Meter(made.trainer, made.task, made.info, world, thorough=True)
    with made.trainer.evaluating():
        for batch in batches:
            meter.update(batch)
    return meter.compute("val")


WHOLE = ("kernels", "style")
"""Their one sample cannot be cut."""
EVALUATED = [pair for pair in models(CATALOG) if pair[0] not in WHOLE]


@pytest.mark.parametrize(("task", "model"), EVALUATED)
@given(bounds=st.sets(st.integers(1, 7), min_size=1, max_size=7))
@settings(max_examples=6, deadline=None)
def test_batches_of_an_evaluation(task: str, model: str, bounds: set[int]) -> None:
    made = job(task, model)
    found, expected = measured(made, cut(made, sorted(bounds))), measured(made, cut(made, []))
    assert found == pytest.approx(expected, **ROUNDING)


@pytest.mark.parametrize(("task", "model"), EVALUATED)
def test_processes_of_an_evaluation(task: str, model: str) -> None:
    """Three, of which one has nothing to measure: the others say what is true of all."""
    made = job(task, model)
    parts = [*([batch] for batch in cut(made, [5])), []]
    expected = measured(made, cut(made, []))
    for found in seated(3, lambda world: measured(made, parts[world.rank], world))[:2]:
        assert found == pytest.approx(expected, **ROUNDING)


ADDED = [pair for pair in models(CATALOG, without="skip-gram") if pair in EVALUATED]
"""Those whose trainer adds up gradients of several batches."""


@pytest.mark.parametrize(("task", "model"), ADDED)
@given(bounds=st.sets(st.integers(1, 7), min_size=1, max_size=7))
@settings(max_examples=4, deadline=None)
def test_micro_batches(task: str, model: str, bounds: set[int]) -> None:
    made = job(task, model)
    expected = stepped(made, cut(made, []))
    rounding = TWO_NETWORKS if task == "gan" else ROUNDING
    assert stepped(made, cut(made, sorted(bounds))) == pytest.approx(expected, **rounding)


SEVERAL = [pair for pair in ADDED if pair[0] != "gan" and "ddp" in trainer_class(CATALOG, resolved(*pair)).supports]
"""Those that several processes train, and that draw nothing: each process draws images of its own."""


@pytest.mark.parametrize(("task", "model"), SEVERAL)
@given(bounds=st.permutations(range(1, 8)).map(lambda order: sorted(order[:3])))
@settings(max_examples=2, deadline=None)
def test_processes(task: str, model: str, bounds: list[int]) -> None:
    """Two of them, each with its part of two micro-batches."""
    made = job(task, model)
    parts, whole = cut(made, bounds), stepped(made, cut(made, []))
    copies = [copy.deepcopy(made.trainer.model) for _ in range(2)]
    count = sum(map(samples_of, parts))

    def part(world: World) -> dict[str, float]:
        rank = world.rank
        trainer = type(made.trainer)(replace(made.trainer.setup, world=world, model=copies[rank]))
        trainer.shares = [samples_of(batch) * 2 / count for batch in parts[rank::2]]
        return losses_of(trainer.step(parts[rank::2], 0))

    one, other = seated(2, part)
    means = {name: (one[name] + other[name]) / 2 for name in one}
    assert means == pytest.approx({name: whole[name] for name in means}, **ROUNDING)


def losses_of(values: Values) -> dict[str, float]:
    """Without norms of gradients, which are the ranks' own, and sums of float32 in whatever order."""
    return {name: float(value) for name, value in values.items() if name.startswith("train/")}


def stepped(made: Job, batches: Sequence[Batch]) -> dict[str, float]:
    """The losses that a step records, everything then being as it was."""
    before = {name: value.clone() for name, value in made.trainer.model.state_dict().items()}
    made.trainer.load_local({})
    torch.manual_seed(0)  # whatever a step draws itself: images, which a loss is not a function of
    values = made.trainer.step(batches, 0)
    made.trainer.model.load_state_dict(before)
    return losses_of(values)

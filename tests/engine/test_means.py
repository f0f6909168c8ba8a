"""However samples are cut into micro-batches, processes and evaluation batches, a loss is that of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from dlkit.config import EngineConfig
from dlkit.data.splits import Batch
from dlkit.engine.device import Cpu
from dlkit.engine.distributed import World
from dlkit.engine.evaluation import Meter
from dlkit.engine.means import LossMeans, RunningMeans
from dlkit.engine.options import SupervisedConfig
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.engine.trainer import Setup, Trainer, Values
from dlkit.testing.seats import seated
from toy_options import ToyInfo, ToyTask

SAMPLES = 12


def parts_of(outputs: Tensor, batch: Batch) -> dict[str, Tensor]:
    """``plain``, a mean over samples, and ``weighted``, by their ``weight``."""
    error, weight = (outputs - batch["y"]).square(), batch["weight"]
    total = weight.sum()
    return {"plain": error.mean(), "weighted": (error * weight).sum() / (total + (total == 0))}


class Plain:
    """A mean over samples, as most are."""

    def __call__(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        return {"loss": parts_of(outputs, batch)["plain"]}


class Weighted:
    """One count for every entry."""

    def __call__(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        found = parts_of(outputs, batch)["weighted"]
        return {"loss": found, "half": found / 2}

    def counts(self, batch: Batch, model: nn.Module) -> Tensor:
        return batch["weight"].sum()


class Both:
    """Made of means over different things."""

    def __call__(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        parts = parts_of(outputs, batch)
        return {"loss": self.total(parts), **parts}

    def counts(self, batch: Batch, model: nn.Module) -> Mapping[str, Tensor]:
        return {"weighted": batch["weight"].sum()}

    def total(self, parts: Mapping[str, Tensor]) -> Tensor:
        return parts["plain"] + 0.5 * parts["weighted"]


LOSSES = {"plain": Plain, "weighted": Weighted, "both": Both}


class Shared(SupervisedTrainer):
    """Averages gradients over ranks before they are used, as DistributedDataParallel does."""

    def optimizers(self) -> list[torch.optim.Optimizer]:
        found = super().optimizers()
        world, parameters = self.setup.world, self.parameters
        found[0].register_step_pre_hook(lambda *_: world.average([p.grad for p in parameters if p.grad is not None]))
        return found


def make(model: nn.Module, loss: Any, world: World | None = None) -> Trainer:
    options = SupervisedConfig(optimizer="sgd", lr=0.1, momentum=0)
    info = ToyInfo(features=3)
    setup = Setup(model, loss, ToyTask(), info, options, EngineConfig(), Cpu(), None, 10, world or World())
    return Shared(setup)


def network() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1), nn.Flatten(0)).double()


def samples(seed: int) -> Batch:
    drawn = torch.Generator().manual_seed(seed)
    weight = torch.rand(SAMPLES, generator=drawn, dtype=torch.float64)
    return {
        "x": torch.randn(SAMPLES, 3, generator=drawn, dtype=torch.float64),
        "y": torch.randn(SAMPLES, generator=drawn, dtype=torch.float64),
        "weight": weight * (torch.rand(SAMPLES, generator=drawn) < 0.4),
    }


def cut(batch: Batch, bounds: Sequence[int]) -> list[Batch]:
    edges = [0, *sorted(bounds), SAMPLES]
    return [{name: column[a:b] for name, column in batch.items()} for a, b in pairwise(edges)]


CUTS = st.sets(st.integers(1, SAMPLES - 1), max_size=SAMPLES - 1).map(sorted)


@given(seed=st.integers(0, 100), loss=st.sampled_from(sorted(LOSSES)), bounds=CUTS)
def test_micro_batches(seed: int, loss: str, bounds: list[int]) -> None:
    batch, whole, parted = samples(seed), network(), network()
    expected = make(whole, LOSSES[loss]()).step([batch], 0)
    found = make(parted, LOSSES[loss]()).step(cut(batch, bounds), 0)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(list(parted.parameters()), list(whole.parameters()), rtol=1e-12, atol=1e-12)


@given(
    seed=st.integers(0, 100), loss=st.sampled_from(sorted(LOSSES)), ranks=st.integers(2, 3), micro=st.integers(1, 3),
    data=st.data(),
)  # fmt: skip
def test_processes(seed: int, loss: str, ranks: int, micro: int, data: st.DataObject) -> None:
    """Each has a part of each micro-batch, none of them of one size."""
    bounds = data.draw(st.permutations(range(1, SAMPLES)).map(lambda order: order[: ranks * micro - 1]))
    batch, whole = samples(seed), network()
    expected = make(whole, LOSSES[loss]()).step([batch], 0)
    parts, models = cut(batch, bounds), [network() for _ in range(ranks)]

    def train(world: World) -> tuple[Any, list[Tensor]]:
        own, model = parts[world.rank :: ranks], models[world.rank]
        trainer = make(model, LOSSES[loss](), world)
        trainer.shares = [len(part["x"]) * ranks / SAMPLES for part in own]
        return trainer.step(own, 0), list(model.parameters())

    found = seated(ranks, train)
    for name, value in losses_of(expected).items():
        mean = sum(float(values[name]) for values, _ in found) / ranks
        assert mean == pytest.approx(float(value), rel=1e-12, abs=1e-12)
    for _, parameters in found:
        torch.testing.assert_close(parameters, list(whole.parameters()), rtol=1e-12, atol=1e-12)


@given(seed=st.integers(0, 100), loss=st.sampled_from(sorted(LOSSES)), bounds=CUTS, ranks=st.integers(2, 3))
def test_processes_of_an_evaluation(seed: int, loss: str, bounds: list[int], ranks: int) -> None:
    """One of them may have nothing to measure."""
    batch = samples(seed)
    parts, models = cut(batch, bounds), [network() for _ in range(ranks)]

    def measure(world: World) -> dict[str, float]:
        return measured(make(models[world.rank], LOSSES[loss](), world), parts[world.rank :: ranks], world)

    found = seated(ranks, measure)
    expected = measured(make(network(), LOSSES[loss]()), [batch])
    assert all(values == pytest.approx(expected, rel=1e-12, abs=1e-12) for values in found)


@given(seed=st.integers(0, 100), loss=st.sampled_from(sorted(LOSSES)), bounds=CUTS)
def test_batches_of_an_evaluation(seed: int, loss: str, bounds: list[int]) -> None:
    batch, trainer = samples(seed), make(network(), LOSSES[loss]())
    found = measured(trainer, cut(batch, bounds))
    assert found == pytest.approx(measured(trainer, [batch]), rel=1e-12, abs=1e-12)
    with trainer.evaluating():
        expected = trainer.evaluate_losses(trainer.evaluate(batch), batch)
    assert found == pytest.approx({f"val/{name}": float(value) for name, value in expected.items()}, rel=1e-12)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_an_evaluation_of_many_batches(loss: str) -> None:
    """Sums of ten thousand batches in float32 were off by 1e-4."""
    means = LossMeans(LOSSES[loss](), network())
    running, value = RunningMeans(means), torch.tensor(0.1)
    batch = {"x": torch.zeros(1, 3), "weight": torch.ones(1)}
    for _ in range(10_000):
        running.add({"loss": value, "plain": value, "weighted": value}, batch)
    assert running.numbers()["plain"] == running.numbers()["weighted"] == float(value)


def test_many_micro_batches() -> None:
    """A step's loss is that of its samples, however many parts they come in."""
    batch = {name: column.float() for name, column in samples(1).items()}
    many = {name: column.repeat(200, *[1] * (column.dim() - 1)) for name, column in batch.items()}
    singles = [{name: column[i : i + 1] for name, column in many.items()} for i in range(len(many["y"]))]
    expected = make(network().float(), Plain()).step([batch], 0)["train/loss"]
    assert make(network().float(), Plain()).step(singles, 0)["train/loss"] == pytest.approx(float(expected), rel=2e-7)


def losses_of(values: Values) -> Values:
    """Without what is not averaged by itself."""
    return {name: value for name, value in values.items() if name.startswith("train/")}


def measured(trainer: Trainer, batches: Sequence[Batch], world: World | None = None) -> dict[str, float]:
    meter = Meter(trainer, NoMetrics(), trainer.setup.info, world)
    with trainer.evaluating():
        for batch in batches:
            meter.update(batch)
    return meter.compute("val")


class NoMetrics(ToyTask):
    def metrics(self, info: Any) -> Any:
        return self

    def update(self, outputs: Any, batch: Batch) -> None:
        pass

    def compute(self) -> Mapping[str, float]:
        return {}

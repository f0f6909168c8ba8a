"""A split's metrics of an exported model beside the run's: the same task, batches and losses, another model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from dlkit.answering import TOLERANCE, RunGraph, Values
from dlkit.config import Resolved
from dlkit.data.randomness import forked
from dlkit.data.splits import Batch, Split
from dlkit.engine.loader import evaluation_batches, evaluation_count
from dlkit.engine.means import RunningMeans
from dlkit.engine.trainer import Trainer
from dlkit.portable import Graph
from dlkit.predictor import AnyPredictor
from dlkit.use.export.proof import difference
from dlkit.use.export.verdicts import Proof

RECORDED = 1e-3
"""What a metric measured now may differ by from the run's own record, times its size where that is above 1: another
processor, other threads and another size of batch round otherwise."""


class StandIn(nn.Module):
    """A model whose one network runs elsewhere: tensors in, the outputs that the task declares. What else is asked
    of it (for a loss of its own, say), the ``model`` says itself."""

    def __init__(self, graph: Graph, run: RunGraph, model: nn.Module) -> None:
        super().__init__()
        self._graph, self._run, self._model = graph, run, model

    def __getattr__(self, name: str) -> Tensor | nn.Module:
        try:
            return super().__getattr__(name)
        except AttributeError:
            found: Tensor | nn.Module = getattr(super().__getattr__("_model"), name)
            return found

    def forward(self, *inputs: Tensor) -> object:
        arrays = {name: value.cpu().numpy() for name, value in zip(self._graph.inputs, inputs, strict=True)}
        found = {name: torch.from_numpy(values) for name, values in self._run(self._graph.name, **arrays).items()}
        own = self._model(*inputs)
        return {**own, **found} if isinstance(own, Mapping) else found[self._graph.outputs[0]]


@dataclass(frozen=True)
class Measured:
    """Metrics of both models by full name, samples, and how many of them are answered differently."""

    torch: Mapping[str, float]
    exported: Mapping[str, float]
    samples: int
    differing: int


def measure(
    predictor: AnyPredictor,
    resolved: Resolved,
    split: Split,
    name: str,
    model: nn.Module,
    progress: Callable[[int, int], None],
) -> Measured:
    """One pass over a split by both models; ``model`` stands in for the predictor's."""
    task, info, engine = predictor.task, predictor.info, resolved.engine
    assert task is not None and predictor.recipe is not None
    learns = any(True for _ in predictor.model.parameters())  # what has nothing to learn has no trainer
    trainer = cast(Trainer, predictor.recipe.trainer(predictor.model, info, 1)) if learns else None
    own, other = (_Pass(trainer, one, task.metrics(info)) for one in (predictor.model.eval(), model.eval()))
    samples = differing = 0
    count = evaluation_count(split, engine)
    for number, batch in enumerate(evaluation_batches(split, engine)):
        progress(number, count)
        inputs = [batch[key] for key in task.inputs]
        # What a model draws itself is the same for both: each has the stream to itself.
        with torch.no_grad(), forked(engine.seed, "evaluate", name, number):
            wanted = own.update(batch, inputs)
        with torch.no_grad(), forked(engine.seed, "evaluate", name, number):
            found = other.update(batch, inputs)
        samples += len(inputs[0])
        differing += _differing(task.scores(wanted, info), task.scores(found, info), wanted, found, len(inputs[0]))
    progress(count, count)
    return Measured(own.compute(name), other.compute(name), samples, differing)


class _Pass:
    """What one model makes of a split."""

    def __init__(self, trainer: Trainer | None, model: nn.Module, metrics: object) -> None:
        self._trainer, self._model, self._metrics = trainer, model, metrics
        self._losses = RunningMeans(trainer.means) if trainer else None

    def update(self, batch: Batch, inputs: list[Tensor]) -> object:
        outputs: object = self._model(*inputs)
        self._metrics.update(outputs, batch)  # type: ignore[attr-defined]
        if ask := getattr(self._metrics, "ask", None):
            ask(self._model, batch, True)
        if self._trainer is not None and self._losses is not None:
            self._losses.add(self._trainer.evaluate_losses(outputs, batch), batch)
        return outputs

    def compute(self, split: str) -> dict[str, float]:
        measured = self._metrics.compute()  # type: ignore[attr-defined]
        losses = self._losses.numbers() if self._losses is not None else {}
        return {f"{split}/{name}": float(value) for name, value in {**losses, **measured}.items()}


def _differing(
    wanted_scores: Mapping[str, Tensor],
    found_scores: Mapping[str, Tensor],
    wanted: object,
    found: object,
    count: int,
) -> int:
    """Samples whose answer differs: another highest score where the task has scores, else numbers beyond the
    tolerance."""
    if len(wanted_scores) > 1:
        best = [torch.stack(list(scores.values())).argmax(0) for scores in (wanted_scores, found_scores)]
        return int((best[0] != best[1]).sum())
    own, other = _by_name(wanted, count), _by_name(found, count)
    return sum(any(difference(other[name][i], own[name][i]) > TOLERANCE for name in other) for i in range(count))


def _by_name(outputs: object, count: int) -> dict[str, Values]:
    """Outputs that have so many samples, as arrays."""
    named = outputs if isinstance(outputs, Mapping) else {"": outputs}
    tensors = {str(name): value for name, value in named.items() if isinstance(value, Tensor) and value.dim()}
    return {name: value.detach().cpu().numpy() for name, value in tensors.items() if len(value) == count}


def compare_metric(
    proof: Proof,
    measured: Measured,
    metric: str,
    recorded: float | None,
    precision: str = "",
    *,
    lossy: bool = False,
) -> None:
    """The primary metric's rows: exported against torch now, and against what the run recorded."""
    name = metric if metric in measured.torch else next(iter(measured.torch), "")
    if not name:
        proof.remarks.append(f"{metric}: not measured on this split")
        return
    own, other = measured.torch[name], measured.exported[name]
    # Where two classes are as good as equally likely, rounding chooses: of a thousand samples one may be such.
    ties = measured.differing if measured.differing <= max(1, measured.samples // 1000) else 0
    allowed = max(TOLERANCE * max(1.0, abs(own)), ties / measured.samples)
    found = f"{other:.6g} (torch {own:.6g}), {measured.differing} of {measured.samples} answers differ"
    proof.add(
        f"{name} of the exported model",
        found,
        "" if lossy else f"± {allowed:.2g}",
        None if lossy else abs(own - other) <= allowed,
    )
    if recorded is None or lossy or name != metric:
        return
    what = f"{name} that the run recorded"
    if precision == "bf16":  # eight bits of a number: what was measured by them is another figure
        proof.add(f"{what}, measuring in bf16", f"{recorded:.6g}")
        return
    # Of classes that are as good as equally likely, another processor's rounding chooses the other: a sample or two.
    allowed = max(RECORDED * max(1.0, abs(recorded)), 2.01 / measured.samples)
    proof.add(what, f"{recorded:.6g}", f"± {allowed:.2g}", abs(recorded - other) <= allowed)

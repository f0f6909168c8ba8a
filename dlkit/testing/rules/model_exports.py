"""A trained model can leave dlkit, or says why not."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from dlkit.errors import UsageError
from dlkit.portable import Graph, Portable
from dlkit.testing.finding import Finding, Skipped
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import SEED, listed, unlike

ALLOWED = 1e-3


def check(subject: Subject) -> Iterator[Finding]:
    from dlkit.use.export.networks import program_of

    for graph in _portable(subject).graphs:
        try:
            with torch.no_grad():
                program = program_of(graph).module()
        except UsageError as error:
            seen = f"torch.export cannot follow it: {error}"
            yield Finding(seen[:600], "a program, or a predictor whose portable() says why there is none", graph.name)
            continue
        for count in (1, 3):
            yield from _compared(graph, program, count)


def _portable(subject: Subject) -> Portable:
    job = subject.experiment()
    job.trainer.model.eval()
    try:
        return job.predictor.portable()
    except UsageError as error:
        raise Skipped(f"its predictor says no: {error}") from error


def _compared(graph: Graph, program: torch.nn.Module, count: int) -> Iterator[Finding]:
    inputs = graph.draw(count, {axis: sizes[-1] for axis, sizes in graph.free.items()}, SEED)
    with torch.no_grad():
        own, exported = graph.module.eval()(*inputs.values()), program(*inputs.values())
    if found := unlike(graph.named(own), graph.named(exported), ALLOWED):
        yield Finding(
            f"of {count} samples the program gives other outputs: {listed(found)}", "the model's own", graph.name
        )


RULE = Rule(
    name="model-exports",
    tier="gold",
    kinds=("model",),
    quick=False,
    title="torch.export follows the model, for any number of samples, or its predictor says why it cannot leave",
    why="dlkit export must work, or refuse with the author's reason, and not with a trace of torch's.",
    mend="Decide by shapes, not by values of tensors (no if x.sum() > 0, no .item()); sizes of free axes may be any. "
    "Where that cannot be, raise UsageError with the reason in Predictor.portable.",
    buggy="if x.abs().max() > 1:\n    x = x / x.abs().max()",
    corrected="x = x / x.abs().amax().clamp(min=1)",
    check=check,
)

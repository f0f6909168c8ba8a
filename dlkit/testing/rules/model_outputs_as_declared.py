"""What a model returns is what the task says, finite, whatever the batch's size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from torch import Tensor

from dlkit.errors import PluginError
from dlkit.task import axes_of, check_columns
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import named_tensors, outputs_of, rows

SIZES = (1, 2, 3, 7)


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    several = isinstance(job.task.outputs, Mapping)
    declared = job.task.outputs if isinstance(job.task.outputs, Mapping) else {"outputs": job.task.outputs}
    for size in SIZES:
        batch, where = rows(job.data.val, size), f"a batch of {size}"
        sizes = check_columns(job.task.batch, batch, where, axes_of(job.info))
        outputs = outputs_of(job, batch)
        try:
            check_columns(declared, outputs if several else {"outputs": outputs}, where, sizes)
        except PluginError as error:
            yield Finding(str(error), "the shapes and types that Task.outputs declares", where)
            continue
        for name, tensor in named_tensors(outputs).items():
            bad = _bad(tensor)
            if bad:
                yield Finding(
                    f"{name} has {bad} of {tensor.numel()} values that are not finite", "finite values", where
                )


def _bad(tensor: Tensor) -> int:
    """How many values are no numbers, or are infinite and not the same in all samples: as bounds and masks are."""
    if not tensor.is_floating_point():
        return 0
    constant = (tensor == tensor[:1]) & tensor.isinf() if tensor.dim() else tensor.isinf()
    return int((~(tensor.isfinite() | constant)).sum())


RULE = Rule(
    name="model-outputs-as-declared",
    tier="bronze",
    kinds=("model",),
    title="Outputs are finite and as the task declares them, for batches of any size",
    why="The last batch of an evaluation has any number of samples, one too; whoever asks a model asks about one.",
    mend="Let the batch axis be what the input has: x.flatten(1), never x.view(batch_size, -1) or a bare squeeze().",
    buggy="return self.linear(x).squeeze()  # of one sample no axis is left",
    corrected="return self.linear(x).squeeze(1)",
    check=check,
)

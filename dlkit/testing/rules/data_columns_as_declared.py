"""What a data set gives is what the task says of its batches."""

from __future__ import annotations

from collections.abc import Iterator

from dlkit.errors import PluginError
from dlkit.task import axes_of, check_columns
from dlkit.testing.finding import Finding
from dlkit.testing.rule import Rule
from dlkit.testing.subject import Subject
from dlkit.testing.trying import rows

SIZES = (1, 2, 5)


def check(subject: Subject) -> Iterator[Finding]:
    job = subject.experiment()
    fixed = {axis: size for axis, size in job.task.axes(job.info).items() if axis not in job.task.free}
    known = {**axes_of(job.info), **fixed}
    for name, split in job.data.splits.items():
        for size in SIZES:
            batch = rows(split, size)
            try:
                check_columns(job.task.batch, batch, f"a batch of {size}", {**known, "N": size})
            except PluginError as error:
                yield Finding(str(error), "the shapes and types that the task declares", where=f"split {name!r}")
                break


RULE = Rule(
    name="data-columns-as-declared",
    tier="bronze",
    kinds=("dataset",),
    title="Batches of every split, of any size, have the columns that the task declares",
    why="Model, loss and metrics rely on it; what differs in the test split alone comes to light after the training.",
    mend="Give every column the type and axes of Task.batch: labels as int64, images as float32 scaled in transform.",
    buggy='TensorSplit({"x": torch.from_numpy(x), "y": torch.from_numpy(y)})  # y is float64',
    corrected='TensorSplit({"x": torch.from_numpy(x), "y": torch.from_numpy(y.astype(np.float32))})',
    check=check,
)

"""``dlkit data show TASK``: splits, columns, balance and samples of a data set, before any training."""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from dlkit.catalog import Catalog
from dlkit.cli.data_options import data_folder, find_source, parser
from dlkit.cli.flags import Words, layers_of, split_words
from dlkit.cli.parser import asks_for_help
from dlkit.cli.sample_json import sample_document
from dlkit.config import Resolved, resolve
from dlkit.data.context import make_context
from dlkit.errors import UsageError, blamed
from dlkit.present.output import colours, print_json, print_result, say
from dlkit.present.table import table
from dlkit.present.text import Painted
from dlkit.samples import checked

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Data, Split
    from dlkit.samples import Sample
    from dlkit.task import AnyTask, Column

_MAP_SPLIT_LIMIT = 1000
"""Samples of a MapSplit that the columns' figures are taken over: each is read and decoded."""


class ColumnDescription(TypedDict):
    """A column of the batches. ``shape`` lacks the batch axis; a ragged axis has its longest."""

    name: str
    declared: str
    dtype: str
    shape: list[int]
    min: float | None
    mean: float | None
    max: float | None


class DataDescription(TypedDict):
    """A data set as ``--json`` gives it; ``columns_over`` is the number of samples that the figures are taken over."""

    task: str
    dataset: str
    options: dict[str, object]
    splits: dict[str, int]
    columns: list[ColumnDescription]
    columns_over: int
    notes: list[str]


def show(argv: list[str]) -> int:
    """Build a data set and print what is in it."""
    made = parser("show", fetches=True)
    made.usage = "dlkit data show TASK [--dataset NAME] [--dataset.FIELD VALUE …] [OPTION …]"
    made.add_argument("--count", type=int, default=16, metavar="N", help="samples to show (default: 16)")
    if asks_for_help(argv):
        made.help_with(argv, others=True)
    options, rest = made.parse_known_args(argv)
    catalog = Catalog.load_everything()
    resolved = _resolve(catalog, split_words(rest))
    if options.count < 1:
        raise UsageError(f"--count {options.count}: must be at least 1")
    _ensure_sources(catalog, resolved, options)
    from dlkit.engine.build import build_data, build_task

    task = build_task(catalog, resolved.task)
    context = make_context(catalog, data_folder(options.workspace).parent, offline=options.offline, say=say)
    data, info = build_data(catalog, resolved, task, context)
    found = _described(resolved, task, data)
    who = f"task {resolved.task.name!r}"
    with blamed(f"{who}: preview"):
        samples = checked(task.preview(info, data.train, options.count), who)
    if options.json:
        print_json({**found, "samples": [sample_document(sample, pixels=False) for sample in samples]})
    else:
        _print(found, samples)
    return 0


def _resolve(catalog: Catalog, words: Words) -> Resolved:
    """The configuration that the command line's data set belongs to; UsageError for anything but the data set's."""
    if len(words.positional) != 1:
        tasks = ", ".join(spec.name for spec in catalog.specs("task")) or "none"
        raise UsageError(f"dlkit data show needs one TASK, got {words.positional}; there are: {tasks}")
    keys = [*words.names, *(key for key, _ in words.settings), *words.values, *words.switches]
    strange = [key for key in keys if key.partition(".")[0] != "dataset"]
    if strange:
        raise UsageError(f"dlkit data show does not take --{strange[0]}; it takes --dataset and --dataset.FIELD")
    task = words.positional[0]
    return resolve(catalog, task, layers_of(catalog, task, words))


def _ensure_sources(catalog: Catalog, resolved: Resolved, options: Namespace) -> None:
    """Fetch what the data set needs from the mirror that the command line names."""
    from dlkit.data.sources import ensure

    how = {"offline": options.offline, "mirror": options.mirror, "seconds": options.max_time}
    for name in resolved.specs["dataset"].sources:  # type: ignore[attr-defined]
        spec = find_source(catalog, name)
        ensure(spec, data_folder(options.workspace), say=say, **how)


def _described(resolved: Resolved, task: AnyTask, data: Data) -> DataDescription:
    columns, over = _columns(data.train, task.batch)
    return {
        "task": resolved.task.name,
        "dataset": resolved.specs["dataset"].name,
        "options": resolved.sections["dataset"].model_dump(mode="json", exclude_none=True),
        "splits": {name: len(split) for name, split in data.splits.items()},
        "columns": [column.described() for column in columns],
        "columns_over": over,
        "notes": list(data.notes),
    }


def _columns(split: Split, declared: Mapping[str, Column]) -> tuple[list[_ColumnFigures], int]:
    """A split's columns, and over how many samples: all of them, or some from all over a MapSplit."""
    import torch

    from dlkit.data.splits import TensorSplit

    count = len(split) if isinstance(split, TensorSplit) else min(_MAP_SPLIT_LIMIT, len(split))
    index = torch.linspace(0, len(split) - 1, count, dtype=torch.float64).round().long()
    found: dict[str, _ColumnFigures] = {}
    for chunk in torch.split(index, 500):
        for name, values in split.take(chunk).items():
            found.setdefault(name, _ColumnFigures(name, declared.get(name))).add(values)
    return list(found.values()), count


@dataclass
class _ColumnFigures:
    """What a column's values are like, gathered batch by batch; padding is left out of its figures."""

    name: str
    declared: Column | None
    dtype: str = ""
    shape: list[int] = field(default_factory=list)
    total: float = 0.0
    count: int = 0
    low: float | None = None
    high: float | None = None

    def add(self, values: Tensor) -> None:
        import torch

        self.dtype = str(values.dtype).removeprefix("torch.")
        self.shape = [max(sizes) for sizes in zip(self.shape or values.shape[1:], values.shape[1:], strict=True)]
        if self.declared and self.declared.padding is not None:
            values = values[values != self.declared.padding]
        if values.numel():
            low, high = (float(bound) for bound in torch.aminmax(values))
            self.low = low if self.low is None else min(self.low, low)
            self.high = high if self.high is None else max(self.high, high)
            self.total += float(values.sum(dtype=torch.float64))
            self.count += values.numel()

    def described(self) -> ColumnDescription:
        return {
            "name": self.name,
            "declared": self.declared.text if self.declared else "",
            "dtype": self.dtype,
            "shape": self.shape,
            "min": self.low,
            "mean": self.total / self.count if self.count else None,
            "max": self.high,
        }


def _print(found: DataDescription, samples: Sequence[Sample]) -> None:
    from dlkit.present.samples import render

    print_result(f"{found['task']}: data set {found['dataset']}\n")
    print_result(table(["split", "samples"], found["splits"].items()))
    rows = [
        [c["name"], c["dtype"], "×".join(map(str, c["shape"])) or "scalar", c["min"], c["mean"], c["max"]]
        for c in found["columns"]
    ]
    print_result(f"\ncolumns, over {found['columns_over']} samples of train")
    print_result(table(["column", "dtype", "shape", "min", "mean", "max"], rows))
    for note in found["notes"]:
        print_result(f"\nnote: {note}")
    width = shutil.get_terminal_size((100, 24)).columns
    for sample in samples:
        print_result(Painted.joined("", ["\n", render(sample, colour=colours(sys.stdout), width=width)]))

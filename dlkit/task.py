"""A ``Task`` is the contract its components meet in: what ``info`` says, what a batch holds, what is measured.

A task's module must not import torch at module level (``dlkit components`` and the launch form read contracts);
``metrics`` and ``preview`` import it when called. The whole of a minimal task::

    class DigitsInfo(Info):
        classes: list[str] = Field(description="names of the classes, by label")

    class Digits(Task[DigitsInfo]):
        Info = DigitsInfo
        batch = {"image": Column("float32[N,C,H,W]"), "label": Column("int64[N]")}
        inputs = ("image",)
        outputs = {"logits": Column("float32[N,classes]")}

        def metrics(self, info: DigitsInfo) -> Metrics[Mapping[str, Tensor]]:
            from my_plugin.metrics import Accuracy
            return Accuracy(info.classes)

``Task``, ``Metrics`` and ``Loss`` are generic in what they are about, so that a type checker sees a field that ``info``
lacks, or metrics that expect other outputs than the model's.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from dlkit.errors import PluginError

if TYPE_CHECKING:
    from torch import Tensor

    from dlkit.data.splits import Batch, Split
    from dlkit.samples import Sample

Array = Annotated[
    Any,
    BeforeValidator(lambda value: np.asarray(value)),
    PlainSerializer(lambda value: value, return_type=Any),
    WithJsonSchema({"type": "array", "description": "a NumPy array, kept as a tensor in the checkpoint"}),
]
"""Type of an ``Info`` field that holds numbers in bulk (means, embeddings) or bytes (a tokenizer, as uint8)."""


class Info(BaseModel):
    """What a data set tells model, loss and predictor; saved with every checkpoint.

    A task subclasses it with typed, described fields. It carries the input encoding *as data* (classes, scales,
    vocabulary…): a checkpoint must answer raw input when the data set's files and code are gone.
    Keys of a stranger's component go under ``extra["plugin.key"]``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    extra: dict[str, Any] = Field(default_factory=dict, description="keys of other plugins, as 'plugin.key'")


InfoT = TypeVar("InfoT", bound=Info)
OutputsT = TypeVar("OutputsT", contravariant=True)
"""What a model returns, as ``Task.outputs`` says: a tensor, or tensors by name."""

_COLUMN = re.compile(r"(?P<dtype>[a-z]+\d*)\[(?P<axes>[\w,]*)\]\Z")


@dataclass(frozen=True)
class Column:
    """One entry of a batch or of a model's outputs: ``Column("float32[N,C,H,W]")``.

    ``N`` is the batch axis; every other name stands for a size, the same wherever it occurs: in the batch, in the
    outputs, and in ``info``, where a field of that name is the size or a list of so many things. A number is that size.
    ``padding`` is what fills a ragged axis (``-1`` for labels, ``0`` for tokens); ``None``: the column is not ragged.
    """

    text: str
    padding: float | None = None

    def __post_init__(self) -> None:
        if not _COLUMN.match(self.text):
            raise ValueError(f"column {self.text!r} is not of the form 'dtype[N,axis,…]'")

    @property
    def dtype(self) -> str:
        return self.text.partition("[")[0]

    @property
    def axes(self) -> tuple[str, ...]:
        return tuple(self.text.partition("[")[2].rstrip("]").split(","))


class Metrics(Protocol[OutputsT]):
    """What a task measures over a split; torchmetrics' collections fit.

    ``update`` runs once a batch and must not synchronise (no ``.item()``); ``compute`` returns plain floats by bare
    name (``"accuracy"``, the engine puts ``val/`` before it) and leaves out what is undefined for the data seen.

    What one forward pass does not show (the sentences that a model writes) is measured in ``ask(model, batch,
    thorough)``, where the metrics have one: called after ``update``, in evaluation mode, without gradients. It may
    synchronise. While a run trains, ``thorough`` is false: then it looks at a few samples and lets the others pass.

    To run in several processes it needs ``reduce(over_ranks)`` too, called on every rank before ``compute``: it
    replaces each of its tensors by ``over_ranks(tensor)``, the sum over ranks (``OverRanks``), or what is no sum by
    ``together(rows, over_ranks)``.
    """

    def update(self, outputs: OutputsT, batch: Mapping[str, Tensor]) -> None: ...

    def compute(self) -> Mapping[str, float]: ...


SumOverRanks = Callable[["Tensor | None"], "Tensor | None"]
"""The sum of every process's tensor, on every process; None where a process has seen nothing yet."""


@dataclass(frozen=True)
class OverRanks:
    """What ``Metrics.reduce`` is given: called with a tensor, or None, it gives the sum of all processes'.

    Every process calls it as often, in the same order, with tensors of one shape and type. ``OverRanks()`` is a process
    that is alone, for tests.
    """

    sum: SumOverRanks = lambda tensor: tensor
    rank: int = 0
    size: int = 1

    def __call__(self, tensor: Tensor | None) -> Tensor | None:
        return self.sum(tensor)


def together(rows: Tensor | None, over_ranks: OverRanks, *, padding: float = 0.0) -> Tensor | None:
    """Numbers [N,…] of all processes as one tensor on the CPU, in the order of ranks: for what is no sum, and must be
    seen at once (to rank it, say).

    Processes may have different numbers of rows, one None; the second axis [N,K,…] may differ too, and is padded to the
    longest with ``padding``. Other axes and the type are everybody's. None if nobody has any. Values arrive as they
    are.
    """
    # Each puts its own among zeros, where those of the ranks before it end: so sums are all that processes exchange.
    import torch

    if rows is not None and not 1 <= rows.dim() <= _MOST_AXES:
        raise ValueError(f"rows [N,…] have 1 to {_MOST_AXES} axes; these have {rows.dim()} axes")
    shapes = torch.zeros(over_ranks.size, 1 + _MOST_AXES, dtype=torch.int64)
    if rows is not None:
        shapes[over_ranks.rank, 0] = rows.dim()
        shapes[over_ranks.rank, 1 : 1 + rows.dim()] = torch.tensor(rows.shape)
    told = over_ranks(shapes)
    assert told is not None
    axes, counts = int(told[:, 0].amax()), told[:, 1].tolist()
    if not sum(counts):
        return None
    own = None
    if rows is not None:
        shape = [sum(counts), *told[:, 2 : 1 + axes].amax(0).tolist()]
        own = torch.zeros(shape, dtype=rows.dtype)
        first = sum(counts[: over_ranks.rank])
        own[first : first + len(rows)] = padding
        own[(slice(first, first + len(rows)), *(slice(size) for size in rows.shape[1:2]))] = rows.detach().cpu()
    return over_ranks(own)


_MOST_AXES = 8
"""Of rows that are put together."""


class Loss(Protocol[OutputsT]):
    """What the supervised trainer minimises: outputs and batch → scalars by name, ``loss`` among them. A function will
    do, if each of them is a mean over the batch's samples.

    Micro-batches, processes and the batches of an evaluation are parts of a whole, whose loss is not the mean of the
    parts' losses if one part has more tokens, objects or weight than another. A loss that is a mean over such things
    says how many there are::

        class TokenLoss:
            def __call__(self, outputs, batch):
                return {"loss": F.cross_entropy(outputs.mT, batch["target"], ignore_index=-1)}

            def counts(self, batch, model):
                return (batch["target"] != -1).sum()

    ``counts(batch, model)``: a scalar for all entries, or one for each by name; those without a name are means over
    samples. It runs before the forward pass and must not synchronise. ``model`` is for what does not depend on the
    batch's content. Over nothing, where the count is 0, an entry must be the sum, as if divided by 1.

    ``total(parts)``: the ``loss`` of its parts, by name, where these are means over different things; it must be linear
    in them. Then what ``loss`` itself counts is not asked for.
    """

    def __call__(self, outputs: OutputsT, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]: ...


class Task(ABC, Generic[InfoT]):
    """Base of every task's contract. The engine makes one instance, without arguments.

    Info     the typed keys of ``info``
    batch    key → column; what every data set of the task yields
    inputs   the keys handed to ``model.forward``, in order, so that any torch module drops in
    outputs  what the model returns: one column, or a dict of them
    """

    Info: type[InfoT]
    batch: ClassVar[Mapping[str, Column]]
    inputs: ClassVar[tuple[str, ...]]
    outputs: ClassVar[Column | Mapping[str, Column]]
    free: ClassVar[frozenset[str]] = frozenset()
    """Axes, besides ``N``, that may have another size in every batch: a text's length. A model is told it by the batch
    alone; an exported one has them dynamic."""
    name: str = ""
    """What its component is called; the engine says so."""

    @abstractmethod
    def metrics(self, info: InfoT) -> Metrics[Any]:
        """Fresh metrics for one pass over a split."""

    def axes(self, info: InfoT) -> Mapping[str, int]:
        """The sizes of all axes but ``N`` by name: what ``info`` fixes; of one that is ``free`` an example's, which no
        model that holds so many at most is too small for. Default: ``axes_of`` info, and C, H, W of its ``shape``."""
        shape = getattr(info, "shape", ())
        return {**axes_of(info), **(dict(zip("CHW", shape, strict=True)) if len(shape) == 3 else {})}

    def ranges(self, info: InfoT) -> Mapping[str, tuple[float, float]]:
        """Of columns, the least value and what all are below. Default: floats are drawn from a normal distribution,
        integers are 0."""
        return {}

    def example(
        self, info: InfoT, count: int = 2, *, sizes: Mapping[str, int] | None = None, seed: int = 0
    ) -> dict[str, Tensor]:
        """A valid batch of ``count`` samples from ``info`` alone, on the CPU: for export, summary and warming up, where
        no data is at hand. Another ``seed`` is another batch, ``sizes`` are those of free axes.

        Default: every column drawn at random by ``axes`` and ``ranges``. A task whose columns belong together (a box
        lies within its image, a sentence has an end) draws them so. PluginError: an axis has no size; UsageError: one
        of ``sizes`` is not free.
        """
        from dlkit.example_batch import drawn_batch, free_sizes

        who = f"task {self.name!r}"
        known = {**self.axes(info), **free_sizes(self.free, sizes, who), "N": count}
        return drawn_batch(self.batch, known, self.ranges(info), seed, who)

    def scores(self, outputs: Any, info: InfoT) -> Mapping[str, Tensor]:
        """What of a model's outputs somebody may ask why it is so: numbers by name (a class), one a sample [N], the
        higher the surer, as the model has them before they are squashed. They keep their gradients; nothing is read.
        Default: nothing."""
        return {}

    def constant(self, info: InfoT, train: Split) -> Callable[[Batch], object] | None:
        """The best answer that does not look at its input, so that a run can be told that it has learned nothing: from
        a batch to outputs like a model's, made of what the training split says (the commonest class, the mean).

        Asked for once, before a run's first evaluation, which measures it by ``metrics`` beside the model; ``dlkit
        explain`` compares. It draws nothing. ``dlkit.data.constant`` has what most need. None (the default): there
        is no such answer, or none that says anything.
        """
        return None

    def preview(self, info: InfoT, split: Split, count: int) -> Sequence[Sample]:
        """What ``dlkit data show`` prints of a split: balance, a grid of ``count`` samples. Default: nothing."""
        return ()


AnyTask = Task[Any]
"""One that nothing is known of but that it is a task."""


def check_columns(
    columns: Mapping[str, Column], values: object, who: str, known: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Compare tensors with their declaration; PluginError names ``who`` and the column. Returns the axes' sizes.

    ``known`` are sizes that axes have elsewhere, and must have here.
    """
    sizes = dict(known or {})
    if not isinstance(values, Mapping):
        raise PluginError(f"{who}: gives a {type(values).__name__}, not a dict of {', '.join(columns)}")
    for key, column in columns.items():
        if key not in values:
            has = ", ".join(sorted(map(str, values))) or "nothing"
            raise PluginError(f"{who}: lacks {key!r}, declared as {column.text}; it has: {has}")
        _check_column(column, values[key], f"{who}: {key!r}", sizes)
    return sizes


def _check_column(column: Column, value: object, who: str, sizes: dict[str, int]) -> None:
    from torch import Tensor

    if not isinstance(value, Tensor):
        raise PluginError(f"{who} is a {type(value).__name__}, declared as {column.text}")
    dtype = str(value.dtype).removeprefix("torch.")
    found = f"{dtype}{list(value.shape)}"
    if dtype != column.dtype or len(value.shape) != len(column.axes):
        raise PluginError(f"{who} is {found}, declared as {column.text}")
    for axis, size in zip(column.axes, value.shape, strict=True):
        expected = int(axis) if axis.isdigit() else sizes.setdefault(axis, size)
        if expected != size:
            raise PluginError(f"{who} is {found}: axis {axis} has {size}, not {expected}")


def axes_of(info: Info) -> dict[str, int]:
    """The axes that ``info`` tells the size of: by their names, a number, or a list of so many things."""
    fields = {name: getattr(info, name) for name in type(info).model_fields}
    numbers = {name: value for name, value in fields.items() if isinstance(value, int) and not isinstance(value, bool)}
    lists = {name: len(value) for name, value in fields.items() if isinstance(value, (list, tuple))}
    return {**numbers, **lists}


def first_batch(split: Split, count: int) -> Batch:
    """The first ``count`` samples of a split in its own order, for previews."""
    import torch

    return split.take(torch.arange(min(count, len(split))))

"""What a component must fit: a task's contract, as far as templates can follow it."""

from __future__ import annotations

from dataclasses import dataclass

from dlkit.catalog import Catalog, load_target
from dlkit.components import ModelSpec, TaskSpec
from dlkit.errors import PluginError, UsageError
from dlkit.task import AnyTask, Column, Info, Task

NUMBERS = "float32"
WHOLE = "int64"


@dataclass(frozen=True)
class Contract:
    """A task, and how its components are written: classes by module and name, columns by key."""

    name: str
    distribution: str
    version: str
    task: type[AnyTask]
    info: type[Info]

    @property
    def input(self) -> str:
        """The key of its one input of numbers; UsageError, if it has several, or others."""
        if len(self.task.inputs) != 1 or (column := self.task.batch[self.task.inputs[0]]).dtype != NUMBERS:
            told = ", ".join(f"{key} {self.task.batch[key].text}" for key in self.task.inputs)
            raise self._misfit(f"its models read {told}", "one input of float32")
        if column.padding is not None or self._free(column):
            raise self._misfit(f"its input {column.text} has another size in every batch", "inputs of one size")
        return self.task.inputs[0]

    @property
    def output(self) -> Column:
        """What a model gives; UsageError, if these are several tensors, or of sizes that vary."""
        outputs = self.task.outputs
        if not isinstance(outputs, Column):
            raise self._misfit(f"its models give {', '.join(outputs)}", "models with one output")
        if self._free(outputs):
            raise self._misfit(f"its output {outputs.text} has another size in every batch", "outputs of one size")
        return outputs

    def classes(self) -> str | None:
        """The key of the label, where models score classes, and nothing else is to be met; None: they do not."""
        key, column = self._target()
        return key if len(self.output.axes) == 2 and (column.dtype, len(column.axes)) == (WHOLE, 1) else None

    def numbers(self) -> str | None:
        """The key of what outputs are compared with, number by number; None: there is no such column."""
        key, column = self._target()
        return key if (column.text, column.padding) == (self.output.text, None) else None

    def of_images(self) -> bool:
        """Whether it tells classes of images, as dlkit's own reading of images needs it."""
        needed = {"classes", "shape", "mean", "std", "fit"}
        return self.task.inputs == ("image",) and self.classes() is not None and needed <= {*self.info.model_fields}

    def no_loss(self) -> UsageError:
        """There is no template of a loss for it."""
        return self._misfit(
            f"its batches have {', '.join(f'{key} {column.text}' for key, column in self.task.batch.items())}",
            "a label int64[N] for scores [N,K], or targets of the outputs' form",
        )

    def _target(self) -> tuple[str, Column]:
        """The one column that a model does not see; of none, or several, something that fits nothing."""
        found = [(key, column) for key, column in self.task.batch.items() if key not in self.task.inputs]
        return found[0] if len(found) == 1 else ("", Column("none[]"))

    def _free(self, column: Column) -> bool:
        return bool(self.task.free & set(column.axes))

    def _misfit(self, what: str, known: str) -> UsageError:
        return UsageError(
            f"no template fits task {self.name!r}: {what}, and there are templates for {known}. "
            "docs/authors/components.md says how such a component is written"
        )


def read_contract(catalog: Catalog, name: str) -> Contract:
    """The contract of an installed task. UsageError: there is none of that name; PluginError: it cannot be loaded."""
    spec = catalog.task(name)
    target: object = load_target(spec, catalog)
    if not (isinstance(target, type) and issubclass(target, Task)):
        raise PluginError(f"task {name!r}: {spec.target} is not a subclass of dlkit.task.Task")
    owner = catalog.owner(spec)
    return Contract(name, owner.distribution, owner.version, target, target.Info)


def check_ordinary(catalog: Catalog, task: TaskSpec, kind: str) -> None:
    """UsageError, if the task's own model does not go with losses and trainers of the ordinary interface."""
    own = next((model for model in catalog.specs("model", task.name) if model.name == task.defaults["model"]), None)
    if own is not None and own.interface != ModelSpec.interface:
        raise UsageError(
            f"no template fits task {task.name!r}: its model {own.name!r} goes with losses and trainers of interface "
            f"{own.interface!r}, and the template's {kind} is of interface {ModelSpec.interface!r}"
        )

"""What a plugin may offer: light, frozen declarations that name their code as strings.

A spec is all that listing, ``--help`` and the launch form need. ``target`` and ``config`` are imported only when the
component is used; the module of ``config`` may import pydantic, never torch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

ANY_TASK = "any"
PARTS = ("dataset", "model", "loss", "trainer", "inference")
"""The components that a run is put together from, besides its task."""

NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
_REFERENCE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*\Z")


@dataclass(frozen=True, kw_only=True)
class Suggest:
    """Defaults that a component proposes for a whole run, below presets, files and flags.

    ``settings`` maps a part (``"model"``) to a component's name, or a field (``"trainer.lr"``) to a value; ``when``
    limits them to runs with certain components: ``Suggest(settings={"engine.epochs": 3}, when={"dataset": "mnist"})``.
    Later suggestions of one component win over earlier ones.
    """

    settings: Mapping[str, Any]
    when: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def recipe(cls, when: Mapping[str, str], /, **sections: Mapping[str, object]) -> Suggest:
        """Settings by section: ``Suggest.recipe({"model": "cnn"}, engine={"epochs": 10}, trainer={"lr": 1e-3})``."""
        settings = {
            f"{section}.{name}": value for section, fields in sections.items() for name, value in fields.items()
        }
        return cls(settings=settings, when=when)


@dataclass(frozen=True, kw_only=True)
class Spec:
    """Common to all components.

    name     lower-case letters, digits, ``.``, ``_``, ``-``; unique per kind and task
    summary  one line for lists
    target   ``"package.module:callable"``, imported when the component is used
    config   ``"package.config:Class"``, a subclass of ``dlkit.config.Config``; empty: no options
    task     the task it belongs to, several, or ``"any"``
    suggest  defaults for the rest of the run
    presets  ``"package:folder"``, TOML files for ``--preset`` inside the plugin; empty: none
    recipes  ``"package:folder"``, TOML files for ``dlkit study TASK --recipe`` inside the plugin; empty: none
    version, migrate
             raise ``version`` when fields change; ``migrate`` is ``"package.module:function"`` with
             ``function(fields: dict, version: int) -> dict``, which brings stored fields of an older version up to date
    """

    kind: ClassVar[str] = ""

    name: str
    summary: str
    target: str = ""
    config: str = ""
    task: str | tuple[str, ...] = ANY_TASK
    suggest: tuple[Suggest, ...] = ()
    presets: str = ""
    recipes: str = ""
    version: int = 1
    migrate: str = ""

    @property
    def tasks(self) -> tuple[str, ...]:
        return (self.task,) if isinstance(self.task, str) else self.task

    def fits(self, task: str) -> bool:
        """Whether this component may be used in ``task``."""
        return ANY_TASK in self.tasks or task in self.tasks

    def problems(self) -> list[str]:
        """What is wrong with the declaration itself; empty when it is sound."""
        found = []
        if not isinstance(self.name, str) or not NAME.match(self.name):
            found.append(f"{self.kind} name {self.name!r} is not made of lower-case letters, digits, '.', '_' and '-'")
        for what in ("target", "config", "migrate"):
            found += self._unnamed(what, needed=what == "target" and self.kind != "source")
        if not isinstance(self.summary, str) or not self.summary:
            found.append(f"{self.kind} {self.name!r} has no summary")
        return found

    def _unnamed(self, what: str, *, needed: bool = False) -> list[str]:
        """That a field does not name something to import."""
        text = getattr(self, what)
        if not (text or needed) or (isinstance(text, str) and _REFERENCE.match(text)):
            return []
        return [f"{self.kind} {self.name!r}: {what} {text!r} is not of the form 'package.module:name'"]


@dataclass(frozen=True, kw_only=True)
class TaskSpec(Spec):
    """A problem. ``target`` is a subclass of ``dlkit.task.Task``.

    ``defaults`` names the component of every part (``dataset``, ``model``, ``loss``, ``trainer``, ``inference``);
    ``metric`` is the primary one (``"val/accuracy"``) and ``direction`` says which way is better.
    """

    kind: ClassVar[str] = "task"
    title: str
    defaults: Mapping[str, str]
    metric: str
    direction: str

    def problems(self) -> list[str]:
        found = super().problems()
        if self.direction not in ("min", "max"):
            found.append(f"task {self.name!r}: direction {self.direction!r} is neither 'min' nor 'max'")
        missing = [part for part in PARTS if part not in self.defaults]
        if missing:
            found.append(f"task {self.name!r}: defaults lack {', '.join(missing)}")
        return found


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One file to download: its address (https), size in bytes and SHA-256.

    ``unpack``: an archive (tar, zip, gz) is extracted into the source's folder; otherwise it is stored there by name.
    """

    url: str
    size: int
    sha256: str
    name: str = ""
    unpack: bool = False

    @property
    def filename(self) -> str:
        return self.name or self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class LayoutFile:
    """A file that must be there once a source is laid out; ``size`` 0 and ``sha256`` empty: not checked."""

    path: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceSpec(Spec):
    """What can be downloaded once and used by several data sets, in ``workspace/data/NAME/``.

    ``layout`` is the official extracted form: a folder that has these files is used as it is. Two plugins may declare
    the same source, word for word. Without ``files``, where what is at ``homepage`` changes, people fetch it by hand.
    """

    kind: ClassVar[str] = "source"
    files: tuple[SourceFile, ...] = ()
    layout: tuple[LayoutFile, ...] = ()
    licence: str = ""
    citation: str = ""
    homepage: str = ""


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """How sources, generators or the user's files become the task's batches.

    ``target`` is ``build(config, context: dlkit.data.Context) -> dlkit.data.Data``. ``sources`` are the names of what
    must be present; an embedded data set needs none. ``example`` is of one that reads files of somebody's own:
    ``write(folder: pathlib.Path) -> dlkit.data.example.Example`` fills a new folder with a small example of them.
    """

    kind: ClassVar[str] = "dataset"
    sources: tuple[str, ...] = ()
    example: str = ""

    def problems(self) -> list[str]:
        return [*super().problems(), *self._unnamed("example")]


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """``target`` is ``build(config, info) -> torch.nn.Module``.

    ``interface`` is the word that model, loss and trainer must share; ``defaults`` names the parts that this model
    wants instead of the task's own (``{"loss": "scratch-mse", "trainer": "scratch"}``).
    """

    kind: ClassVar[str] = "model"
    interface: str = "supervised"
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LossSpec(Spec):
    """``target`` is ``build(config, info) -> callable``; a supervised one is a ``dlkit.task.Loss``."""

    kind: ClassVar[str] = "loss"
    interface: str = "supervised"


@dataclass(frozen=True, kw_only=True)
class TrainerSpec(Spec):
    """How one step is made. ``target`` is a subclass of ``dlkit.engine.trainer.Trainer``."""

    kind: ClassVar[str] = "trainer"
    interface: str = "supervised"


@dataclass(frozen=True, kw_only=True)
class InferenceSpec(Spec):
    """How a trained model is queried and what its samples look like. ``target``: a ``dlkit.use.Predictor``.

    ``answers`` is ``"package.module:Class"``, a ``dlkit.answering.Answering``: the same answers with NumPy alone, which
    an exported model takes with it; empty: such a run is exported as weights and programs only.
    """

    kind: ClassVar[str] = "inference"
    answers: str = ""

    def problems(self) -> list[str]:
        return [*super().problems(), *self._unnamed("answers")]


@dataclass(frozen=True, kw_only=True)
class LauncherSpec(Spec):
    """Where and how a job's processes are started.

    ``target`` is ``command(run_folder: Path, nproc: int, config) -> list[str]``: the words of a command that runs
    ``python -P -m dlkit.jobs.rank RUN_FOLDER`` (``dlkit.interpreter.python`` gives the words) in ``nproc`` processes,
    with RANK, WORLD_SIZE, LOCAL_RANK and torch's rendezvous variables set where there are several, and that ends when
    they have, with 0 only if all did. The job's supervisor runs it, away from the terminal, with PYTHONSAFEPATH set;
    ending it must end them.
    """

    kind: ClassVar[str] = "launcher"


SPECS: Mapping[str, type[Spec]] = MappingProxyType(
    {
        spec.kind: spec
        for spec in (TaskSpec, SourceSpec, DatasetSpec, ModelSpec, LossSpec, TrainerSpec, InferenceSpec, LauncherSpec)
    }
)
"""Every kind of component, by its word."""


def load_object(reference: str) -> Any:
    """Import what ``"package.module:name"`` names."""
    from importlib import import_module

    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)

"""What a rule looks at: a plugin, or one component of it in one task, and small experiments with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog, Plugin
from dlkit.components import PARTS, Spec
from dlkit.errors import DataError, DlkitError
from dlkit.json_types import Settings
from dlkit.testing.finding import Skipped
from dlkit.testing.package import Package

if TYPE_CHECKING:
    from dlkit.config import Config, Resolved
    from dlkit.engine.build import Job
    from dlkit.runs.folder import RunFolder

Sections = Mapping[str, Settings]
"""Settings as in run.toml: ``{"engine": {"seed": 1}, "model": {"hidden": [4]}}``."""

SMALL: Sections = {
    "engine": {
        "epochs": None, "steps": 4, "device": "cpu", "precision": "float32", "threads": 1, "batch_size": 4,
        "eval_batch_size": 8, "limit_batches": 2, "eval_every": "2 steps", "sample_every": "never", "keep": 1,
        "probe_every": 2, "checkpoint_every": 3600.0,
    }
}  # fmt: skip
"""With which a run takes seconds. A package's check.toml adds how small its own components can be."""


class Unbuilt(Exception):
    """The small experiment cannot be built, for ``error``: one rule tells it, the others have nothing to look at."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass
class Subject:
    """A component, and what is cheap to know of it; an ``experiment`` is built once and shared.

    package    folder and metadata, read without running code: all that package- rules have
    catalog    everything that is installed
    plugin     the one that is looked at; None while only files are read
    component  the spec that is looked at (``spec``); None of rules for the whole plugin
    task       the name of the task that it is looked at in
    small      settings over ``SMALL``, as the package's check.toml says
    stated     what the package's check.toml states of it (``{"overfit_loss": 0.05}``)
    scratch    a folder for whatever files come of looking
    quick      whether ``--quick`` was said: take fewer examples then
    kept       what a module of the kit has found out of this subject once, by its own key
    environment  variables for processes that are to find the plugin, where it is not installed
    """

    package: Package
    catalog: Catalog
    scratch: Path
    plugin: Plugin | None = None
    component: Spec | None = None
    task: str = ""
    small: Sections = field(default_factory=dict)
    stated: Settings = field(default_factory=dict)
    quick: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    kept: dict[str, object] = field(default_factory=dict, repr=False)
    _built: dict[str, Job | Unbuilt] = field(default_factory=dict, repr=False)
    _numbers: count[int] = field(default_factory=count, repr=False)

    @property
    def component_name(self) -> str:
        """``"model cnn"``; empty: of the plugin as a whole."""
        return f"{self.component.kind} {self.component.name}" if self.component is not None else ""

    @property
    def spec(self) -> Spec:
        """The component that is looked at."""
        assert self.component is not None, "a rule for whole plugins has no component"
        return self.component

    def options(self) -> type[Config]:
        """The component's options class (one without fields where it has none)."""
        from dlkit.config import config_class

        return config_class(self.catalog, self.spec)

    def resolved(self, settings: Sections | None = None) -> Resolved:
        """The small experiment's configuration, ``settings`` over it."""
        from dlkit.config import Layer, resolve

        own: Sections = {self.spec.kind: {"name": self.spec.name}} if self.spec.kind in PARTS else {}
        layers = [Layer("check-plugin", SMALL), Layer("check.toml", self.small), Layer("check-plugin", own)]
        try:
            return resolve(self.catalog, self.task, [*layers, Layer("rule", settings or {})])
        except DlkitError as error:
            if settings:
                raise
            raise Unbuilt(error) from error

    def experiment(self, settings: Sections | None = None) -> Job:
        """Task, data, info, model, loss, trainer and predictor, built as a run's are, on the CPU.

        The same object for the same settings: leave it as it is (no step, no ``train()`` left on); what is to be
        changed is asked for with ``fresh``. Skipped: there is no data without a download.
        """
        key = json.dumps(settings or {}, sort_keys=True, default=repr)
        if key not in self._built:
            try:
                self._built[key] = self.fresh(settings)
            except Unbuilt as error:  # it fails once: each attempt would take as long
                self._built[key] = error
        found = self._built[key]
        if isinstance(found, Unbuilt):
            raise found
        return found

    def fresh(self, settings: Sections | None = None) -> Job:
        """As ``experiment``, but nobody else's."""
        from dlkit.engine.build import prepare
        from dlkit.testing.offline import offline_data

        if not self.task:
            raise Skipped(f"{self.component_name} is for task {', '.join(self.spec.tasks)}, which is not installed")
        with offline_data(self.catalog, self.scratch) as context:
            try:
                return prepare(self.catalog, self.resolved(settings), context)
            # The plugin boundary: the same error in every rule that needs something built would hide the others.
            except (Exception, SystemExit) as error:
                if isinstance(error, DataError | Unbuilt) or settings:
                    raise
                raise Unbuilt(error) from error

    def train(self, settings: Sections | None = None, name: str = "") -> RunFolder:
        """A small run in ``scratch``, trained in this process to its end, however that is: ``run.read()`` says."""
        from dlkit.engine.start import start
        from dlkit.testing.offline import offline_data

        workspace = self.folder("workspace")
        with offline_data(self.catalog, self.scratch) as context:
            attempt = start(self.catalog, self.resolved(settings), workspace, context, name=name)
            for _ in attempt.events():
                pass
            return attempt.run

    def folder(self, name: str) -> Path:
        """A new folder in ``scratch``."""
        made = self.scratch / f"{name}-{next(self._numbers)}"
        made.mkdir(parents=True)
        return made

    def about(self, component: Spec, task: str, small: Sections, stated: Settings) -> Subject:
        """The same plugin's other component."""
        return replace(self, component=component, task=task, small=small, stated=stated, kept={}, _built={})

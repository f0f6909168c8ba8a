"""The Python interface: what the command line does, as functions.

>>> import dlkit
>>> model = {"name": "mlp", "hidden": [64]}
>>> run = dlkit.train("regression", dataset="diabetes", model=model, epochs=20)  # doctest: +SKIP
>>> run.metrics["val/rmse"], run.history("train/loss"), run.predictor().predict([...])  # doctest: +SKIP
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from dlkit.catalog import Catalog
from dlkit.components import PARTS
from dlkit.config import SHORT_FLAGS, Layer, resolve
from dlkit.config_file import preset_layer, read_toml
from dlkit.data.context import make_context
from dlkit.errors import RunError, UsageError, nearest
from dlkit.events import Event, Finished
from dlkit.jobs import launch
from dlkit.json_types import Settings
from dlkit.openmp import wait_asleep
from dlkit.runs import index
from dlkit.runs.folder import RunFolder, Summary, summarise
from dlkit.runs.log import history, read_events
from dlkit.runs.orders import given_orders, orders_of
from dlkit.runs.stored import readable
from dlkit.runs.workspace import locate

if TYPE_CHECKING:
    from dlkit.predictor import AnyPredictor

wait_asleep()  # before anything here loads torch; it is too late where the caller has

Component = str | Settings
Watcher = Callable[[Event], None]


class Run:
    """A run in a workspace, finished or not."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.state}>"

    @property
    def id(self) -> str:
        return self.folder.id

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def summary(self) -> Summary:
        """State, step, primary metric: as ``dlkit runs`` shows it."""
        return summarise(self.folder)

    @property
    def state(self) -> str:
        return self.summary.state

    @property
    def metrics(self) -> Mapping[str, float]:
        """Metrics of the best evaluation."""
        return self.summary.metrics

    def history(self, metric: str) -> tuple[list[int], list[float]]:
        """One metric's course: steps and values."""
        return history(read_events(self.folder.events), metric)

    def predictor(self, checkpoint: str = "best") -> AnyPredictor:
        """The trained model, to be queried: ``run.predictor().predict([…])``."""
        from dlkit.inference.load import load_predictor

        return load_predictor(Catalog.load_everything(), self.folder, checkpoint).predictor

    def evaluate(self, split: str = "test", checkpoint: str = "best") -> dict[str, float]:
        """Metrics of a checkpoint on a split; put on record in the run's folder."""
        from dlkit.inference.load import evaluate_run

        catalog = Catalog.load_everything()
        context = make_context(catalog, self.path.parent.parent)
        found: dict[str, float] = evaluate_run(catalog, self.folder, context, split=split, which=checkpoint)["metrics"]
        return found

    def resume(
        self,
        *,
        epochs: int | None = None,
        steps: int | None = None,
        max_time: float | None = None,
        orders: Settings | None = None,
        on_event: Watcher | None = None,
        allow_inexact: bool = False,
    ) -> Run:
        """Go on from the last checkpoint; ``epochs`` or ``steps`` in all continue a completed run.

        Some of what a foreign run asks of the machine (``notify``, ``launcher``, ``nproc``, ``workers``, ``threads``)
        is dropped with a warning, unless ``orders`` says it again.
        """
        given = given_orders(orders or {})
        for line in orders_of(self.folder, readable(self.folder), given).dropped:
            warnings.warn(line.strip(), stacklevel=2)
        changes = {"epochs": epochs, "steps": steps, "max_time": max_time}
        engine = {key: value for key, value in changes.items() if value is not None}
        launched = launch.resume(
            Catalog.load_everything(),
            self.folder,
            launch.Foreground(),
            overrides=Layer("argument", {"engine": engine}) if engine else None,
            given=given,
            allow_inexact=allow_inexact,
        )
        return _watched(launched, on_event)


def train(
    task: str,
    *,
    dataset: Component | None = None,
    model: Component | None = None,
    loss: Component | None = None,
    trainer: Component | None = None,
    inference: Component | None = None,
    preset: str | None = None,
    config: str | Path | Settings | None = None,
    engine: Settings | None = None,
    name: str = "",
    workspace: str | Path | None = None,
    offline: bool = False,
    on_event: Watcher | None = None,
    **short: object,
) -> Run:
    """Train in this process and return the run when it has ended.

    A component is its name, or a mapping with ``name`` and options. Further keywords are the short flags of the
    command line (``epochs``, ``batch_size``, ``lr``, …). ``on_event`` is called with every event.
    RunError if the run fails; UsageError, DataError and PluginError as the command line's exit codes 2, 3 and 4.
    """
    catalog = Catalog.load_everything()
    parts = dict(zip(PARTS, (dataset, model, loss, trainer, inference), strict=True))
    own = _argument_layer(parts, engine or {}, short)
    layers = [*_file_layer(config), own]
    if preset is not None:
        chosen = {part: str(own.table(part)["name"]) for part in PARTS if "name" in own.table(part)}
        layers.insert(0, preset_layer(catalog, task, preset, chosen))
    where = locate(str(workspace) if workspace is not None else None)
    resolved = resolve(catalog, task, layers)
    return _watched(launch.train(catalog, resolved, where, launch.Foreground(offline), name=name), on_event)


def list_runs(workspace: str | Path | None = None, task: str | None = None) -> list[Run]:
    """The runs of a workspace, newest first."""
    where = locate(str(workspace) if workspace is not None else None)
    return [Run(RunFolder(where / "runs" / summary.id)) for summary in index.list_runs(where, task)]


def _argument_layer(parts: Mapping[str, Component | None], engine: Settings, short: Settings) -> Layer:
    values: dict[str, dict[str, object]] = {
        part: {"name": chosen} if isinstance(chosen, str) else dict(chosen)
        for part, chosen in parts.items()
        if chosen is not None
    }
    if engine:
        values["engine"] = dict(engine)
    for key, value in short.items():
        if key not in SHORT_FLAGS:
            raise UsageError(f"unknown argument {key!r}: {nearest(key, SHORT_FLAGS)}")
        section, _, field = SHORT_FLAGS[key].partition(".")
        values.setdefault(section, {})[field] = value
    return Layer("argument", values)


def _file_layer(config: str | Path | Settings | None) -> list[Layer]:
    if config is None:
        return []
    return [Layer("config", config)] if isinstance(config, Mapping) else [read_toml(Path(config))]


def _watched(launched: launch.Here | launch.InWorker, on_event: Watcher | None) -> Run:
    last: Event | None = None
    with closing(launched.events()) as events:  # a watcher that raises stops the run now, not when it is collected
        for event in events:
            last = event
            if on_event is not None:
                on_event(event)
    if isinstance(last, Finished) and last.status == "failed":
        raise RunError(f"{launched.run.id}: {last.reason}\n{last.traceback}".rstrip())
    return Run(launched.run)

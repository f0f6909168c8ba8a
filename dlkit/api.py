"""The Python interface: what the command line does, as functions.

>>> import dlkit
>>> model = {"name": "mlp", "hidden": [64]}
>>> run = dlkit.train("regression", dataset="diabetes", model=model, epochs=20)  # doctest: +SKIP
>>> run.metrics["val/rmse"], run.history("train/loss"), run.predictor().predict([...])  # doctest: +SKIP
>>> runs = [dlkit.submit("regression", seed=seed) for seed in range(3)]  # doctest: +SKIP
>>> best = min((run.wait() for run in runs), key=lambda run: run.metrics["val/rmse"])  # doctest: +SKIP
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from dlkit.catalog import Catalog
from dlkit.config import Layer
from dlkit.data.context import make_context
from dlkit.errors import RunError, UsageError, nearest
from dlkit.events import Event, Finished, MetricsLogged
from dlkit.folders import has_file
from dlkit.jobs import handover, launch
from dlkit.jobs.follow import LOST, state_now
from dlkit.jobs.forking import plan
from dlkit.jobs.queue import cancel
from dlkit.jobs.requests import Refused, Request
from dlkit.json_types import Settings
from dlkit.keywords import Options, fork_layer, resolved_of
from dlkit.keywords import Short as Short
from dlkit.openmp import wait_asleep
from dlkit.runs import index
from dlkit.runs.checkpoints import choose
from dlkit.runs.contents import CheckpointRecord, EvaluationRecord, checkpoints, evaluations, stored_sections
from dlkit.runs.finding import find_run
from dlkit.runs.folder import ENDED, RunFolder, Summary, summarise
from dlkit.runs.groups import Groups, grouped
from dlkit.runs.log import history, read_events
from dlkit.runs.orders import given_orders, orders_of
from dlkit.runs.reproductions import Reproduction
from dlkit.runs.stored import readable
from dlkit.runs.workspace import locate

if TYPE_CHECKING:
    from dlkit.predictor import AnyPredictor
    from dlkit.use.export.exported import Exported

wait_asleep()  # before anything here loads torch; it is too late where the caller has

Watcher = Callable[[Event], None]
_LOOK_SECONDS = 0.1
"""Between two looks at a run that is waited for."""


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
    def name(self) -> str:
        return self.summary.name

    @property
    def metrics(self) -> Mapping[str, float]:
        """Metrics of the best evaluation."""
        return self.summary.metrics

    @property
    def config(self) -> Mapping[str, Settings]:
        """Its options by section, as config.toml has them: ``run.config["trainer"]["lr"]``."""
        return stored_sections(self.folder)

    @property
    def checkpoints(self) -> list[CheckpointRecord]:
        """The complete ones, by step; ``best`` marks what ``predictor()`` takes."""
        return checkpoints(self.folder)

    @property
    def evaluations(self) -> list[EvaluationRecord]:
        """What ``evaluate`` has measured, oldest first."""
        return evaluations(self.folder)

    def history(self, metric: str) -> tuple[list[int], list[float]]:
        """One metric's course: steps and values.

        UsageError names those that there are, if the run has ended without it; while it goes, it may still come.
        """
        events = read_events(self.folder.events)
        found = history(events, metric)
        if not found[0] and state_now(self.folder) in (*ENDED, *LOST):
            names = {name for event in events if isinstance(event, MetricsLogged) for name in event.values}
            raise UsageError(f"{self.id} has no metric {metric!r}: {nearest(metric, names)}")
        return found

    def stop(self) -> Run:
        """Have it end after its step, checkpoint written, and wait for that; or take it out of the queue.

        RunError if it has ended already.
        """
        try:
            Request(self.folder, "stop").send()
        except Refused as error:
            if error.refusal.kind not in ("queued", "foreign"):
                raise
            cancel(self.folder)
        return self.wait()

    def wait(self, timeout: float | None = None) -> Run:
        """Until it has ended, however that is (``state``), wherever it is trained; TimeoutError after ``timeout`` s."""
        deadline = time.monotonic() + timeout if timeout is not None else float("inf")
        while (state := state_now(self.folder)) not in (*ENDED, *LOST):
            if time.monotonic() >= deadline:
                raise TimeoutError(f"{self.id} is {state} after {timeout:g} s")
            time.sleep(min(_LOOK_SECONDS, max(0.0, deadline - time.monotonic())))
        return self

    def predictor(
        self, checkpoint: str = "best", *, device: str = "cpu", inference: str = "", **options: object
    ) -> AnyPredictor:
        """The trained model, to be queried: ``run.predictor().predict([…])``.

        ``inference`` is another inference component than the run's, of those that fit its task and model;
        ``options`` are the component's that are to differ: ``run.predictor(temperature=0.5)``. UsageError says what of
        it does not fit.
        """
        from dlkit.use.load import Question, load_predictor

        catalog = Catalog.load_everything(workspace=self.path.parent.parent)
        return load_predictor(catalog, self.folder, checkpoint, device, Question(inference, options)).predictor

    def evaluate(self, split: str = "test", checkpoint: str = "best") -> dict[str, float]:
        """Metrics of a checkpoint on a split; put on record in the run's folder, or a warning says why not."""
        from dlkit.use.load import evaluate_run

        where = self.path.parent.parent
        catalog = Catalog.load_everything(workspace=where)
        context = make_context(catalog, where)
        found = evaluate_run(catalog, self.folder, context, split=split, which=checkpoint)
        if found["unrecorded"]:
            warnings.warn(f"not on record: {found['unrecorded']}", stacklevel=2)
        return found["metrics"]

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
            Catalog.load_everything(workspace=self.path.parent.parent),
            self.folder,
            launch.Foreground(),
            overrides=Layer("argument", {"engine": engine}) if engine else None,
            given=given,
            allow_inexact=allow_inexact,
        )
        return _watched(launched, on_event)

    def fork(
        self,
        checkpoint: str | int = "last",
        *,
        name: str = "",
        workspace: str | Path | None = None,
        on_event: Watcher | None = None,
        allow_inexact: bool = False,
        **changes: Unpack[Options],
    ) -> Run:
        """A new run that begins with the whole state of a checkpoint (``last``, ``best`` or a step), trained in this
        process with ``changes`` from there on: ``run.fork(1200, lr=3e-4)``. Without any, it ends with the same bits.

        It lies in the run's workspace unless another is named, and needs this run no more. UsageError: what is to
        change fits nothing of the state, or not all of it and ``allow_inexact`` is not given.
        """
        where = _located(workspace) if workspace is not None else self.path.parent.parent
        catalog = Catalog.load_everything(workspace=where)
        chosen = choose(self.path, str(checkpoint))
        layer = fork_layer(changes)
        planned = plan(catalog, chosen, lambda task, names: layer, allow_inexact=allow_inexact, say=_warn)
        return _watched(launch.fork(catalog, planned, where, launch.Foreground(), name=name), on_event)

    def reproduce(
        self,
        *,
        begin: str | int = "",
        until: int | None = None,
        threads: int | None = None,
        on_event: Watcher | None = None,
    ) -> Reproduction:
        """Train it again from its record, in this process and beside it, and compare every value and the last weights:
        ``run.reproduce().equal``. It is all trained, or from checkpoint ``begin`` on (``best`` or a step) and no
        further than step ``until``; ``threads`` are another number of CPU threads than it had.

        What came of it is on the run's record, as with ``dlkit reproduce``: the first metric and step that differ, and
        what is otherwise around it. UsageError: there is nothing to train again between these.
        """
        from dlkit.jobs.reproducing import again, plan_again

        where = self.path.parent.parent
        planned = plan_again(self.folder, begin=str(begin), until=until, threads=threads)
        stream = again(Catalog.load_everything(workspace=where), planned, where, say=_warn)
        with closing(stream):  # a watcher that raises stops it now
            while True:
                try:
                    event = next(stream)
                except StopIteration as ended:
                    found: Reproduction = ended.value
                    return found
                if on_event is not None:
                    on_event(event)


def train(
    task: str,
    *,
    name: str = "",
    workspace: str | Path | None = None,
    offline: bool = False,
    on_event: Watcher | None = None,
    **options: Unpack[Options],
) -> Run:
    """Train in this process and return the run when it has ended. ``on_event`` is called with every event.

    RunError if the run fails; UsageError, DataError and PluginError as the command line's exit codes 2, 3 and 4.
    """
    where = _located(workspace)
    catalog = Catalog.load_everything(workspace=where)
    resolved = resolved_of(catalog, task, options)
    return _watched(launch.train(catalog, resolved, where, launch.Foreground(offline), name=name), on_event)


def submit(
    task: str,
    *,
    queue: bool = True,
    priority: int = 0,
    after: Sequence[str] = (),
    name: str = "",
    workspace: str | Path | None = None,
    offline: bool = False,
    **options: Unpack[Options],
) -> Run:
    """Leave a run to the queue, or, with ``queue=False``, to a process of its own at once; both outlive this one.

    A scheduler is started where none runs. Of the queue's jobs those of a higher ``priority`` start first, and those
    that come ``after`` runs (ids, names) when these are completed. Errors as of ``train``, but for what only happens in
    the run: ``submit(…).wait().state`` tells.
    """
    if not queue and (priority or after):
        raise UsageError("priority and after go with queue=True")
    where = _located(workspace)
    catalog = Catalog.load_everything(workspace=where)
    how = (
        handover.queued(where, priority=priority, after=after, offline=offline)
        if queue
        else handover.detached(offline=offline)
    )
    return Run(handover.hand_over(catalog, resolved_of(catalog, task, options), where, how, name=name).run)


def fork(
    run: str | Path | Run,
    checkpoint: str | int = "last",
    *,
    name: str = "",
    workspace: str | Path | None = None,
    on_event: Watcher | None = None,
    allow_inexact: bool = False,
    **changes: Unpack[Options],
) -> Run:
    """``Run.fork`` of a run that is named as for ``open_run``, in the workspace where it is looked for."""
    found = run if isinstance(run, Run) else open_run(run, workspace)
    return found.fork(
        checkpoint, name=name, workspace=workspace, on_event=on_event, allow_inexact=allow_inexact, **changes
    )


def open_run(run: str | Path, workspace: str | Path | None = None) -> Run:
    """A run by its id or the beginning of it, its name, ``last``, or its folder; UsageError names what there is."""
    return Run(find_run(_located(workspace), str(run)))


def load(path: str | Path, *, device: str = "cpu", inference: str = "", **options: object) -> AnyPredictor | Exported:
    """The model in a folder, to be queried: a run's (its best checkpoint), one checkpoint's, or an exported one, which
    is asked as it was exported and without torch.

    ``dlkit.load("runs/…")(…)`` is ``dlkit.open_run("runs/…").predictor()(…)``. UsageError: the folder is none of these.
    """
    folder = Path(path).resolve()
    if has_file(folder, "export.json"):
        from dlkit.use.export.exported import load_exported

        if inference or options or device != "cpu":
            raise UsageError(f"{path}: asked as it was exported: device, inference and its options are the export's")
        return load_exported(folder, Catalog.load_everything())
    run, which = folder, "best"
    if folder.parent.name == "checkpoints" and folder.name.removeprefix("step-").isdigit():
        run, which = folder.parent.parent, folder.name.removeprefix("step-")
    if not RunFolder(run).record.is_file():
        raise UsageError(f"{path}: neither a run's folder nor one of its checkpoints, nor an exported one")
    return Run(RunFolder(run)).predictor(which, device=device, inference=inference, **options)


def list_runs(workspace: str | Path | None = None, task: str | None = None) -> list[Run]:
    """The runs of a workspace, newest first."""
    where = _located(workspace)
    return [Run(RunFolder(where / "runs" / summary.id)) for summary in index.list_runs(where, task)]


def compare(runs: Iterable[Run], group: Sequence[str]) -> Groups:
    """Runs of equal settings taken together, as ``dlkit compare --group``: ``compare(runs, ["model.name", "lr"])``.

    ``.groups`` has the best one first, each with the ``mean`` of every metric and ``half`` of its 95 % t-interval;
    ``.best`` is the id of the best run of the best group.
    """
    return grouped([run.folder for run in runs], group)


def _located(workspace: str | Path | None) -> Path:
    return locate(str(workspace) if workspace is not None else None)


def _warn(line: str) -> None:
    warnings.warn(line.strip(), stacklevel=4)


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

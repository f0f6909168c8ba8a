"""A run's model again, to query or to measure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypedDict

from dlkit.catalog import Catalog
from dlkit.components import Spec
from dlkit.config import Layer, Resolved, config_class, fields_of, parse_text, resolve
from dlkit.data.context import Context
from dlkit.data.randomness import forked
from dlkit.data.splits import Batch, Split
from dlkit.data.weights import restoring
from dlkit.engine import checkpoint as storage
from dlkit.engine.build import build_data, build_model, build_predictor, build_task, predictor_class, prepare
from dlkit.engine.device import choose_device
from dlkit.engine.evaluation import evaluate
from dlkit.engine.fitting import check_size, fitting
from dlkit.engine.loader import evaluation_batches, evaluation_count
from dlkit.errors import PluginError, RunError, UsageError, blamed, nearest
from dlkit.json_types import Settings
from dlkit.predictor import AnyPredictor
from dlkit.runs import opening
from dlkit.runs.checkpoints import Checkpoint, choose
from dlkit.runs.folder import RunFolder
from dlkit.runs.stored import readable, stored_config
from dlkit.task import AnyTask


@dataclass(frozen=True)
class Loaded:
    """A checkpoint's model behind its predictor."""

    resolved: Resolved
    checkpoint: Checkpoint
    predictor: AnyPredictor


@dataclass(frozen=True)
class Question:
    """How a run is asked: ``inference`` is another component than its own (empty: its own), ``options`` are those that
    differ from its own; values that are text are read as flags have it, where it was ``typed``."""

    inference: str = ""
    options: Settings = field(default_factory=dict)
    typed: bool = False


def load_predictor(
    catalog: Catalog, run: RunFolder, which: str = "best", device: str = "cpu", question: Question | None = None
) -> Loaded:
    """Build the model from the checkpoint alone: neither the data set's files nor its code are touched.

    UsageError: there is no such component for the run's task, the model lacks what it needs, or it has no such option.
    """
    where = choose_device(device)
    resolved = stored_config(catalog, run, readable(run))
    if question is not None:
        resolved = _asked(catalog, resolved, question)
    chosen = choose(run.path, which)
    storage.check(chosen, resolved.task.name, resolved.specs["model"].name)
    task = build_task(catalog, resolved.task)
    info = storage.load_info(chosen, task.Info)
    seed = resolved.engine.seed
    with restoring(), fitting(chosen):
        with forked(seed, "size"):
            check_size(chosen, lambda: build_model(catalog, resolved, info))
        with forked(seed, "load"):
            model = build_model(catalog, resolved, info)
    storage.load_model(chosen, model, averaged=True)
    where.make_current()
    model = model.to(where.torch_device).eval()
    return Loaded(resolved, chosen, build_predictor(catalog, resolved, task, model, info))


def asked_otherwise(catalog: Catalog, loaded: Loaded, question: Question) -> Loaded:
    """The same model, asked by another component or with other options; UsageError as for ``load_predictor``."""
    resolved, before = _asked(catalog, loaded.resolved, question), loaded.predictor
    task = build_task(catalog, resolved.task)
    predictor = build_predictor(catalog, resolved, task, before.model, before.info)
    return replace(loaded, resolved=resolved, predictor=predictor)


def _asked(catalog: Catalog, resolved: Resolved, question: Question) -> Resolved:
    """A run's configuration with another inference section."""
    task, name = resolved.task.name, question.inference or resolved.specs["inference"].name
    options = dict(question.options)
    if question.typed:
        known = {f.name: f.schema for f in fields_of(config_class(catalog, catalog.find("inference", name, task)))}
        options = {k: parse_text(known[k], v) if k in known and isinstance(v, str) else v for k, v in options.items()}
    layers = [Layer("the run", resolved.values()), Layer("question", {"inference": {"name": name, **options}})]
    return resolve(catalog, task, layers, suggest=False)


class Offered(TypedDict):
    """An inference component of a run's task; ``lacks``: why it cannot ask the run's model, empty if it can."""

    name: str
    summary: str
    lacks: str


def offered(catalog: Catalog, loaded: Loaded) -> list[Offered]:
    """What a run may be asked by, and what for a reason may not, by name."""
    task = build_task(catalog, loaded.resolved.task)
    specs = catalog.specs("inference", loaded.resolved.task.name)
    return [{"name": s.name, "summary": s.summary, "lacks": _lacks(catalog, s, task, loaded)} for s in specs]


def _lacks(catalog: Catalog, spec: Spec, task: AnyTask, loaded: Loaded) -> str:
    try:
        with blamed(f"inference {spec.name!r}"):
            return predictor_class(catalog, spec).lacks(task, loaded.predictor.model, loaded.predictor.info)
    except PluginError as error:  # a component that is broken takes no other with it
        return str(error)


def validation_split(catalog: Catalog, loaded: Loaded, context: Context) -> Split | None:
    """What the run was validated on, None where its data cannot be had."""
    try:
        task = build_task(catalog, loaded.resolved.task)
        context = replace(context, earlier=lambda: loaded.predictor.info)
        return build_data(catalog, loaded.resolved, task, context)[0].val
    # A plugin's code on files that may have been moved, changed or deleted: an answer needs none of it.
    except Exception as error:
        context.say(f"no validation data: {type(error).__name__}: {error}")
        return None


class Measured(TypedDict):
    """What was measured: ``checkpoint`` is what was asked for (``best``), ``step`` which one that is."""

    run: str
    checkpoint: str
    step: int
    split: str
    metrics: dict[str, float]


class Evaluation(Measured):
    """``unrecorded``: why it is not on record in evaluations.jsonl; empty if it is."""

    unrecorded: str


def evaluate_run(
    catalog: Catalog,
    run: RunFolder,
    context: Context,
    *,
    split: str = "test",
    which: str = "best",
    device: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Evaluation:
    """Measure a checkpoint on a split and put that on record in evaluations.jsonl, where that can be written.
    ``progress`` hears how many batches are done, of how many."""
    record = readable(run)
    resolved = stored_config(catalog, run, record, Layer("evaluate", {"engine": {"compile": False}}))
    chosen = choose(run.path, which)
    storage.check(chosen, resolved.task.name, resolved.specs["model"].name)
    context = replace(context, earlier=lambda: storage.load_info(chosen, build_task(catalog, resolved.task).Info))
    with restoring():
        job = prepare(catalog, resolved, context, device=device)
    if split not in job.data.splits:
        raise UsageError(
            f"no split {split!r} in dataset {resolved.specs['dataset'].name!r}: {nearest(split, job.data.splits)}"
        )
    if job.data.fingerprint() != record.get("fingerprint"):
        context.say("note: the data differs from what the run was trained on: its fingerprint is another")
    storage.load_model(chosen, job.trainer.model, averaged=False)
    state = storage.load_state(chosen)
    storage.load_loss(chosen, job.trainer.setup.loss, state.get("loss"))
    with fitting(chosen):
        job.trainer.load(state["trainer"])
    data = job.data.splits[split].to(job.placement.device, job.resolved.engine.workers)
    batches, count = evaluation_batches(data, resolved.engine), evaluation_count(data, resolved.engine)
    with forked(resolved.engine.seed, "evaluate", split, device=job.placement.device):
        metrics = evaluate(job.trainer, job.task, job.info, _counted(batches, count, progress), split)
    data.close()
    told: Measured = {"run": run.id, "checkpoint": which, "step": chosen.step, "split": split, "metrics": metrics}
    line = {**told, "sha256": chosen.sha256, "time": round(time.time(), 3)}
    return {**told, "unrecorded": put_on_record(run, line)}


def _counted(batches: Iterable[Batch], count: int, progress: Callable[[int, int], None]) -> Iterator[Batch]:
    for done, batch in enumerate(batches):
        progress(done, count)
        yield batch
    progress(count, count)


def put_on_record(run: RunFolder, record: Settings) -> str:
    """One line, one write: how often test was looked at stays known. Why that was not possible; empty if it was."""
    try:
        opening.append(run.path, run.evaluations.name, (json.dumps(record) + "\n").encode())
    except OSError as error:  # what was measured is worth more than how it ends
        return str(error) if isinstance(error, RunError) else f"{run.evaluations}: {error.strerror or error}"
    return ""

"""A fork, planned before anything is made of it: what it goes on from, with which settings, and what does not fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from dlkit.catalog import Catalog
from dlkit.config import EngineConfig, Layer, Resolved
from dlkit.config_file import to_toml
from dlkit.errors import RunError, UsageError
from dlkit.jobs.estimating import settled
from dlkit.jobs.forkable import Change, changes, check
from dlkit.jobs.handover import HandedOver, heard_orders, started
from dlkit.jobs.job_record import Submission, resumed_job
from dlkit.jobs.submit import refuse_unfit
from dlkit.json_types import Json, JsonObject
from dlkit.runs.branching import branch_off, forked_from
from dlkit.runs.checkpoints import Checkpoint
from dlkit.runs.folder import RunFolder, create
from dlkit.runs.naming import checked_name
from dlkit.runs.origin import keep_environment, origin
from dlkit.runs.run_record import RunRecord
from dlkit.runs.stored import readable, stored_config

_KEPT = (
    "versions", "device", "identity", "precision", "threads", "threads_why", "building_threads", "processes",
    "total_steps", "fingerprint",
)  # fmt: skip
"""What of run.json says where and with what the state was computed."""
_WITH = ("trainer.", "dataset.", "loss.")
"""Options whose former values must be known where the state is put back; ``engine.ema`` is one too."""


def parent_of(chosen: Checkpoint) -> RunFolder:
    """The run that a checkpoint is of."""
    return RunFolder(chosen.run)


class Plan(NamedTuple):
    """``record`` has where the state was computed, without what the changes decide anew."""

    chosen: Checkpoint
    resolved: Resolved
    changes: Sequence[Change]
    record: RunRecord
    allow_inexact: bool

    @property
    def parent(self) -> RunFolder:
        return parent_of(self.chosen)

    @property
    def inexact(self) -> tuple[str, ...]:
        """What of the changes does not fit the state, in words."""
        return tuple(f"{change.key}: {change.why}" for change in self.changes if change.fit == "inexact")

    def make(self, catalog: Catalog, workspace: Path, record: RunRecord, config: str) -> RunFolder:
        """The fork's folder, whole or not at all; RunError if it cannot be made."""
        changed = {change.key: [change.before, change.now] for change in self.changes}
        task, model = self.resolved.task.name, self.resolved.specs["model"].name
        whole: RunRecord = {
            "created": round(time.time(), 3),
            **origin(catalog, self.resolved),
            "forked_from": forked_from(self.parent, readable(self.parent), self.chosen, changed),
            **record,
        }
        before: JsonObject = {
            change.key: change.before
            for change in self.changes
            if change.key.startswith(_WITH) or change.key == "engine.ema"
        }

        def fill(folder: Path) -> None:
            branch_off(folder, self.chosen, before, list(changed))
            keep_environment(self.resolved, folder)

        try:
            return create(workspace / "runs", task, model, whole, config, fill=fill)
        except OSError as error:
            raise RunError(f"cannot make a run in {workspace}: {error.strerror or error}") from error


def plan(
    catalog: Catalog,
    chosen: Checkpoint,
    layer: Callable[[str, Mapping[str, str]], Layer | None],
    *,
    allow_inexact: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Plan:
    """What a fork from a checkpoint would be. ``layer``: task and the components' names → the settings that change.

    Of what a foreign run asks of the machine some is dropped, which ``say`` hears of. UsageError: a setting that fits
    nothing of the state, one that needs ``allow_inexact``, or nothing is left to do.
    """
    record = readable(parent_of(chosen))
    before, now = _configurations(catalog, chosen, record, layer, say)
    found = changes(catalog, before, now)
    check(found, allow_inexact=allow_inexact)
    changed = {change.key for change in found}
    _check_length(chosen, _length(record.get("total_steps"), before.engine, now.engine, changed))
    # With what the changes decide anew the record of the parent would contradict them.
    gone = {
        *(("threads", "threads_why", "building_threads") if "engine.threads" in changed else ()),
        *(("total_steps",) if changed & {"engine.epochs", "engine.steps"} else ()),
    }
    told = cast("Mapping[str, object]", record)
    kept = cast("RunRecord", {key: told[key] for key in _KEPT if key in told and key not in gone})
    if "engine.device" in changed:
        kept["device"] = now.engine.device
    return Plan(chosen, now, found, kept, allow_inexact)


def changes_of(catalog: Catalog, chosen: Checkpoint, layer: Layer) -> list[Change]:
    """What a fork from a checkpoint would have otherwise, whether it fits or not."""
    record = readable(parent_of(chosen))
    return changes(catalog, *_configurations(catalog, chosen, record, lambda task, names: layer, lambda text: None))


def as_trained(catalog: Catalog, chosen: Checkpoint) -> Resolved:
    """The configuration that a checkpoint's state was trained with, what was ``set`` by then in it."""
    record = readable(parent_of(chosen))
    return _configurations(catalog, chosen, record, lambda task, names: None, lambda text: None)[0]


def _configurations(
    catalog: Catalog,
    chosen: Checkpoint,
    record: RunRecord,
    layer: Callable[[str, Mapping[str, str]], Layer | None],
    say: Callable[[str], None],
) -> tuple[Resolved, Resolved]:
    """As the state was trained, and as it is to go on."""
    parent = parent_of(chosen)
    orders = heard_orders(parent, record, None, say)
    # Written into the configuration, which so says what the state was trained with; the manifest says it of the parent.
    then = [Layer("set", _nested(chosen.manifest.settings))] if chosen.manifest.settings else []
    before = stored_config(catalog, parent, record, orders=[*orders, *then])
    asked = layer(before.task.name, {part: spec.name for part, spec in before.specs.items()})
    return before, stored_config(catalog, parent, record, asked, [*orders, *then])


def _nested(flat: Mapping[str, Json]) -> dict[str, dict[str, Json]]:
    """``{"trainer.lr": 0.1}`` → ``{"trainer": {"lr": 0.1}}``."""
    found: dict[str, dict[str, Json]] = {}
    for key, value in flat.items():
        section, _, name = key.partition(".")
        found.setdefault(section, {})[name] = value
    return found


def _length(total: int | None, before: EngineConfig, now: EngineConfig, changed: set[str]) -> int | None:
    """The steps that a fork will have in all, as far as that is known before the data are; None: it is not."""
    decide = {"engine.batch_size", "engine.accumulate", "engine.limit_batches", "engine.overfit_batches"}
    if now.steps is not None:
        return now.steps
    if total is None or any(key in decide or key.startswith("dataset.") for key in changed):
        return None
    if not changed & {"engine.epochs", "engine.steps"}:
        return total
    return total // before.epochs * now.epochs if before.epochs and now.epochs and before.steps is None else None


def _check_length(chosen: Checkpoint, total: int | None) -> None:
    """UsageError where nothing is left to do."""
    if total is not None and chosen.step >= total:
        hint = "give --epochs or --steps, or an earlier checkpoint: RUN@STEP"
        raise UsageError(f"{parent_of(chosen).id} is at its end at step {chosen.step} of {total}: {hint}").hinting(hint)


def hand_over_fork(
    catalog: Catalog, planned: Plan, workspace: Path, submission: Submission, *, name: str = ""
) -> HandedOver:
    """Make a fork that somebody else is to train, and have it started; RunError if that cannot be done."""
    return started(make_fork(catalog, planned, workspace, submission, name=name), submission)


def make_fork(catalog: Catalog, planned: Plan, workspace: Path, submission: Submission, *, name: str = "") -> RunFolder:
    """A fork that says ``queued``. Nothing is built; RunError if its folder cannot be made."""
    name = checked_name(name)
    refuse_unfit(planned.resolved, workspace, submission)
    planned = planned._replace(resolved=settled(planned.resolved, workspace)[0])
    job = resumed_job(planned.resolved, submission, planned.record, {}, planned.allow_inexact, 0)
    # Not "completed", which the parent may say: a worker would find nothing left to do.
    job["before"] = {"state": "stopped", "reason": "forked", "result": None}
    job["inexact"] = list(planned.inexact)
    record: RunRecord = {"name": name, "state": "queued", "job": cast("Mapping[str, object]", job), **planned.record}
    return planned.make(catalog, workspace, record, to_toml(planned.resolved))

"""Studies of the toy for tests: planned and made without a command line, driven in this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dlkit.catalog import Catalog
from dlkit.config import Layer
from dlkit.runs.folder import RunFolder
from dlkit.studies import log
from dlkit.studies.folder import StudyFolder
from dlkit.studies.planning import Plan, make, plan
from dlkit.studies.question import Question
from dlkit.studies.state import State, state_of

ENGINE: dict[str, Any] = {"device": "cpu", "threads": 1, "epochs": 2, "sample_every": "never", "checkpoint_every": 0.05}


def planned(
    workspace: Path,
    *vary: str,
    layer: dict[str, Any] | None = None,
    seeds: int | Sequence[int] = 1,
    trials: int | None = None,
    skip_unfit: bool = False,
    **question: Any,
) -> Plan:
    """A study of the toy, ready to be made. ``layer`` as in run.toml is what all trials have."""
    values = layer or {}
    layers = [Layer("test", {**values, "engine": {**ENGINE, **values.get("engine", {})}})]
    asked = Question("toy", "val/mse", vary=vary, **{"direction": "min", "test": False, **question})
    catalog = Catalog.load_everything()
    return plan(catalog, asked, layers, workspace, trials=trials, seeds=seeds, skip_unfit=skip_unfit)


def asked(workspace: Path, *vary: str, **how: Any) -> StudyFolder:
    """The same, made; nothing is started."""
    return make(planned(workspace, *vary, **how), workspace)


def runs_of(study: StudyFolder) -> list[RunFolder]:
    """In the order of its trials."""
    trials = sorted(state_of(study).trials.values(), key=lambda trial: trial.number)
    return [RunFolder(study.workspace / "runs" / trial.run) for trial in trials]


def recorded(study: StudyFolder, scores: dict[tuple[int, int], float], **fields: Any) -> State:
    """Trials that ended so, by setting and seed, without training."""
    for number, ((setting, seed), score) in enumerate(scores.items()):
        log.append(study.log, "trial", number=number, setting=setting, seed=seed, run=f"run-{number}")
        log.append(study.log, "handed", trial=number)
        told = {"state": "completed", "best": score, "metrics": {"val/mse": score}, "seconds": 2.0, "steps": 30,
                "parameters": 4, "reason": "", **fields}  # fmt: skip
        log.append(study.log, "ended", trial=number, **told)
    return state_of(study)

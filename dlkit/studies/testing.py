"""The look at test: of the chosen setting alone, at the end, on record. A split that is looked at often tells less."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from dlkit.catalog import Catalog
from dlkit.errors import DlkitError, in_words
from dlkit.runs.contents import EvaluationRecord, evaluations
from dlkit.runs.folder import RunFolder
from dlkit.runs.looks import looks
from dlkit.studies import log
from dlkit.studies.folder import StudyFolder
from dlkit.studies.judge import judge
from dlkit.studies.question import Question
from dlkit.studies.state import State, StudyState, Trial

SPLIT = "test"


def chosen(state: State, direction: str) -> int | None:
    """The setting that is shown for the study: the one with the best mean, defended or not."""
    return judge(state.values(), direction).leader


def look_at_test(study: StudyFolder, question: Question, follower: StudyState, say: Callable[[str], None]) -> None:
    """Evaluate the chosen setting's runs, unless that is on record already. What goes wrong is on record too."""
    state = follower.refresh()
    setting = chosen(state, question.direction)
    if setting is None or not question.test or any(one.setting == setting for one in state.tested):
        return
    trials = [t for t in state.trials.values() if t.setting == setting and t.state == "completed"]
    look(study, question, setting, trials, say)


def look(
    study: StudyFolder, question: Question, setting: int, trials: list[Trial], say: Callable[[str], None]
) -> dict[str, Mapping[str, float]]:
    """Measure a setting's runs on test, and put on record that it was looked at, and how often before."""
    runs = [RunFolder(study.workspace / "runs" / trial.run) for trial in trials]
    # Runs of other studies and by hand count: it is the same test split that is used up.
    before = max((found.own + found.by_others for found in (looks(run, SPLIT) for run in runs)), default=0)
    say(f"looking at {SPLIT}: setting {setting}, {len(runs)} runs")
    try:
        metrics: dict[str, Mapping[str, float]] = {
            run.id: _measured(study, question, run, trial) for run, trial in zip(runs, trials, strict=True)
        }
        problem = ""
    except DlkitError as error:  # no test split, a plugin that is gone: the study has its answer nevertheless
        metrics, problem = {}, in_words(error)
    log.append(
        study.log, "tested", durable=True, setting=setting, runs=[run.id for run in runs], metrics=metrics,
        looked_before=before, problem=problem,
    )  # fmt: skip
    return metrics


def _measured(study: StudyFolder, question: Question, run: RunFolder, trial: Trial) -> Mapping[str, float]:
    """What was measured since the trial began is not measured again: a look that was cut short is one look."""
    there = [record for record in evaluations(run) if _is_of(record, trial)]
    if there:
        return there[-1].get("metrics", {})
    from dlkit.data.context import make_context
    from dlkit.use.load import evaluate_run

    catalog = Catalog.load_everything()
    context = make_context(catalog, study.workspace, offline=question.offline, say=lambda text: None)
    return evaluate_run(catalog, run, context, split=SPLIT, which="best", device=None)["metrics"]


def _is_of(record: EvaluationRecord, trial: Trial) -> bool:
    since = trial.began if not trial.reused else time.time()
    return record.get("split") == SPLIT and record.get("checkpoint") == "best" and record.get("time", 0.0) >= since

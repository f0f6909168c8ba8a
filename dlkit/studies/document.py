"""A study for programs: what ``--json`` gives, whoever asks."""

from __future__ import annotations

from dataclasses import asdict

from dlkit.runs.folder import RunFolder
from dlkit.studies.judge import Difference
from dlkit.studies.results import Results, Row
from dlkit.studies.state import Trial
from dlkit.studies.telling import answer


def document(found: Results) -> dict[str, object]:
    """The whole of it: the question, a record a setting (the best first), a record a trial, the verdict."""
    question = found.question
    return {
        **summary(found),
        "vary": list(question.vary),
        "search": question.search,
        "direction": question.direction,
        "keys": list(found.keys),
        "settings": [_setting(row) for row in found.rows],
        "verdict": {
            "text": answer(found),
            "leader": found.verdict.leader,
            "winner": found.verdict.winner,
            "undecided": found.verdict.undecided,
            "more_seeds": found.verdict.more,
        },
        "trials": [_trial(found, trial) for row in sorted(found.rows, key=lambda r: r.number) for trial in row.trials],
        "tested": [asdict(look) for look in found.tested],
        "remarks": list(found.remarks),
    }


def summary(found: Results) -> dict[str, object]:
    """The line of a list."""
    leader = found.leader
    return {
        "study": found.study.id,
        "path": str(found.study.path.absolute()),
        "name": found.question.name,
        "task": found.question.task,
        "state": found.state,
        "created": found.question.created,
        "metric": found.question.metric,
        "planned": found.trials,
        "ended": found.ended,
        "failed": found.failed,
        "pruned": found.pruned,
        "seconds": found.seconds,
        "left": found.left,
        "best": leader.mean.mean if leader is not None and leader.mean is not None else None,
        "decided": found.verdict.winner is not None,
    }


def _setting(row: Row) -> dict[str, object]:
    return {
        "setting": row.number,
        "values": dict(row.values),
        "standing": row.standing,
        "mean": row.mean.mean if row.mean else None,
        "half": row.mean.half if row.mean else None,
        "n": row.mean.n if row.mean else 0,
        "planned": row.planned,
        "states": dict(row.states),
        "seconds": row.seconds,
        "parameters": row.parameters,
        "behind": difference(row.against) if row.against is not None else None,
        "runs": [trial.run for trial in row.trials],
    }


def difference(gap: Difference) -> dict[str, object]:
    """How much better the leader is."""
    return {"mean": gap.mean, "half": gap.half, "n": gap.n, "paired": gap.paired, "decided": gap.decided,
            "more_seeds": gap.more}  # fmt: skip


def _trial(found: Results, trial: Trial) -> dict[str, object]:
    live = found.live.get(trial.number)
    return {
        "trial": trial.number,
        "setting": trial.setting,
        "seed": trial.seed,
        "run": trial.run,
        "path": str(RunFolder(found.study.workspace / "runs" / trial.run).path.absolute()),
        "state": live.state if live is not None and live.state != "damaged" else trial.state,
        "best": live.best if live is not None else trial.best,
        "metrics": dict(live.metrics if live is not None else trial.metrics),
        "step": live.step if live is not None else trial.steps,
        "seconds": live.seconds if live is not None else trial.seconds,
        "reason": trial.reason,
        "reused": trial.reused,
    }

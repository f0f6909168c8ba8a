"""What a study says: the answer first, no winner that cannot be defended, a thousand trials at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from asked import asked, recorded
from dlkit.studies import log
from dlkit.studies.document import document
from dlkit.studies.results import Look, Results, best_trial
from dlkit.studies.telling import answer, columns, headline, looks_at_test
from schemas import check

pytestmark = pytest.mark.usefixtures("toy_installed")


def results(tmp_path: Path, scores: dict[tuple[int, int], float], seeds: int = 3, vary: str = "lr=0.1,0.2") -> Results:
    study = asked(tmp_path, vary, seeds=seeds)
    recorded(study, scores)
    found = Look(study).results()
    check("study-show", document(found))
    return found


def test_a_winner_that_can_be_defended(tmp_path: Path) -> None:
    found = results(
        tmp_path, {(s, seed): seed + (0.0 if s else 10.0) + seed * s / 100 for s in (0, 1) for seed in range(3)}
    )
    assert [row.standing for row in found.rows] == ["winner", "worse"]
    assert answer(found).startswith("trainer.lr 0.2 is the best so far: val/mse ")
    assert "better than the other setting (95 %)" in answer(found)
    assert best_trial(found).seed == 0


def test_what_is_undecided_says_how_many_more_seeds_would_tell(tmp_path: Path) -> None:
    scores = {(0, 0): 1.0, (0, 1): 2.0, (0, 2): 3.0, (1, 0): 1.5, (1, 1): 1.8, (1, 2): 4.1}
    found = results(tmp_path, scores)
    assert [row.standing for row in found.rows] == ["leader", "undecided"]
    more = found.verdict.more
    assert (
        more
        and f"about {more} more seeds would tell: dlkit study extend {found.study.short} --seeds {more}"
        in answer(found)
    )
    assert answer(found).startswith("undecided so far: trainer.lr 0.1 has the best mean (val/mse 2 ± 2.5)")


def test_one_seed_decides_nothing(tmp_path: Path) -> None:
    found = results(tmp_path, {(0, 0): 1.0, (1, 0): 9.0}, seeds=1)
    assert [row.standing for row in found.rows] == ["leader", "alone"]
    assert "but one seed says nothing of luck" in answer(found)


def test_a_setting_that_failed_once_is_not_compared(tmp_path: Path) -> None:
    """The seeds that went well would be a choice of the lucky ones."""
    study = asked(tmp_path, "lr=0.1,0.2", seeds=3)
    recorded(study, {(s, seed): s + seed / 10 for s in (0, 1) for seed in range(3)})
    log.append(study.log, "ended", trial=0, state="failed", reason="loss is nan at step 3")
    found = Look(study).results()
    assert [(row.values["trainer.lr"], row.standing) for row in found.rows] == [(0.2, "leader"), (0.1, "failed")]
    assert any("1 failed" in remark and "loss is nan" in remark for remark in found.remarks)
    check("study-show", document(found))


def test_who_looks_and_goes_on_is_told(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=0.1,0.2")
    recorded(study, {(0, 0): 1.0, (1, 0): 2.0})
    log.append(study.log, "seeds", seeds=[1, 2])
    log.append(study.log, "extended", trials=0, after=True)
    log.append(study.log, "tested", setting=0, runs=["run-0"], metrics={"run-0": {"test/mse": 0.5}}, looked_before=4)
    found = Look(study).results()
    assert found.trials == 6 and found.ended == 2
    assert any("extended once after results were seen" in remark for remark in found.remarks)
    assert looks_at_test(found) == ["test: trainer.lr 0.1: mse 0.5; looked at 4 times before"]
    check("study-show", document(found))


def test_only_what_differs_is_a_column(tmp_path: Path) -> None:
    study = asked(tmp_path, "model=linear", "model.dropout=0,0.5", "lr=0.1")
    recorded(study, {(0, 0): 1.0})
    headers, rows = columns(Look(study).results())
    assert headers[:2] == ["model.dropout", "val/mse"] and [row[0] for row in rows] == ["0", "0.5"]
    assert rows[0][4:6] == ["2.0 s", "4"] and "waiting" not in rows[1][-1]


def test_a_thousand_trials_are_listed_at_once(tmp_path: Path) -> None:
    """From the log alone: no run's folder is looked at."""
    study = asked(tmp_path, "lr=log:1e-4..1", search="random", trials=250, seeds=4)
    recorded(study, {(s, seed): (s * 7919 % 251) + seed for s in range(250) for seed in range(4)})
    times = []
    for _ in range(3):
        began = time.perf_counter()
        found = Look(study).results()
        lines = [headline(found), answer(found), *map(str, columns(found)[1])]
        times.append(time.perf_counter() - began)
    assert found.ended == 1000 and len(lines) == 252
    assert min(times) < 0.15, times

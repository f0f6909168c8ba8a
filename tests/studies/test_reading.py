"""What a study tells besides its answer: how the best came about, and what each option has to do with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from asked import asked, recorded
from dlkit.studies.reading import best_so_far, importance, told
from dlkit.studies.results import Look

pytestmark = pytest.mark.usefixtures("toy_installed")


def test_what_each_option_explains(tmp_path: Path) -> None:
    """Of a metric that is made of one option alone, all; of one that it does not know, nothing."""
    study = asked(tmp_path, "lr=0.001,0.01,0.1", "engine.batch_size=16,32")
    recorded(study, {(setting, 0): float(setting // 2) for setting in range(6)})
    found = Look(study).results()
    shares = importance(found)
    assert list(shares) == ["trainer.lr", "engine.batch_size"]
    assert shares["trainer.lr"] == pytest.approx(1.0) and shares["engine.batch_size"] == pytest.approx(0.0)
    text = "\n".join(told(found, colour=False, width=80))
    assert "trainer.lr" in text and "100 %" in text and "as a power of ten" in text


def test_the_best_never_gets_worse(tmp_path: Path) -> None:
    study = asked(tmp_path, "lr=log:1e-3..1", search="random", trials=9)
    recorded(study, {(setting, 0): float((setting * 5) % 9) for setting in range(9)})
    _, values = best_so_far(Look(study).results())
    assert values == sorted(values, reverse=True) and values[-1] == 0.0
    assert len(importance(Look(study).results())) == 1
    assert told(Look(study).results(), colour=False, width=60)


def test_of_nothing_there_is_nothing_to_tell(tmp_path: Path) -> None:
    found = Look(asked(tmp_path, "lr=0.1,0.2")).results()
    assert best_so_far(found) == ([], []) and importance(found) == {"trainer.lr": 0.0}
    assert told(found, colour=False, width=60) == []

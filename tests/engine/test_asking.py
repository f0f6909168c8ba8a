"""Metrics that ask the model itself: called for every batch, sparingly while training, thoroughly by ``evaluate``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import toy_parts
from dlkit.data.context import Context
from dlkit.use.load import evaluate_run
from toy import toy_catalog, toy_run

ASKED: list[tuple[bool, bool, bool, int]] = []


class Asking(toy_parts.SquaredError):
    """Counts its questions, and measures what the model answers to nothing."""

    def ask(self, model: nn.Module, batch: Mapping[str, Tensor], thorough: bool) -> None:
        self.answer = model(torch.zeros(1, 3)).reshape(())
        ASKED.append((thorough, model.training, torch.is_grad_enabled(), len(batch["y"])))

    def compute(self) -> dict[str, float]:
        return {**super().compute(), "at_zero": float(self.answer)}


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> None:
    ASKED.clear()
    monkeypatch.setattr(toy_parts, "SquaredError", Asking)


@pytest.mark.usefixtures("asking")
def test_the_model_is_asked_after_each_batch_in_evaluation_mode(tmp_path: Path) -> None:
    run = toy_run(tmp_path, epochs=2, eval_batch_size=15)
    assert ASKED == [(False, False, False, 15), (False, False, False, 15), (False, False, False, 10)] * 2
    ASKED.clear()
    found: dict[str, Any] = evaluate_run(toy_catalog(), run, Context(tmp_path / "data"), split="test", which="last")
    assert [thorough for thorough, *_ in ASKED] == [True] * 3
    assert found["metrics"]["test/at_zero"] == pytest.approx(0.25, abs=3)


def test_asking_changes_no_weight(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    plain = evaluate_run(toy_catalog(), toy_run(tmp_path / "a", epochs=2), Context(tmp_path), split="val", which="last")
    request.getfixturevalue("asking")
    asked = evaluate_run(toy_catalog(), toy_run(tmp_path / "b", epochs=2), Context(tmp_path), split="val", which="last")
    assert ASKED and {**plain["metrics"], "val/at_zero": asked["metrics"]["val/at_zero"]} == asked["metrics"]

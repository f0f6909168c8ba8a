"""A share that was asked for and comes to nothing is refused, or said, before there is a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.data.context import make_context
from dlkit.data.splits import Data
from dlkit.engine.build import build_data, build_task
from dlkit.errors import DataError, UsageError

CATALOG = Catalog.load_everything()
PAIRS = {"name": "grammar", "pairs": 100, "vocabulary": 80}


def built(task: str, dataset: dict[str, Any], workspace: Path) -> Data:
    resolved = resolve(CATALOG, task, [Layer("test", {"dataset": dataset})])
    return build_data(CATALOG, resolved, build_task(CATALOG, resolved.task), make_context(CATALOG, workspace))[0]


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ("val", r"dataset 'grammar'.* empty validation split: ask for a larger share of it$"),
        ("test", r"dataset 'grammar'.* empty test split: ask for a larger share of it, or for none$"),
    ],
)
def test_an_empty_split_is_refused(share: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        built("translation", {**PAIRS, f"{share}_fraction": 1e-6}, tmp_path)


def test_so_is_a_share_of_labelled_images(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"too few to take a test split from; raise dataset\.test_fraction"):
        built("classification", {"name": "digits", "test_fraction": 1e-6}, tmp_path)


def test_a_table_without_its_test_says_so(tmp_path: Path) -> None:
    """Of a handful of rows, none need be left for it."""
    data = built("regression", {"name": "diabetes", "test_fraction": 1e-6}, tmp_path)
    assert data.test is None
    assert any("no test split: dataset.test_fraction = 1e-06 of 442 rows comes to none" in note for note in data.notes)
    asked_for_none = built("regression", {"name": "diabetes", "test_fraction": 0}, tmp_path)
    assert asked_for_none.test is None and not any("no test" in note for note in asked_for_none.notes)

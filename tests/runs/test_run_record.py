"""run.json has the fields that its type promises, and no others: of today's runs and of kept ones."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from dlkit.runs.run_record import ComponentRecord, Result, RunRecord
from kept_runs import KEPT
from toy import toy_run


def check(record: dict[str, Any]) -> None:
    fields = get_type_hints(RunRecord)
    assert record.keys() <= fields.keys()
    for key, value in record.items():
        if fields[key] in (int, float, str):
            assert isinstance(value, (int, float) if fields[key] is float else fields[key]), key
    assert all(made.keys() == get_type_hints(ComponentRecord).keys() for made in record["components"].values())
    assert record["result"].keys() == get_type_hints(Result).keys()


def test_a_run_of_today(tmp_path: Path) -> None:
    run = toy_run(tmp_path)
    check(dict(run.read()))


@pytest.mark.parametrize("path", sorted(KEPT.glob("*.tar.xz")), ids=lambda path: path.name)
def test_a_kept_run(path: Path) -> None:
    with tarfile.open(path) as archive:
        (name,) = [name for name in archive.getnames() if name.endswith("/run.json")]
        file = archive.extractfile(name)
        assert file is not None
        check(json.load(file))

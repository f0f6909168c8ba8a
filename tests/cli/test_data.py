"""``dlkit data``: the sources of a plugin that this module brings along, and a look at its data."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import pytest

from schemas import check

ROWS = "".join(f"{i},{i % 2}\n" for i in range(40)).encode()

PLUGIN = f"""
from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, SourceFile, SourceSpec, TaskSpec, hookimpl
from dlkit.components import LayoutFile
from dlkit.config import Config
from dlkit.samples import Curve, Images, Table
from dlkit.task import Column, Info, Task, first_batch
from pydantic import Field


class RowsConfig(Config):
    scale: float = Field(1.0, gt=0, description="What every number is multiplied by")


class RowsTask(Task):
    Info = Info
    batch = {{"x": Column("float32[N,M]", padding=-1), "label": Column("int64[N]")}}
    inputs = ("x",)
    outputs = Column("float32[N]")

    def metrics(self, info):
        raise NotImplementedError

    def preview(self, info, split, count):
        import numpy as np
        batch = first_batch(split, count)
        pixels = np.arange(count * 16, dtype=np.uint8).reshape(count, 4, 4)
        return [
            Table(name="rows", title="The rows", headers=["x"], rows=[[row[0]] for row in batch["x"].tolist()]),
            Images(name="images", images=pixels, captions=[f"number {{i}}" for i in range(count)]),
            Curve(name="curve", x=np.arange(4), lines={{"y": [1.0, float("nan"), 2.0, 3.0]}}),
        ]


def build(config, context):
    import torch
    from dlkit.data.ragged import Ragged
    from dlkit.data.splits import Data, TensorSplit
    text = (context.source("rows") / "rows.csv").read_text()
    rows = [tuple(map(int, line.split(","))) for line in text.splitlines()]

    def split(part):
        x = Ragged.of([torch.full((1 + i % 3,), i * config.scale) for i, _ in part], padding=-1)
        return TensorSplit({{"x": x, "label": torch.tensor([label for _, label in part])}})

    return Data(train=split(rows[:30]), val=split(rows[30:]), info={{}}, notes=["ten rows are for validation"])


@hookimpl
def dlkit_tasks():
    parts = {{part: "plain" for part in ("model", "loss", "inference")}}
    return [TaskSpec(name="rows", title="Rows", summary="Rows of numbers", target="rows_plugin:RowsTask",
                     defaults={{"dataset": "rows", "trainer": "supervised", **parts}}, metric="val/x", direction="min")]


@hookimpl
def dlkit_sources():
    return [SourceSpec(
        name="rows", summary="Forty rows", licence="CC0", homepage="https://rows.invalid", citation="Nobody (2026)",
        files=(SourceFile(url="https://rows.invalid/rows.csv", size={len(ROWS)},
                          sha256="{hashlib.sha256(ROWS).hexdigest()}"),),
        layout=(LayoutFile("rows.csv", {len(ROWS)}, "{hashlib.sha256(ROWS).hexdigest()}"),),
    )]


@hookimpl
def dlkit_datasets():
    return [DatasetSpec(name="rows", task="rows", summary="The rows", sources=("rows",), target="rows_plugin:build",
                        config="rows_plugin:RowsConfig")]


@hookimpl
def dlkit_models():
    return [ModelSpec(name="plain", task="rows", summary="Nothing", target="rows_plugin:build")]


@hookimpl
def dlkit_losses():
    return [LossSpec(name="plain", task="rows", summary="Nothing", target="rows_plugin:build")]


@hookimpl
def dlkit_inference():
    return [InferenceSpec(name="plain", task="rows", summary="Nothing", target="rows_plugin:build")]
"""


@pytest.fixture
def workspace(
    write_plugin: Callable[..., Path], toy_installed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Path]:
    """A workspace that is not there yet, the plugin above installed."""
    monkeypatch.syspath_prepend(str(write_plugin("rows", PLUGIN)))
    for name in ("DLKIT_MIRROR", "DLKIT_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    workspace = tmp_path / "workspace"
    monkeypatch.setenv("DLKIT_WORKSPACE", str(workspace))
    invalidate_caches()
    yield workspace
    sys.modules.pop("rows_plugin", None)


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "rows.csv").write_bytes(ROWS)
    return tmp_path / "mirror"


def test_list_says_what_there_is_and_creates_nothing(dlkit: Callable[..., Any], workspace: Path) -> None:
    found = {source["name"]: source for source in dlkit("data", "list", "--json").json}
    assert found["mnist"]["used_by"] == []  # dlkit's own; the plugins that use it are left out here
    assert found["rows"] == {
        "name": "rows",
        "summary": "Forty rows",
        "state": "absent",
        "size": len(ROWS),
        "licence": "CC0",
        "citation": "Nobody (2026)",
        "homepage": "https://rows.invalid",
        "used_by": ["rows/rows"],
        "path": str(workspace / "data" / "rows"),
    }
    assert re.search("^rows +absent", dlkit("data", "list").out, re.MULTILINE)
    assert not workspace.exists()


def test_get_path_and_verify(dlkit: Callable[..., Any], workspace: Path, mirror: Path) -> None:
    place = workspace / "data" / "rows"
    missing = dlkit("data", "path", "rows")
    assert (missing.code, missing.out) == (3, "")
    assert "dlkit data get rows" in missing.err
    got = dlkit("data", "get", "rows", "--mirror", mirror)
    assert (got.code, got.out) == (0, f"{place}\n")
    assert (place / "rows.csv").read_bytes() == ROWS
    assert dlkit("data", "path", "rows").out == f"{place}\n"
    told = dlkit("data", "get", "rows", "--json").json
    assert told == {"name": "rows", "state": "present", "path": str(place)}
    check("data-path", told)
    check("data-path", dlkit("data", "path", "rows", "--json").json)
    check("data-list", dlkit("data", "list", "--json").json)
    check("data-verify", dlkit("data", "verify", "rows", "--json").json)
    assert dlkit("data", "verify", "rows").code == 0
    states = {source["name"]: source["state"] for source in dlkit("data", "list", "--json").json}
    own = {name: state for name, state in states.items() if not name.startswith("torchvision-")}
    assert own == {"rows": "present", "mnist": "absent"}


def test_verify_reports_what_is_wrong(dlkit: Callable[..., Any], workspace: Path) -> None:
    place = workspace / "data" / "rows"
    place.mkdir(parents=True)
    (place / "rows.csv").write_bytes(bytes(len(ROWS)))
    wrong = dlkit("data", "verify", "rows")
    assert wrong.code == 3
    assert "SHA-256" in wrong.out
    assert len(dlkit("data", "verify", "rows", "--json").json["problems"]) == 1


def test_offline_is_exit_3_and_creates_nothing(dlkit: Callable[..., Any], workspace: Path) -> None:
    for words in (("get", "rows"), ("show", "rows")):
        outcome = dlkit("data", *words, "--offline")
        assert (outcome.code, outcome.out) == (3, "")
        assert "dlkit data get rows" in outcome.err
    assert not workspace.exists()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["lits"], "did you mean 'list'"),
        (["get", "row"], "did you mean 'rows'"),
        (["get"], "NAME"),
        (["show"], "rows"),
        (["show", "rowz"], "did you mean 'rows'"),
        (["show", "rows", "--dataset", "nothing"], "'nothing'"),
        (["show", "rows", "--dataset.scale", "0"], "dataset.scale"),
        (["show", "rows", "--dataset.size", "0"], "scale"),
        (["show", "rows", "--model", "plain"], "--model"),
        (["show", "rows", "--engine.seed", "1"], "--engine.seed"),
        (["show", "rows", "--count", "0"], "--count"),
        (["list", "--nothing"], "--nothing"),
    ],
)
def test_what_is_not_understood_is_exit_2(
    dlkit: Callable[..., Any], workspace: Path, words: list[str], named: str
) -> None:
    outcome = dlkit("data", *words)
    assert outcome.code == 2, outcome.err
    assert named in outcome.err


def test_show_prints_splits_columns_notes_and_samples(dlkit: Callable[..., Any], workspace: Path, mirror: Path) -> None:
    outcome = dlkit("data", "show", "rows", "--mirror", mirror, "--count", "3")
    assert outcome.code == 0, outcome.err
    for text in ("train       30", "val         10", "ten rows are for validation", "The rows", "number 2"):
        assert text in outcome.out
    assert "number 3" not in outcome.out
    assert "\x1b" not in outcome.out


def test_show_json(dlkit: Callable[..., Any], workspace: Path, mirror: Path) -> None:
    words = ("data", "show", "rows", "--mirror", mirror, "--dataset.scale", "2", "--json")
    found = dlkit(*words).json
    check("data-show", found)
    assert (found["task"], found["dataset"], found["options"]) == ("rows", "rows", {"scale": 2.0})
    assert found["splits"] == {"train": 30, "val": 10}
    x, label = found["columns"]
    assert (x["dtype"], x["shape"], x["min"], x["max"]) == ("float32", [3], 0.0, 58.0)  # padding is left out
    assert x["mean"] == pytest.approx(2 * sum(i * (1 + i % 3) for i in range(30)) / 60)
    assert (label["dtype"], label["shape"], label["mean"]) == ("int64", [], 0.5)
    assert found["columns_over"] == 30
    assert found["notes"] == ["ten rows are for validation"]
    assert [sample["kind"] for sample in found["samples"]] == ["table", "images", "curve"]
    assert found["samples"][1]["images"] == {"shape": [16, 4, 4]}
    assert found["samples"][2]["lines"] == {"y": [1.0, "nan", 2.0, 3.0]}


def test_help(dlkit: Callable[..., Any], workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = dlkit("data", "--help")
    assert outcome.code == 0
    for action in ("list", "get", "verify", "path", "show"):
        assert action in outcome.out
        with pytest.raises(SystemExit, match="0"):
            dlkit("data", action, "--help")
        assert f"dlkit data {action}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code"), [(["list"], 0), (["get", "rows", "--mirror", "mirror"], 0), (["verify", "rows"], 3)]
)
def test_torch_is_not_imported(workspace: Path, mirror: Path, words: list[str], code: int) -> None:
    program = (
        "import sys; from dlkit.cli.main import main; code = main(sys.argv[1:]); "
        "print({'torch', 'textual'} & set(sys.modules), file=sys.stderr); sys.exit(code)"
    )
    site = workspace.parent / "site"
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", program, "data", *words]
    result = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=mirror.parent)
    assert result.returncode == code, result.stderr
    assert result.stderr.splitlines()[-1] == "set()"

"""Runs of every task that earlier code wrote (see tests/kept_runs.py) are listed, shown, measured, asked, and continued
to the very bits that the earlier code came to."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlkit.api import Run
from dlkit.catalog import Catalog
from dlkit.cli.main import main
from dlkit.data.context import make_context
from dlkit.events import Commanded, Resumed, Sampled
from dlkit.monitor.view import RunView
from dlkit.runs.checkpoints import choose
from dlkit.runs.folder import RunFolder
from dlkit.runs.index import list_runs
from dlkit.runs.log import read_events
from dlkit.samples import load
from dlkit.use.load import load_predictor, validation_split
from kept_runs import END, KEPT, STOP, by_the_clock, machine
from outcome import finished, outcome, values_of

CONTINUED: dict[str, Any] = json.loads((KEPT / "continued.json").read_text())
NAMES = list(CONTINUED["runs"])
SAME_MACHINE = machine() == CONTINUED["machine"]
CLOSE = 1e-3
"""How far off a value may be, relatively, where another processor or another torch rounds differently."""
MEAN_OF_MEANS: Mapping[str, str] = {"translation": "val/loss"}
"""Where the earlier code took the mean over sentences of batches' means over tokens: by run, the metric."""
LATER: Mapping[str, str] = {"classification": r"val/(macro_\w+|precision/.+)"}
"""What is recorded now and was not then: by run, the metrics, as a pattern."""
UNEQUAL = 2e-3
"""How far off that was, relatively, in two batches of eight sentences each."""

Call = Callable[..., Any]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, to be read only."""
    folder = tmp_path_factory.mktemp("kept")
    for name in NAMES:
        unpack(name, folder)
    return folder


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """``call("show", run, workspace=…)``: a command in this process; what it says as JSON."""

    def run_command(*words: str, workspace: Path) -> Any:
        capsys.readouterr()
        assert main([*words, "--json", "--workspace", str(workspace)]) == 0
        return json.loads(capsys.readouterr().out)

    return run_command


def unpack(name: str, workspace: Path) -> RunFolder:
    with tarfile.open(KEPT / f"{name}.tar.xz") as archive:
        archive.extractall(workspace / "runs", filter="data")
    return RunFolder(workspace / "runs" / CONTINUED["runs"][name]["id"])


def folder_of(name: str, workspace: Path) -> RunFolder:
    return RunFolder(workspace / "runs" / CONTINUED["runs"][name]["id"])


def told(name: str) -> dict[tuple[str, int], float]:
    """(metric, step) → value, as the earlier code's continuation recorded them."""
    return {(metric, step): value for metric, step, value in CONTINUED["runs"][name]["values"]}


def test_every_task_has_one() -> None:
    tasks = {spec.name for spec in Catalog.load_everything().specs("task")}
    assert {recipe["task"] for recipe in CONTINUED["runs"].values()} >= tasks - {"toy"}


def test_they_are_listed(workspace: Path, call: Call) -> None:
    found = {run["run"]: run for run in call("runs", workspace=workspace)}
    assert len(found) == len(list_runs(workspace)) == len(NAMES)
    for name, came_to in CONTINUED["runs"].items():
        run = found[came_to["id"]]
        assert (run["name"], run["task"], run["state"]) == (name, came_to["task"], "stopped")
        assert (run["step"], run["total_steps"]) == (STOP, END)
        assert run["last"] == told(name)[run["metric"], STOP]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_shown(name: str, workspace: Path, call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    run = folder_of(name, workspace)
    shown = call("show", run.id, workspace=workspace)
    assert (shown["run"], shown["task"]) == (run.id, CONTINUED["runs"][name]["task"])
    assert shown["checkpoints"][-1]["step"] == STOP
    assert main(["show", run.id, "--workspace", str(workspace)]) == 0
    assert run.id in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_its_log_is_read(name: str, workspace: Path) -> None:
    run = folder_of(name, workspace)
    values = told(name)
    assert recorded_values(run) == {(metric, step): values[metric, step] for metric, step in values if step <= STOP}
    view = RunView(run)
    view.poll()
    assert view.step == STOP
    assert {n: view.series(n).steps.tolist() for n in view.names} == steps_by_metric(values_of(run))
    samples = [ref for event in read_events(run.events) if isinstance(event, Sampled) for ref in event.samples]
    assert samples
    assert {load(run.path / ref.file).kind for ref in samples} == {ref.kind for ref in samples}


def steps_by_metric(values: Mapping[tuple[str, int], float]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for metric, step in values:
        found.setdefault(metric, []).append(step)
    return found


def test_a_log_of_all_shapes(workspace: Path) -> None:
    """The regression's: orders obeyed, steps that a resume made void, an evaluation."""
    run = folder_of("regression", workspace)
    raw = run.events.read_text().splitlines()
    events = read_events(run.events)
    assert len(events) < len(raw), "steps 4 to 6 of the first attempt are void"
    assert [e.action for e in events if isinstance(e, Commanded)] == ["set", "checkpoint"]
    assert [(e.from_step, e.exact) for e in events if isinstance(e, Resumed)] == [(3, True)]
    view = RunView(run)
    view.poll()
    assert [e.seq for e in view.events] == [e.seq for e in events if e.event not in ("metrics", "machine")]
    assert [e["split"] for e in view.evaluations] == ["test"]


def test_the_time_left_of_an_earlier_log(workspace: Path) -> None:
    """It was called clock then."""
    run = folder_of("classification", workspace)
    assert '"clock":3' in run.events.read_text()
    view = RunView(run)
    view.poll()
    assert view.time_left == pytest.approx(3600, abs=60)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_measured_and_asked(name: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where pictures are written
    run = unpack(name, tmp_path)
    measured = call("evaluate", run.id, "--split", "val", "--device", "cpu", workspace=tmp_path)["metrics"]
    if same_data(run):
        assert measured == equal(mended(name, CONTINUED["runs"][name]["measured"], measured))
    catalog = Catalog.load_everything()
    loaded = load_predictor(catalog, run)
    split = validation_split(catalog, loaded, make_context(catalog, tmp_path))
    words = loaded.predictor.example(split, np.random.default_rng(0), tmp_path)
    assert call("predict", run.id, *words[:1], workspace=tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_it_goes_on_to_the_same_bits(name: str, tmp_path: Path) -> None:
    run = unpack(name, tmp_path)
    if not same_data(run):
        pytest.skip("this interpreter comes with another text")
    Run(run).resume(allow_inexact=True)
    expected = CONTINUED["runs"][name]
    assert finished(run).steps == choose(run.path, "last").step == expected["step"]
    found = recorded_values(run)
    assert found == equal(mended(name, told(name), found))
    if SAME_MACHINE:
        assert outcome(run) == (expected["step"], expected["weights"], expected["state"])


def recorded_values(run: RunFolder) -> dict[tuple[str, int], float]:
    return {(metric, step): value for (metric, step), value in values_of(run).items() if not by_the_clock(metric)}


def mended(name: str, told: Mapping[Any, float], found: Mapping[Any, float]) -> dict[Any, float]:
    """What the earlier code recorded, but for means of unequal means: of those, what was found, if it is near; and with
    what it did not record yet."""
    wrong = [key for key in told if MEAN_OF_MEANS.get(name) in (key, key[0])]
    assert {key: found[key] for key in wrong} == pytest.approx({key: told[key] for key in wrong}, rel=UNEQUAL)
    pattern = LATER.get(name, "(?!)")
    later = [key for key in found if re.fullmatch(pattern, key if isinstance(key, str) else key[0])]
    return {**told, **{key: found[key] for key in [*wrong, *later]}}


def equal(values: Mapping[Any, float]) -> Any:
    """What these values must be: the very same on the same machine, else nearly."""
    return values if SAME_MACHINE else pytest.approx(values, rel=CLOSE, abs=CLOSE * CLOSE, nan_ok=True)


def same_data(run: RunFolder) -> bool:
    """Whether the data set is what it was there: Python's documentation differs from version to version."""
    embedded = run.read()["components"]["dataset"]["name"] != "python-docs"
    return embedded or machine()["python"] == CONTINUED["machine"]["python"]

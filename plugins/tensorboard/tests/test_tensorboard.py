"""Event files, read back by TensorBoard's own reader."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorboardX")
pytest.importorskip("tensorboard")

from dlkit.events import Event, MetricsLogged, Notice, Resumed, Sampled, to_json
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from dlkit_tensorboard.plugin import dlkit_event
from recorded import record_run, write_events
from report.reports import noise, sample


def tell(run: RunFolder, events: list[Event]) -> None:
    import json

    for event in events:
        dlkit_event(run={**run.read(), "path": str(run.path)}, event=json.loads(to_json(event)))


def accumulated(folder: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of TensorBoard's own imports
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(folder), {"scalars": 0, "images": 0, "tensors": 0})
        found.Reload()
    return found


@pytest.fixture(autouse=True)
def on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DLKIT_TENSORBOARD", raising=False)


def scalars(found: Any, name: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in found.Scalars(name)]


def test_scalars_images_text_and_hyperparameters(tmp_path: Path) -> None:
    run = record_run(tmp_path)
    run.config.write_text('task = "toy"\n[trainer]\nlr = 0.25\nbetas = [0.9, 0.99]\n')
    sample(run, {50: [noise(1, 8, 2)]})
    write_events(run, [Notice(step=7, text="something to know")], 300)
    events = read_events(run.events)
    tell(run, [*events[:-3], *events[-2:], events[-3]])  # the end comes last
    found = accumulated(tmp_path / "tensorboard" / run.id)
    for name in ("train/loss", "val/mse"):
        logged = [point for event in events if isinstance(event, MetricsLogged) for point in event.points(name)]
        read = scalars(found, name)
        assert [step for step, _ in read] == [step for step, _ in logged]
        assert np.array_equal([v for _, v in read], np.float32([v for _, v in logged]))
    (picture,) = found.Images("noise")
    assert picture.step == 50 and picture.width > 100 and picture.encoded_image_string.startswith(b"\x89PNG")
    assert {"config/text_summary", "notices/text_summary"} <= set(found.Tags()["tensors"])
    assert "_hparams_/session_start_info" in found.summary_metadata


def test_what_a_resume_makes_void_is_left_out(tmp_path: Path) -> None:
    run = record_run(tmp_path, state="interrupted")
    tell(run, read_events(run.events))
    again = Resumed(seq=900, from_step=60, total_steps=100, epoch_steps=20, exact=True)
    tell(run, [again, MetricsLogged(first=61, count=2, values={"train/loss": [7.0, 8.0]})])
    from dlkit_tensorboard import writing

    writing._close(str(run.path))
    read = scalars(accumulated(tmp_path / "tensorboard" / run.id), "train/loss")
    assert [step for step, _ in read] == list(range(1, 63)) and read[-2:] == [(61, 7.0), (62, 8.0)]


def test_where_and_whether(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = record_run(tmp_path)
    monkeypatch.setenv("DLKIT_TENSORBOARD", "off")
    tell(run, read_events(run.events))
    assert not (tmp_path / "tensorboard").exists()
    monkeypatch.setenv("DLKIT_TENSORBOARD", str(tmp_path / "elsewhere"))
    tell(run, read_events(run.events))
    assert (tmp_path / "elsewhere" / run.id).is_dir() and not (tmp_path / "tensorboard").exists()
    assert not [event for event in read_events(run.events) if isinstance(event, Sampled)]


def test_it_imports_no_other_plugin_and_no_torch() -> None:
    """It is not installed where imports are linted: every run would be observed there."""
    import dlkit_tensorboard

    files = Path(str(dlkit_tensorboard.__file__)).parent.rglob("*.py")
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    named = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    named += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    tops = {name.partition(".")[0] for name in named}
    assert "dlkit" in tops and "torch" not in tops
    assert {top for top in tops if top.startswith("dlkit_")} <= {"dlkit_tensorboard"}

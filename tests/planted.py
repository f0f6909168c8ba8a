"""Runs whose every text would steer the terminal, if anybody wrote it there as it is."""

from __future__ import annotations

import dataclasses
import json
import re
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import numpy as np

from dlkit import samples
from dlkit.events import (
    Checkpointed,
    Commanded,
    Event,
    Finished,
    Forked,
    Machine,
    MetricsLogged,
    Notice,
    Preparing,
    Resumed,
    Retried,
    Sampled,
    SampleRef,
    Spent,
    Started,
    to_json,
)
from dlkit.runs.folder import RunFolder
from dlkit.samples import Box, Sample
from installed import install_metadata
from recorded import record_run

PAINT = "\x1b[35;7m"
"""A colour that dlkit itself never writes: seen on the screen, it is the text's."""
EVIL = f"e\x1b]0;owned\x07{PAINT}v\x9b2J\u202ei\u2067l\nforged\r\x08\x7f\u2028\udc9b\tend"
"""Title, colour, C1, overrides of direction, ends of lines, backspace, half a surrogate pair."""
WRITTEN = EVIL.replace("\udc9b", "")
"""What UTF-8 can hold."""
STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
OWN = re.compile(r"\x1b\[[0-9;]*m|\x1b\]9;[\w :.-]*\x07|\x1b\[A|\r\x1b\[\d+A\x1b\[J|\a|\r")
"""What dlkit and tqdm write to a terminal: colours, the notification, and the bar's and the picture's movements."""


def steering(text: str, *, terminal: bool = False) -> list[str]:
    """What in a text steers the terminal, each with what is around it; none in what is fit to be shown."""
    if terminal:
        assert PAINT not in text, "a colour that came with a text"
        text = OWN.sub("", text)
    return [f"{text[max(0, m.start() - 30) : m.end() + 10]!r}" for m in STEERING.finditer(text)]


def evil_samples() -> list[Sample]:
    """One of every kind, with all its texts planted."""
    grey = np.full((2, 4, 4), 90, np.uint8)
    there: dict[str, Any] = {"title": WRITTEN}
    box = Box(corners=(0, 0, 2, 2), label=WRITTEN, role="true", score=0.5)
    return [
        samples.Images(name="images", images=list(grey), captions=[WRITTEN, WRITTEN], good=[True, False], **there),
        samples.Boxes(name="boxes", image=grey[0], boxes=[box], **there),
        samples.Text(name="text", text=WRITTEN, prompt=WRITTEN, **there),
        samples.Shaded(name="shaded", pieces=[WRITTEN, WRITTEN], values=[0.1, 0.9], unit=WRITTEN, **there),
        samples.Pairs(name="pairs", headers=[WRITTEN, WRITTEN], rows=[[WRITTEN, WRITTEN]], compared=(0, 1), **there),
        samples.ConfusionMatrix(
            name="confusion",
            classes=[WRITTEN, "b"],
            counts=[[1, 2], [0, 3]],
            images=grey,
            cells=[(0, 1), (0, 1)],
            captions=[WRITTEN, WRITTEN],
            **there,
        ),
        samples.Table(name="table", headers=[WRITTEN, "number"], rows=[[WRITTEN, 1.5]], **there),
        samples.Curve(name="curve", x=[0, 1], lines={WRITTEN: [0, 1]}, x_label=WRITTEN, y_label=WRITTEN, **there),
        samples.Scatter(
            name="scatter", x=[0, 1], y=[0, 1], labels=[WRITTEN, WRITTEN], x_label=WRITTEN, y_label=WRITTEN, **there
        ),
        samples.Plane(
            name="plane",
            image=np.full((4, 6, 3), 90, np.uint8),
            x_range=(0, 1),
            y_range=(0, 1),
            marks=[samples.Marks(x=[0.5], y=[0.5], colour=(1, 2, 3), name=WRITTEN)],
            x_label=WRITTEN,
            y_label=WRITTEN,
            note=WRITTEN,
            **there,
        ),
    ]


def evil_summary() -> dict[str, Any]:
    layer = {"name": EVIL, "type": EVIL, "output": [1], "parameters": 4}
    return {
        "model": {"name": EVIL, "parameters": 4, "memory": 32, "layers": [layer], "more_layers": 1},
        "data": {"splits": {EVIL: 4}, "notes": [EVIL]},
        "device": EVIL,
        "precision": EVIL,
    }


def evil_events(samples_there: list[SampleRef], status: str) -> list[Event]:
    """One of every kind, with all its texts planted; the last is the run's end."""
    metric = f"val/{EVIL}"
    gpu = {"index": 0, "name": EVIL, "use": 5, "memory": 100, "total": 200}
    end = Finished(run=EVIL, status=status, metrics={metric: 0.5, "val/mse": 0.5}, seconds=12.5, train_seconds=12.0,
                   steps=100, reason=EVIL, traceback=f"Traceback: {EVIL}")  # fmt: skip
    return [
        Started(total_steps=100, epoch_steps=20, summary=evil_summary()),
        Forked(
            total_steps=100,
            epoch_steps=20,
            summary=evil_summary(),
            parent=EVIL,
            from_step=0,
            sha256=EVIL,
            changes={EVIL: [EVIL, EVIL]},
            exact=False,
            differences=[EVIL],
        ),
        MetricsLogged(first=1, count=3, values={"train/loss": [3, 2, 1], f"train/{EVIL}loss": [1, 2, 3]}, rate=8.0),
        MetricsLogged(first=20, count=1, values={"val/mse": [0.5], metric: [0.5], f"{metric}/part": [1]}, rate=8.0),
        Notice(step=20, text=EVIL),
        Preparing(step=20, text=EVIL, done=1, total=2),
        Commanded(step=21, action="set", key=EVIL, value=EVIL, id="a", by=EVIL),
        Commanded(step=22, action="set", key=EVIL, value=EVIL, id="b", by=EVIL, refused=EVIL),
        Commanded(step=23, action=EVIL, id="c", by=EVIL),
        Spent(step=23, seconds={EVIL: 1.0}, cpu_seconds=1.0, machine={EVIL: 1.0}),
        Machine(step=23, cpu=10, memory=1000, processes=2, gpus=[gpu]),
        Sampled(step=24, samples=samples_there),
        Checkpointed(step=24, folder=f"checkpoints/{EVIL}", best=True, seconds=0.1),
        Retried(step=24, reason=EVIL, attempt=1, of=2, settings={EVIL: EVIL}),
        Resumed(from_step=24, total_steps=100, epoch_steps=20, exact=False, differences=[EVIL], from_seq=12),
        *([end] if status else []),
    ]


def record_planted(workspace: Path, number: int = 0, state: str = "failed", task: str = "toy") -> RunFolder:
    """A run as ``record_run`` makes one, of which only ids, states and kinds are what they should be."""
    run = record_run(workspace, number, state=state, task=task)
    planted = {
        "forked_from": {"id": EVIL, "step": 4, "sha256": EVIL, "changes": {EVIL: [EVIL, EVIL]},
                        "before": [{"id": EVIL, "step": 2}]},
        "name": EVIL, "reason": EVIL, "host": EVIL, "git": EVIL, "device": EVIL, "command": [EVIL], "metric": "val/mse",
        "components": {part: {"name": EVIL, "plugin": EVIL, "plugin_version": EVIL, "version": 1}
                       for part in ("model", "dataset", "loss", "trainer", "inference")},
        "versions": {EVIL: EVIL}, "identity": {"kind": EVIL, "model": EVIL, "count": 1, "driver": EVIL},
        "devices": [EVIL], "tags": [EVIL],
    }  # fmt: skip
    record = {**json.loads(run.record.read_text()), **planted}
    if record.get("result"):
        record["result"]["metrics"][f"val/{EVIL}"] = 0.5
    run.record.write_text(json.dumps(record))
    options = [f"[{section}]\nname = {_toml()}\npath = [{_toml()}]\n" for section in ("model", "dataset")]
    run.config.write_text("\n".join([f'task = "{task}"', *options]))
    ended = state if state in ("completed", "stopped", "failed") else ""
    found = evil_samples()
    refs = [SampleRef(kind=s.kind, name=EVIL, title=EVIL, file=_saved(s, run)) for s in found]
    refs.append(SampleRef(kind="text", name=EVIL, title=EVIL, file=f"samples/{_file_name()}"))
    events = evil_events(refs, ended)
    with run.events.open("w") as file:
        for i, event in enumerate(events):
            line = json.loads(to_json(dataclasses.replace(event, seq=i, time=1e9 + i / 10)))
            file.write(json.dumps(line) + "\n")
    run.output.write_bytes((EVIL + "\n").encode("utf-8", "surrogatepass"))
    order = {"action": "set", "key": EVIL, "value": EVIL, "id": "a", "by": EVIL, "time": 1e9}
    run.commands.write_text(json.dumps(order) + "\n")
    evaluation = {"split": EVIL, "step": 20, "checkpoint": EVIL, "metrics": {f"test/{EVIL}": 0.5}, "time": 1e9}
    run.evaluations.write_text(json.dumps(evaluation) + "\n")
    operator = {"name": EVIL, "calls": 1, "self_cpu": 0.1, "shapes": EVIL}
    profile = {"first": 1, "steps": 1, "seconds": 0.1, "device": EVIL, "torch": EVIL, "operators": [operator]}
    (run.path / "profile.json").write_text(json.dumps(profile))
    return run


def _toml() -> str:
    letters = "".join(f"\\u{ord(letter):04x}" for letter in WRITTEN)
    return f'"{letters}"'


def _file_name() -> str:
    """What a file system takes."""
    return f"{WRITTEN}.json"


def _saved(sample: Sample, run: RunFolder) -> str:
    return f"samples/{samples.save(sample, run.samples, sample.name)}"


def install_planted(site: Path) -> None:
    """Two plugins beside the toy: one that cannot be imported, and says so loudly, and one with loud summaries, of
    whose model another has the name and whose presets are broken, loudly."""
    for name, source in (("broken", f"raise RuntimeError({EVIL!r})"), ("loud", LOUD.format(evil=EVIL))):
        package = site / f"evil_{name}"
        (package / "presets").mkdir(parents=True)
        (package / "__init__.py").write_text(source)
        (package / "presets" / f"{WRITTEN}.toml").write_text(f"preset = 'odd'\n[{_toml()}]\n")
        install_metadata(site, f"dlkit-{name}", name, f"evil_{name}")
    invalidate_caches()


LOUD = """
from dlkit import DatasetSpec, InferenceSpec, LossSpec, ModelSpec, TaskSpec, hookimpl
EVIL = {evil!r}

@hookimpl
def dlkit_tasks():
    defaults = dict(dataset="loud", model="loud", loss="loud", trainer="supervised", inference="loud")
    return [TaskSpec(name="loud", title=EVIL, summary=EVIL, target="toy_options:ToyTask", defaults=defaults,
                     metric="val/mse", direction="min", presets="evil_loud:presets")]

@hookimpl
def dlkit_datasets():
    return [DatasetSpec(name="loud", task="loud", summary=EVIL, target="toy_parts:build_plane",
                        config="toy_options:PlaneConfig")]

@hookimpl
def dlkit_models():
    return [ModelSpec(name=name, task=task, summary=EVIL, target="toy_parts:build_linear")
            for name, task in (("loud", "loud"), ("linear", "toy"))]

@hookimpl
def dlkit_losses():
    return [LossSpec(name="loud", task="loud", summary=EVIL, target="toy_parts:build_mse")]

@hookimpl
def dlkit_inference():
    return [InferenceSpec(name="loud", task="loud", summary=EVIL, target="toy_parts:ValuesPredictor")]
"""

"""The whole way on real data, as a user goes it: train, kill -9, resume, evaluate, predict.

Lines asserted here are well below what the defaults reach (README, tests/benchmarks/): training is cut short.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.realdata
Realdata = Callable[[str], Path]


class Tool:
    """``dlkit`` as processes, in a workspace over the real data."""

    def __init__(self, workspace: Path, data: Path) -> None:
        workspace.mkdir()
        (workspace / "data").symlink_to(data)
        self.workspace = workspace

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "dlkit", *words, "--workspace", str(self.workspace)]

    def json(self, *words: str) -> Any:
        done = subprocess.run([*self.words(*words), "--json"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1] if words[0] in ("train", "resume") else done.stdout)

    def train_until_killed(self, *words: str, after: int) -> None:
        """kill -9 once a checkpoint exists and ``after`` steps are reported."""
        command = [*self.words("train", *words), "--json", "--offline", "--device", "cpu"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        checkpoints = step = 0
        for line in process.stdout:
            event = json.loads(line)
            assert event["event"] != "finished", event
            checkpoints += event["event"] == "checkpoint"
            step = max(step, event.get("first", 0) + event.get("count", 0))
            if checkpoints and step >= after:
                break
        process.kill()
        process.communicate()
        assert checkpoints, "ended before it was killed"


@pytest.fixture
def tool(tmp_path: Path, realdata: Realdata) -> Callable[[str], Tool]:
    return lambda name: Tool(tmp_path / "workspace", realdata(name).parent.resolve())


def finish(tool: Tool) -> dict[str, float]:
    """Resume what was killed; the best evaluation's metrics."""
    assert tool.json("show", "last")["state"] == "interrupted"
    finished = tool.json("resume", "last")
    assert finished["state"] == "completed"
    metrics: dict[str, float] = finished["metrics"]
    return metrics


@pytest.mark.parametrize(("model", "line"), [("mlp", 0.16), ("scratch-mlp", 0.22)])
def test_bike_sharing(tool: Callable[[str], Tool], model: str, line: float) -> None:
    bikes = tool("bike-sharing")
    words = ("regression", "--dataset", "bike-sharing", "--model", model, "--epochs", "8")
    bikes.train_until_killed(*words, "--engine.checkpoint-every", "0.1", after=200)
    assert finish(bikes)["val/mse"] <= line
    test = bikes.json("evaluate", "last")["metrics"]
    assert test["test/rmse"] < 100
    rows = (bikes.workspace / "data" / "bike-sharing" / "hour.csv").read_text().splitlines()
    (bikes.workspace / "rows.csv").write_text("\n".join([rows[0], *rows[5000:5003]]) + "\n")
    predictions = bikes.json("predict", "last", str(bikes.workspace / "rows.csv"))["predictions"]
    true = [float(row.split(",")[-1]) for row in rows[5000:5003]]
    assert np.allclose([p["prediction"] for p in predictions], true, atol=150)


def test_mnist(tool: Callable[[str], Tool]) -> None:
    mnist = tool("mnist")
    words = ("classification", "--dataset", "mnist", "--model", "mlp", "--epochs", "2")
    mnist.train_until_killed(*words, "--engine.checkpoint-every", "0.2", after=60)
    assert finish(mnist)["val/accuracy"] >= 0.95
    assert mnist.json("evaluate", "last")["metrics"]["test/accuracy"] >= 0.95
    raw = np.fromfile(mnist.workspace / "data/mnist/t10k-images-idx3-ubyte", np.uint8)[16 : 16 + 784 * 20]
    labels = np.fromfile(mnist.workspace / "data/mnist/t10k-labels-idx1-ubyte", np.uint8)[8:28]
    for i, image in enumerate(raw.reshape(-1, 28, 28)):
        Image.fromarray(image).save(mnist.workspace / f"{i:02}.png")
    files = sorted(str(path) for path in mnist.workspace.glob("*.png"))
    predictions = mnist.json("predict", "last", *files)["predictions"]
    assert sum(p["class"] == str(label) for p, label in zip(predictions, labels, strict=True)) >= 18


def test_cifar10(tool: Callable[[str], Tool]) -> None:
    cifar = tool("cifar10")
    words = ("classification", "--dataset", "cifar10", "--model", "resnet", "--preset", "fast")
    cifar.train_until_killed(*words, "--engine.checkpoint-every", "1", after=60)
    assert finish(cifar)["val/accuracy"] >= 0.65
    assert cifar.json("evaluate", "last")["metrics"]["test/accuracy"] >= 0.65
    record = np.fromfile(cifar.workspace / "data/cifar10/cifar-10-batches-bin/test_batch.bin", np.uint8)[:3073]
    picture = cifar.workspace / "picture.png"
    Image.fromarray(np.ascontiguousarray(record[1:].reshape(3, 32, 32).transpose(1, 2, 0))).save(picture)
    answer = cifar.json("predict", "last", str(picture))["predictions"][0]
    assert 0.0 <= answer["probability"] <= 1.0


def test_nothing_is_downloaded_offline(tmp_path: Path) -> None:
    environment = {**os.environ, "DLKIT_OFFLINE": "1"}
    words = [
        sys.executable,
        "-m",
        "dlkit",
        "train",
        "classification",
        "--dataset",
        "mnist",
        "--workspace",
        str(tmp_path),
    ]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 3
    assert "dlkit data get mnist" in done.stderr
    assert not list(tmp_path.iterdir())

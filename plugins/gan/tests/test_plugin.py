"""The plugin as a whole: light to list, trained, killed, resumed, measured, asked; and what it says of bad input."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import dlkit
from dlkit.cli.main import main
from dlkit.data.context import Context
from dlkit.engine.checkpoint import load_state, tensors_of
from dlkit.errors import DataError, UsageError
from dlkit.events import Started
from dlkit.runs import faults
from dlkit.runs.checkpoints import choose
from dlkit.runs.log import read_events
from dlkit.samples import Images
from dlkit_gan import judge, storage
from dlkit_gan.artist import between
from dlkit_gan.datasets import files
from dlkit_gan.options import FilesConfig

TINY: dict[str, Any] = {
    "model": {"name": "spectral", "width": 4, "latent": 8, "augment": ["translation"]},
    "dataset": {"name": "digits", "judged": 64},
    "engine": {"limit_batches": 4, "batch_size": 32, "ema": 0.9, "threads": 1, "eval_every": "1 epoch"},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dlkit.Run:
    return dlkit.train("gan", workspace=tmp_path_factory.mktemp("gan"), **TINY, epochs=2)


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    found = capsys.readouterr()
    return code, found.out, found.err


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_nothing_heavy_is_imported_to_list_it() -> None:
    code = "import sys, dlkit_gan.plugin as p; p.dlkit_tasks(); print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_what_is_measured(run: dlkit.Run) -> None:
    found = run.evaluate("test", checkpoint="last")
    assert set(found) == {f"test/{n}" for n in ("judge_frechet", "d_accuracy", "sure", "classes", "d_loss", "g_loss")}
    assert found["test/judge_frechet"] > 1 and 1 <= found["test/classes"] <= 10
    assert found == run.evaluate("test", checkpoint="last")
    steps, values = run.history("train/d_accuracy")
    assert steps == list(range(1, 9)) and all(0 <= value <= 1 for value in values)


def test_killed_and_resumed_it_is_as_if_never_killed(tmp_path: Path) -> None:
    """Both networks, both optimizers, the average, the latents: kill -9 where a checkpoint gets its name, in a process
    of its own."""
    how = {**TINY, "engine": {**TINY["engine"], "eval_every": "2 steps", "checkpoint_every": 0.01, "epochs": 4}}
    whole = dlkit.train("gan", workspace=tmp_path / "whole", **how)
    child = os.fork()
    if child == 0:
        faults._label, faults._left = "checkpoint.renamed", 2  # of a busy disk there may be no third
        try:
            dlkit.train("gan", workspace=tmp_path / "killed", **how)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (killed,) = dlkit.list_runs(tmp_path / "killed")
    assert killed.state == "interrupted"
    resumed = killed.resume()
    ends = [choose(found.path, "last") for found in (whole, resumed)]
    assert ends[0].step == 16
    assert ends[0].sha256 == ends[1].sha256
    states = [load_state(end) for end in ends]
    assert set(states[0]["trainer"]) == {"optimizers", "ema"} and len(states[0]["trainer"]["optimizers"]) == 2
    assert ends[0].manifest.files["state.safetensors"] == ends[1].manifest.files["state.safetensors"]
    for metric in ("train/d_loss", "train/g_loss", "val/judge_frechet"):
        assert whole.history(metric) == resumed.history(metric)


def test_evaluation_draws_with_the_averaged_generator(run: dlkit.Run) -> None:
    live = tensors_of(choose(run.path, "last"), "model.safetensors")
    loaded: Any = run.predictor("last").model
    averaged = load_state(choose(run.path, "last"))["averaged"]
    name = "generator.0.weight"
    assert torch.equal(loaded.state_dict()[name], averaged[name]) and not torch.equal(averaged[name], live[name])
    name = next(n for n in live if n.startswith("discriminator.") and n.endswith("original"))
    assert torch.equal(loaded.state_dict()[name], live[name])


class TestAsking:
    def test_a_seed_is_an_image(self, run: dlkit.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        place = ["--workspace", run.path.parent.parent]
        code, out, _ = told(capsys, "predict", run.id, "3", "8-9", "-o", tmp_path / "out", *place)
        assert code == 0 and all(seed in out for seed in "389")
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["seed-3.png", "seed-8.png", "seed-9.png"]
        pictures = [pixels(p) for p in sorted((tmp_path / "out").iterdir())]
        assert pictures[0].shape == (32, 32) and not np.array_equal(pictures[0], pictures[1])
        told(capsys, "predict", run.id, "9", "-o", tmp_path / "again", *place)
        assert np.array_equal(pixels(tmp_path / "again" / "seed-9.png"), pictures[2])

    def test_alone_or_among_others_it_is_the_same(self, run: dlkit.Run) -> None:
        predictor = run.predictor("last")
        (alone,) = predictor.predict([5])
        assert predictor.predict([4, 5])[1] == alone
        assert set(alone) == {"seed", "class", "sure"} and alone["class"] in set("0123456789")

    @pytest.mark.parametrize("word", ["seven", "-1", "9-3", "0-10000", "1.5", str(2**64)])
    def test_what_is_no_seed_is_named(self, run: dlkit.Run, word: str) -> None:
        with pytest.raises(UsageError, match=r"seed|range"):
            run.predictor("last").read([word])

    def test_samples_are_pictures(self, run: dlkit.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        words = ["sample", run.id, "-n", 5, "-o", tmp_path, "--workspace", run.path.parent.parent]
        code, out, _ = told(capsys, *words)
        assert code == 0
        assert pixels(tmp_path / "drawn.png").shape == (32, 5 * 33 - 1)
        singles = sorted(tmp_path.glob("drawn-*.png"))
        assert [p.name for p in singles] == [f"drawn-000{i}.png" for i in range(1, 6)]
        assert set(map(str, singles)) < set(out.splitlines())
        first = pixels(singles[0])
        told(capsys, *words)
        assert np.array_equal(pixels(singles[0]), first)
        told(capsys, *words, "--seed", 1)
        assert not np.array_equal(pixels(singles[0]), first)

    def test_pictures_of_different_steps_are_of_the_same_noise(self, run: dlkit.Run) -> None:
        """So that one sees what becomes of it: with equal weights they are equal."""
        predictor = run.predictor("last")
        drawn = [predictor.samples(4, np.random.default_rng(1), None) for _ in range(2)]
        assert [sample.name for sample in drawn[0]] == ["drawn", "walks"]
        for one, other in zip(*drawn, strict=True):
            assert isinstance(one, Images) and isinstance(other, Images)
            assert np.array_equal(one.images, other.images)

    def test_a_walk_ends_where_it_should(self) -> None:
        one, other = torch.randn(2, 50, generator=torch.Generator().manual_seed(0))
        way = between(one, other, 9)
        torch.testing.assert_close(way[0], one)
        torch.testing.assert_close(way[-1], other)
        lengths = way.norm(dim=1)
        assert float(lengths.min()) > 0.9 * float(min(one.norm(), other.norm()))


class TestFiles:
    def test_a_folder_of_images(self, photographs: Callable[..., Path], tmp_path: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr(judge, "_LEAST", 4)
        said: list[str] = []
        data = files.build(
            FilesConfig(path=str(photographs(40)), size=32), Context(tmp_path, offline=True, say=said.append)
        )
        assert {name: len(split) for name, split in data.splits.items()} == {"train": 32, "val": 4, "test": 4}
        assert data.info["shape"] == (3, 32, 32) and data.info["look"] == "turns"
        assert said and "judge" in said[0]
        image = data.train.take(torch.arange(3))["image"]
        assert image.shape == (3, 3, 32, 32) and -1 <= float(image.min()) < float(image.max()) <= 1

    def test_the_judge_is_learnt_once(
        self, photographs: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(judge, "_LEAST", 4)
        layer = {"dataset": {"name": "files", "path": str(photographs(40)), "size": 28, "judged": 64}}
        run = dlkit.train("gan", workspace=tmp_path, **{**TINY, **layer}, epochs=1)
        monkeypatch.setattr(storage, "of_turns", lambda images: pytest.fail("learnt again"))
        assert run.resume(epochs=2).state == "completed"
        assert "val/sure" not in run.metrics and "val/judge_frechet" in run.metrics
        assert run.predictor().predict([1]) == [{"seed": 1}]

    @pytest.mark.parametrize(
        ("folder", "words"),
        [("empty", "holds no images"), ("nowhere", "no such folder"), ("small", "28x28"), ("broken", "cannot be read")],
    )
    def test_a_bad_folder_is_named(
        self, folder: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "empty").mkdir()
        for name, side in (("small", 20), ("broken", 30)):
            (tmp_path / name).mkdir()
            for i in range(30):
                Image.new("RGB", (side, side)).save(tmp_path / name / f"{i}.png")
        (tmp_path / "broken" / "x.png").write_bytes(b"no image")
        words_given = ["--dataset", "files", "--dataset.path", tmp_path / folder, "--dataset.size", 28]
        code, _, err = told(capsys, "train", "gan", *words_given, "--workspace", tmp_path / "ws")
        assert code == 3 and words in err and str(tmp_path / folder) in err
        assert not (tmp_path / "ws" / "runs").exists()

    def test_another_size_is_named(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, _, err = told(capsys, "train", "gan", "--dataset.size", 48, "--workspace", tmp_path)
        assert code == 2 and "28, 32, 64" in err and "48" in err

    def test_too_few_images(self, photographs: Callable[..., Path], context: Context) -> None:
        with pytest.raises(DataError, match="too few"):
            files.build(FilesConfig(path=str(photographs(3)), size=32), context)


class TestWatching:
    def test_both_losses_are_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        small = ["--dataset.judged", 64, "--model.width", 4, "--limit-batches", 2]
        words = [*small, "--epochs", 1, "--workspace", tmp_path]
        code, out, err = told(capsys, "train", "gan", *words)
        assert code == 0 and "train/d_loss" in err and "train/g_loss" in err and "val/judge_frechet" in out + err

    def test_layers_are_shown_as_what_they_are(self, run: dlkit.Run) -> None:
        """A weight's normalisation is part of its layer."""
        (started,) = (event for event in read_events(run.path / "events.jsonl") if isinstance(event, Started))
        layers = {layer["name"]: layer for layer in started.summary["model"]["layers"]}
        first = layers["discriminator.1"]  # after the augmentation
        assert (first["type"], first["output"], first["parameters"]) == ("Conv2d", [4, 16, 16], 4 * 16 + 4)
        assert not any("parametrizations" in name for name in layers)


@pytest.mark.realdata
def test_a_minute_of_mnist(real: Path, tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to(real)
    run = dlkit.train(
        "gan", dataset="mnist", max_time=55, workspace=tmp_path, offline=True, engine={"eval_every": "end"}
    )
    found = run.evaluate("val", checkpoint="last")
    assert found["val/classes"] == 10 and found["val/sure"] > 0.3
    assert found["val/judge_frechet"] < 15


@pytest.mark.realdata
def test_faces(real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "_MOST", 30)
    (tmp_path / "data").symlink_to(real)
    engine = {"limit_batches": 3, "eval_every": "end"}
    run = dlkit.train("gan", dataset="lfwcrop", epochs=1, workspace=tmp_path, offline=True, engine=engine)
    assert run.metrics["val/judge_frechet"] > 0
    (drawn, _) = run.predictor().samples(3, np.random.default_rng(0), None)
    assert isinstance(drawn, Images) and drawn.images.shape == (3, 64, 64, 3)

"""The plugin as a whole: light to list, painted, killed, resumed, asked, copied; and what it says of bad input."""

from __future__ import annotations

import json
import os
import shutil
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
from safetensors.torch import save_file

import dlkit
from dlkit.cli.main import main
from dlkit.engine.checkpoint import Snapshot, load_state, tensors_of
from dlkit.engine.checkpoint_writer import Writer
from dlkit.errors import DataError, UsageError
from dlkit.runs import faults
from dlkit.runs.checkpoints import choose
from dlkit.samples import Images, Table
from dlkit_style import networks
from dlkit_style.gallery import shown

TINY: dict[str, Any] = {
    "dataset": {"size": 64},
    "model": {"name": "squeezenet", "style_layers": ["relu1", "fire2:0.5"], "content_layers": ["fire3"], "levels": 2},
    "engine": {"steps": 8, "threads": 1, "eval_every": "4 steps", "sample_every": "end"},
    "trainer": {"history": 3},
}
"""A picture in a second."""


def how(**changes: Any) -> dict[str, Any]:
    """``TINY`` with some sections changed."""
    return {**TINY, **{name: {**TINY.get(name, {}), **section} for name, section in changes.items()}}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dlkit.Run:
    return dlkit.train("style", workspace=tmp_path_factory.mktemp("style"), **TINY)


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    found = capsys.readouterr()
    return code, found.out, found.err


def picture(run: dlkit.Run) -> np.ndarray:
    """The picture of the last checkpoint, uint8 [H,W,3]."""
    model: Any = run.predictor("last").model
    return shown(model.image())


def test_nothing_heavy_is_imported_to_list_it() -> None:
    code = "import sys, dlkit_style.plugin as p; p.dlkit_tasks(); print({'torch', 'numpy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_what_is_measured(run: dlkit.Run) -> None:
    steps, losses = run.history("val/loss")
    assert steps == [4, 8] and losses[1] < losses[0]
    parts = [run.history(f"train/style_loss/{layer}")[1] for layer in ("relu1", "fire2")]
    whole = run.history("train/style_loss")[1]
    assert [sum(step) for step in zip(*parts, strict=True)] == pytest.approx(whole, rel=1e-5)
    assert run.history("val/changed")[1][-1] > 0
    assert run.evaluate("test", checkpoint="last")["test/loss"] == pytest.approx(losses[1], rel=1e-4)


def test_the_network_stays_as_it_is(run: dlkit.Run) -> None:
    """Its weights are those that were drawn, and none of what the optimizer keeps is of their form."""
    first, last = (tensors_of(choose(run.path, which), "model.safetensors") for which in ("4", "last"))
    moved = {name for name in last if not torch.equal(first[name], last[name])}
    assert moved == {"pixels.1", "level"} and set(last) == {"pixels.0", "pixels.1", "level"}
    (_, state) = load_state(choose(run.path, "last"))["trainer"]["optimizers"]
    assert {len(step) for step in state["state"][0]["old_dirs"]} == {3 * 43 * 64}


@pytest.mark.parametrize("options", [{"optimizer": "lbfgs"}, {"optimizer": "adam"}, {"line_search": True}])
def test_killed_and_resumed_it_is_as_if_never_killed(tmp_path: Path, options: dict[str, Any]) -> None:
    """What L-BFGS remembers and the level too: kill -9 where a checkpoint gets its name, in a process of its own."""
    settings = how(trainer=options, engine={"eval_every": "1 steps", "checkpoint_every": 0.01})
    whole = dlkit.train("style", workspace=tmp_path / "whole", **settings)
    child = os.fork()
    if child == 0:
        faults._label, faults._left = "checkpoint.renamed", 3
        submit = Writer.submit

        def written_at_once(writer: Writer, shot: Snapshot) -> None:
            submit(writer, shot)
            assert writer._thread is not None
            writer._thread.join()  # else a busy disk has most of them skipped, and there is no third

        Writer.submit = written_at_once  # type: ignore[method-assign]
        try:
            dlkit.train("style", workspace=tmp_path / "killed", **settings)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (killed,) = dlkit.list_runs(tmp_path / "killed")
    assert killed.state == "interrupted"
    resumed = killed.resume()
    ends = [choose(found.path, "last") for found in (whole, resumed)]
    assert ends[0].step == 8 and ends[0].sha256 == ends[1].sha256
    assert ends[0].manifest.files["state.safetensors"] == ends[1].manifest.files["state.safetensors"]
    for metric in ("train/loss", "val/style_loss"):
        assert whole.history(metric) == resumed.history(metric)


def test_another_picture_is_painted_by_the_same_recipe(run: dlkit.Run, tmp_path: Path) -> None:
    """Of the run's own content comes the run's own picture, bit for bit; of the other photograph, what a run of that
    comes to."""
    from dlkit_style.datasets.photographs import photograph

    painter = run.predictor("last")
    torch.set_num_threads(1)
    for name in ("china", "flower"):
        file = tmp_path / f"{name}.png"
        photograph(name).image.save(file)
        (answer,) = painter(str(file))
        alone = (
            run
            if name == "china"
            else dlkit.train(
                "style", workspace=tmp_path, **how(dataset={"name": "photographs", "content": name, "style": "flower"})
            )
        )
        assert np.array_equal(np.asarray(painter.draw(str(file), answer)), picture(alone))
        assert answer["loss"] == alone.history("train/loss")[1][-1]


def test_asked_it_says_how_far_it_is_and_writes_the_picture(
    run: dlkit.Run, pictures: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = pictures("waves.png", (96, 128))
    code, out, _ = told(capsys, "predict", run.path, file, "--inference.size", 80, "-o", tmp_path / "out", "--json")
    assert code == 0
    (answer,) = json.loads(out)["predictions"]
    assert (answer["width"], answer["height"], answer["steps"]) == (60, 80, 8)
    with Image.open(answer["picture"]) as image:
        assert image.size == (60, 80)


def test_a_copied_folder_needs_neither_weights_nor_pictures(
    tmp_path: Path, pictures: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    weights, content, style = tmp_path / "net.safetensors", pictures("content.png"), pictures("style.png")
    save_file(networks.squeezenet("random").state_dict(), weights)
    files = {"name": "files", "content": str(content), "style": [str(style)], "size": 64}
    run = dlkit.train("style", workspace=tmp_path / "a", **how(dataset=files, model={"weights": str(weights)}))
    before = picture(run)
    (tmp_path / "b" / "runs").mkdir(parents=True)
    copied = tmp_path / "b" / "runs" / run.path.name
    shutil.copytree(run.path, copied)
    shutil.rmtree(tmp_path / "a")
    for file in (weights, content, style):
        file.unlink()
    (again,) = dlkit.list_runs(tmp_path / "b")
    assert told(capsys, "sample", copied, "-o", tmp_path / "out")[0] == 0
    with Image.open(tmp_path / "out" / "picture.png") as image:
        best: Any = again.predictor("best").model
        assert np.array_equal(np.asarray(image), shown(best.image()))
    assert np.array_equal(picture(again), before)
    code, _, said = told(capsys, "predict", copied, pictures("other.png"), "-o", tmp_path / "out")
    assert code == 0, said


def test_resumed_without_the_file_of_weights(tmp_path: Path) -> None:
    weights = tmp_path / "net.safetensors"
    save_file(networks.squeezenet("random").state_dict(), weights)
    settings = how(model={"weights": str(weights)})
    whole = dlkit.train("style", workspace=tmp_path / "whole", **settings)
    settings["engine"]["steps"] = 4
    run = dlkit.train("style", workspace=tmp_path / "a", **{**settings, "model": {**settings["model"], "levels": 1}})
    weights.unlink()
    assert run.resume(steps=8).state == "completed"
    assert whole.state == "completed"


def test_its_samples(run: dlkit.Run) -> None:
    found = run.predictor("last").samples(1, np.random.default_rng(0), None)
    made = {sample.name: sample for sample in found}
    assert set(made) == {"picture", "beside", "losses"}
    one, three, losses = made["picture"], made["beside"], made["losses"]
    assert isinstance(one, Images) and isinstance(three, Images) and isinstance(losses, Table)
    assert one.images.shape == (1, 43, 64, 3) and three.images.shape == (3, 43, 64, 3)
    assert list(three.captions) == ["content", "style: flower", "picture"]
    assert [row[:2] for row in losses.rows] == [["content", "fire3"], ["style", "relu1"], ["style", "fire2"]]


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"model": {"style_layers": ["fire22"]}}, UsageError, "model.style_layers: no layer 'fire22': .*fire2"),
        ({"model": {"content_layers": ["fire2:0"]}}, UsageError, "no layer counts anything"),
        ({"model": {"style_layers": ["fire2", "fire2:3"]}}, UsageError, "layer fire2 stands there twice"),
        (
            {"dataset": {"size": 20}, "model": {"style_layers": ["fire9"]}},
            UsageError,
            "too small for the layers .*fire9",
        ),
        ({"model": {"levels": 8}}, UsageError, "the coarsest of 8 levels.*fewer levels"),
        ({"dataset": {"style_size": 3}}, UsageError, "styles of .* are too small .*--dataset.style_size"),
        (
            {"dataset": {"name": "files", "content": "/nowhere.png", "style": ["/a.png"]}},
            DataError,
            "/nowhere.png: no such",
        ),
        ({"model": {"weights": "vgg"}}, UsageError, "model.weights = 'vgg' is none of random, imagenet"),
        ({"model": {"weights": "/nowhere.safetensors"}}, DataError, "/nowhere.safetensors: not a readable"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, changes: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        dlkit.train("style", workspace=tmp_path, **how(**changes))
    assert not (tmp_path / "runs").exists()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_file(networks.squeezenet("random").state_dict(), tmp_path / "net.safetensors")
    model = {"name": "vgg19", "weights": str(tmp_path / "net.safetensors")}
    with pytest.raises(DataError, match="holds the weights of another network"):
        dlkit.train("style", workspace=tmp_path, dataset={"size": 64}, model=model, engine={"steps": 1})


def test_what_styles_count_is_one_number_each(tmp_path: Path, pictures: Callable[..., Path]) -> None:
    styles = [str(pictures(name)) for name in ("a.png", "b.png")]
    files: dict[str, Any] = {"name": "files", "content": styles[0], "style": styles, "size": 64}
    for blend, message in (([1.0], "1 numbers for 2 styles"), ([0.0, 0.0], "no style counts anything")):
        with pytest.raises(UsageError, match=message):
            dlkit.train("style", workspace=tmp_path, **how(dataset={**files, "blend": blend}))


def test_small_pictures_are_enlarged_and_it_is_said(
    tmp_path: Path, pictures: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    content, style = pictures("content.png", (50, 40)), pictures("style.png", (50, 40))
    words = ["--dataset", "files", "--dataset.content", content, "--dataset.style", style, "--dataset.size", 64]
    code, _, said = told(
        capsys, "train", "style", "--workspace", tmp_path, *words, "--model", "squeezenet", "--steps", 1
    )
    assert code == 0
    assert "content.png has 50 pixels on its longer side: it is enlarged to 64 (dataset.size)" in said

"""The plugin as a whole: light to list, sound to resolve; trained, killed, resumed, evaluated end to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import dlkit
from dlkit.catalog import Catalog
from dlkit.config import Layer, resolve
from dlkit.engine.checkpoint import load_state
from dlkit.errors import UsageError
from dlkit.runs import faults
from dlkit.runs.checkpoints import choose

TASK = "autoencoder"
MODELS = ["linear", "deep", "convolutional", "denoising", "variational"]
SMALL: dict[str, Any] = {"code": 4, "width": 8, "stem": 4, "hidden": 16, "blocks": 0}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.load_everything()


def test_listing_imports_no_torch() -> None:
    code = (
        "import sys; import dlkit_autoencoder.plugin as p; assert not {'pydantic', 'numpy'} & set(sys.modules);"
        "import dlkit_autoencoder.task, dlkit_autoencoder.options;"
        "heavy = {'torch', 'sklearn', 'PIL'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize("dataset", ["digits", "mnist", "lfwcrop", "files"])
@pytest.mark.parametrize("model", MODELS)
def test_defaults_resolve_for_every_pair(dataset: str, model: str, catalog: Catalog) -> None:
    options = {"name": dataset, "path": "photos"} if dataset == "files" else {"name": dataset}
    resolved = resolve(catalog, TASK, [Layer("flag", {"dataset": options, "model": {"name": model}})])
    variational = model == "variational"
    assert resolved.specs["loss"].name == ("elbo" if variational else "mse")
    assert resolved.specs["trainer"].name == ("variational" if variational else "supervised")
    trainer: Any = resolved.sections["trainer"]
    assert trainer.schedule != "constant"


@pytest.mark.parametrize(
    ("mixed", "match"),
    [
        ({"model": "convolutional", "loss": "elbo"}, r"losses that fit model 'convolutional' .*: cross-entropy, mse"),
        ({"model": "variational", "loss": "mse"}, r"losses that fit model 'variational' .*: elbo"),
        ({"model": "variational", "trainer": "supervised"}, r"trainers that fit model 'variational' .*: variational"),
        ({"model": "deep", "trainer": "variational"}, r"models that fit trainer 'variational' .*: variational"),
    ],
)
def test_mixes_that_do_not_train_are_refused(mixed: dict[str, str], match: str, catalog: Catalog) -> None:
    layer = Layer("flag", {part: {"name": name} for part, name in mixed.items()})
    with pytest.raises(UsageError, match=match):
        resolve(catalog, TASK, [layer])


def train(
    root: Path, workspace: Path, model: str, beta: float = 1.0, prior_warmup: float = 0.1, **engine: Any
) -> dlkit.Run:
    own = {"loss": {"beta": beta}} if model == "variational" else {}
    slowly = {"prior_warmup": prior_warmup} if model == "variational" else {}
    sizes: dict[str, Any] = {"linear": {"code": 4}, "deep": {"code": 4, "hidden": [16]}}
    return dlkit.train(
        TASK,
        dataset={"name": "files", "path": str(root), "size": 16},
        model={"name": model, **sizes.get(model, SMALL)},
        trainer={"optimizer": "adamw", "lr": 0.01, "schedule": "constant", "warmup": 0.0, **slowly},
        engine={"threads": 1, "sample_every": "end", "eval_every": "2 epochs"},
        **{"epochs": 4, "batch_size": 8, "device": "cpu", "precision": "float32", **engine},
        workspace=workspace,
        **own,
    )


@pytest.mark.parametrize("model", MODELS)
def test_trained_and_evaluated(model: str, discs: Callable[..., Path], tmp_path: Path) -> None:
    run = train(discs(count=50), tmp_path, model)
    assert run.state == "completed"
    steps, errors = run.history("val/mse")
    assert len(steps) == 2 and run.metrics["val/mse"] == min(errors) < 0.2
    assert run.metrics["val/compression_ratio"] == 192
    extra = {
        "denoising": {"val/psnr_corrupted", "val/psnr_restored"},
        "variational": {"val/reconstruction", "val/kl"},
    }.get(model, set())
    extra |= {"val/pca_mse"} if model == "linear" else set()  # of images of one's own, where it is the optimum
    assert run.metrics.keys() == {f"val/{name}" for name in ("loss", "mse", "psnr", "compression_ratio")} | extra
    test = run.evaluate("test")
    assert test["test/mse"] < 0.2 and run.evaluate("test") == test


def test_the_divergence_comes_in_slowly(discs: Callable[..., Path], tmp_path: Path) -> None:
    run = train(discs(count=50), tmp_path, "variational", beta=0.5, prior_warmup=0.5)
    loss, reconstruction, kl = (np.array(run.history(f"train/{name}")[1]) for name in ("loss", "reconstruction", "kl"))
    assert len(kl) == 20 and (kl > 0.01).all()
    expected = 0.5 * np.minimum(1, np.arange(1, 21) / 10)
    assert loss == pytest.approx(reconstruction + expected * kl, rel=1e-5)
    assert float((0.1 * kl / loss).max()) > 1e-4  # a share that is wrong would be seen


@pytest.mark.parametrize("model", ["denoising", "variational"])
def test_killed_and_resumed_it_is_as_if_never_stopped(model: str, discs: Callable[..., Path], tmp_path: Path) -> None:
    """kill -9 while a checkpoint is being written, in a process of its own; what is drawn goes on where it was."""
    root = discs(count=50)
    whole = train(root, tmp_path / "one", model)
    child = os.fork()
    if child == 0:
        faults._label, faults._left = "checkpoint.written", 2
        try:
            train(root, tmp_path / "two", model)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    (part,) = dlkit.list_runs(tmp_path / "two")
    assert part.state == "interrupted"
    part.resume()
    one, two = (load_state(choose(run.path, "last"))["trainer"] for run in (whole, part))
    flat_one, flat_two = list(tensors(one)), list(tensors(two))
    assert len(flat_one) == len(flat_two) > 10
    assert all(torch.equal(a, b) for a, b in zip(flat_one, flat_two, strict=True))
    assert whole.metrics == part.metrics and whole.history("train/loss") == part.history("train/loss")


def tensors(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, dict):
        for key in sorted(tree, key=str):
            yield from tensors(tree[key])
    elif isinstance(tree, list):
        for value in tree:
            yield from tensors(value)

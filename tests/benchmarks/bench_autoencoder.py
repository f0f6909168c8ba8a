"""Autoencoders on MNIST with their recipes, each to its end; selected on validation, tested once.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_autoencoder.py [MODEL …] [--seconds 180] [--seed 0]

Prints the rows of the plugin README's table, beside PCA of as many components fitted on the same training images, what
``dlkit compare`` says of the runs, what a code file's rounding costs, and how sure a classifier of digits is of images
that the variational one draws: trained on MNIST, and by ``dlkit train autoencoder`` on the embedded digits. With
``--keep DIR`` the runs stay there, and those that are there already are not made again.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

import dlkit
from common import data_folder, workspace
from dlkit.catalog import Catalog
from dlkit.cli.main import main as command
from dlkit.data.context import make_context
from dlkit.data.splits import Data
from dlkit.events import Finished, Started
from dlkit.runs.folder import RunFolder
from dlkit.runs.log import read_events
from dlkit.use.load import load_predictor
from dlkit_autoencoder.codes import rounded
from dlkit_autoencoder.datasets.digits import build_mnist
from dlkit_autoencoder.metrics import psnr
from dlkit_autoencoder.options import DigitsConfig

MODELS = ("linear", "deep", "convolutional", "denoising", "variational")
CODE = 32
DEFAULT = "default"
"""Name of the run without any option, on the embedded digits."""
LINES = {"linear": 1.005, "convolutional": 0.2}
"""What the test's mean squared error must not exceed, as multiples of PCA's."""
NEW = 1000
SURE, SHARE = 0.9, 0.8
"""Of as many new images the classifier is to be surer than SURE of a SHARE at least."""


def trained(where: Path, name: str, **options: Any) -> dlkit.Run:
    """A run of that name, made unless it is there."""
    for run in dlkit.list_runs(where):
        if (run.summary.name, run.state) == (name, "completed"):
            return run
    return dlkit.train("autoencoder", **options, name=name, workspace=where, offline=True)


def images(data: Data, split: str) -> torch.Tensor:
    """A split's images, float32 [N,1,H,W] in [0, 1]."""
    found = data.splits[split]
    return found.take(torch.arange(len(found)))["image"]


def pca_errors(data: Data, components: int) -> dict[str, float]:
    """Mean squared errors of the projection on principal components of the training images, by split."""
    from sklearn.decomposition import PCA

    flat = {split: images(data, split).flatten(1).numpy() for split in ("train", "val", "test")}
    pca = PCA(components, svd_solver="covariance_eigh").fit(flat["train"])
    return {
        split: float(np.square(pca.inverse_transform(pca.transform(values)) - values).mean(dtype=np.float64))
        for split, values in flat.items()
    }


def described(run: dlkit.Run, test: Mapping[str, float], pca: Mapping[str, float]) -> list[str]:
    """A run's row of the table."""
    events = read_events(run.path / "events.jsonl")
    (size,) = (event.summary["model"]["parameters"] for event in events if isinstance(event, Started))
    (end,) = (event for event in events if isinstance(event, Finished))
    code = round(28 * 28 / run.metrics["val/compression_ratio"])
    cells = [run.summary.name, str(code), f"{size:,}", f"{end.train_seconds:.0f}"]
    for values, split in ((run.metrics, "val"), (test, "test")):
        error = values[f"{split}/mse"]
        cells += [f"{error:.6f}", f"{error / pca[split]:.4f}", f"{values[f'{split}/psnr']:.2f}"]
    return cells


def row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rounding(run: dlkit.Run, test: torch.Tensor) -> str:
    """What 8 and 16 bits a number cost on the test images, in dB."""
    predictor: Any = load_predictor(Catalog.load_everything(), run.folder).predictor
    codes = torch.cat([predictor.forward(part)["code"] for part in torch.split(test, 500)])

    def decibels(numbers: torch.Tensor) -> float:
        return psnr(float((predictor.decoded(numbers) - test).square().double().mean()))

    def cost(bits: Literal[8, 16]) -> float:
        return exact - decibels(torch.from_numpy(np.stack([rounded(code, bits) for code in codes.numpy()])))

    exact = decibels(codes)
    return f"{run.summary.name}: PSNR {exact:.2f} dB; 8 bits cost {cost(8):.4f} dB, 16 bits {cost(16):.4f} dB"


def judged(folder: RunFolder) -> str:
    """How sure the classifier is of new images, and how many there are of each class it is sure of."""
    from dlkit_gan.judge import of_digits, prepared, restored

    judge = restored(of_digits(), 1, 10)
    predictor: Any = load_predictor(Catalog.load_everything(), folder).predictor
    noise = np.random.default_rng(0).standard_normal((NEW, predictor.model.prior), np.float32)
    with torch.no_grad():
        made = predictor.decoded(predictor.model.new_codes(torch.from_numpy(noise)))
        logits = torch.cat([judge(prepared(2 * part - 1, "digits")) for part in torch.split(made, 250)])
    sure, label = logits.softmax(1).max(1)
    share = float((sure > SURE).float().mean())
    counts = torch.bincount(label[sure > SURE], minlength=10).tolist()
    verdict = "reached" if share >= SHARE and min(counts) else "MISSED"
    return f"surer than {SURE:.0%} of {share:.1%} (≥ {SHARE:.0%}), by class {counts}: {verdict}"


def compare(where: Path, models: list[str], seconds: float, seed: int) -> None:
    data = build_mnist(DigitsConfig(), make_context(Catalog.load_everything(), where, offline=True))
    pca = pca_errors(data, CODE)
    print_head(pca)
    runs: dict[str, dlkit.Run] = {}
    tests: dict[str, Mapping[str, float]] = {}
    for model in models:
        run = trained(where, model, dataset="mnist", model=model, seed=seed, max_time=seconds)
        if run.state != "completed":
            sys.exit(f"{run.id} was {run.state}: the comparison is off")
        runs[model], tests[model] = run, run.evaluate("test")
        print(row(described(run, tests[model], pca)), flush=True)
    if len(runs) > 1:
        command(["compare", *(run.id for run in runs.values()), "--workspace", str(where)])
    for model, line in LINES.items():
        if model in tests:
            ratio = tests[model]["test/mse"] / pca["test"]
            print(f"{model}: {ratio:.4f} × PCA's (≤ {line}): {'reached' if ratio <= line else 'MISSED'}")
    for run in runs.values():
        print(rounding(run, images(data, "test")))
    if "denoising" in tests:
        before, after = (tests["denoising"][f"test/psnr_{name}"] for name in ("corrupted", "restored"))
        print(f"denoising, test: {before:.2f} dB corrupted, {after:.2f} dB restored")
    if "variational" in runs:
        print(f"new images, variational on MNIST: {judged(runs['variational'].folder)}")
        default = trained(where, DEFAULT, seed=seed)
        print(f"new images, dlkit train autoencoder ({default.summary.seconds:.0f} s): {judged(default.folder)}")


def print_head(pca: Mapping[str, float]) -> None:
    """The table's head, and PCA's row."""
    head = ["model", "code", "parameters", "seconds"]
    cells = [f"PCA, {CODE} components", str(CODE), "", ""]
    for split in ("val", "test"):
        head += [f"{split} MSE", "× PCA's", "PSNR"]
        cells += [f"{pca[split]:.6f}", "1", f"{psnr(pca[split]):.2f}"]
    print(row(head), row(["---"] * len(head)), row(cells), sep="\n", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="workspace to use, in place of a throw-away one")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        if not (options.keep / "data").exists():
            (options.keep / "data").symlink_to(data_folder().resolve())
    with nullcontext(options.keep) if options.keep else workspace() as where:
        compare(where, options.models, options.seconds, options.seed)


if __name__ == "__main__":
    main()

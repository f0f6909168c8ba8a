"""The gan plugin against DCGAN as published, against a bare loop, and its default run.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_gan.py distance [--seconds 600] [--seeds 0 1 2] [--keep DIR]
    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_gan.py faces [--seconds 1200] [--width 32] [--keep DIR]
    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_gan.py speed [--rounds 3] [--dataset lfwcrop --width 64]
    uv run python tests/benchmarks/bench_gan.py default

``distance``: MNIST, 32×32; for each seed DCGAN as published and the default recipe, for equal seconds of training; then
the last checkpoint's distance, 10,000 drawn images (by the averaged generator, where one is kept) against the 10,000 of
the test, over the features of the plugin's judge. The floor is that of 10,000 training images.

``faces``: the default recipe on LFWcrop, 64×64, for so many seconds of training; the last checkpoint on test.

``speed``: images per second of DCGAN's training step through the engine and in a loop written by hand, in the order
A B B A, on the GPU where there is one. ``default``: what the judge says of 1,000 images drawn by ``dlkit train gan`` as
it comes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import dlkit
from common import attempt, data_folder, interleaved, spread, workspace
from dlkit.data.context import Context
from dlkit.data.digits import digit_parts
from dlkit.data.known import LFWCROP, MNIST
from dlkit.data.options import ImageFiles
from dlkit.data.randomness import rng
from dlkit.data.unlabelled import Pixels, folder, sized
from dlkit.engine.device import choose_autocast, choose_device
from dlkit.events import Finished
from dlkit_gan.dcgan import build
from dlkit_gan.judge import Moments, frechet, of_digits, prepared, restored
from dlkit_gan.metrics import SURE
from dlkit_gan.options import DcganConfig

COUNT = 10_000
BATCH = 128
RECIPES: dict[str, dict[str, Any]] = {
    "published": {"model": "dcgan", "epochs": 1000},
    "default": {"epochs": 1000},  # the clock ends both
}


def distance(options: argparse.Namespace) -> None:
    with nullcontext(options.keep) if options.keep else workspace() as where:
        print(f"floor, {COUNT:,} training images against the test: {floor():.3f}", flush=True)
        found: dict[str, list[float]] = {name: [] for name in RECIPES}
        for seed in options.seeds:
            for name, recipe in RECIPES.items():
                run = trained(Path(where), f"{name}-{seed}", recipe, seed, options.seconds)
                measured = run.evaluate("test", checkpoint="last")
                found[name].append(measured["test/judge_frechet"])
                print(f"{name:<10} seed {seed}: {told(run, measured)}", flush=True)
        medians = {name: statistics.median(values) for name, values in found.items()}
        print(", ".join(f"{name}: median {value:.3f}" for name, value in medians.items()))
        print(f"ratio {medians['default'] / medians['published']:.3f} (at most 0.5)")


def faces(options: argparse.Namespace) -> None:
    with nullcontext(options.keep) if options.keep else workspace() as where:
        recipe = {"dataset": "lfwcrop", "model": {"width": options.width}, "epochs": 1000}
        run = trained(Path(where), f"faces-{options.width}", recipe, 0, options.seconds)
        print(told(run, run.evaluate("test", checkpoint="last")))
        if options.keep:
            print(run.path)  # for .readme/pictures.py


def trained(where: Path, name: str, recipe: dict[str, Any], seed: int, seconds: float) -> dlkit.Run:
    """A run of that name, made unless it is there."""
    kept = [run for run in dlkit.list_runs(where) if (run.summary.name, run.state) == (name, "completed")]
    if kept:
        return kept[0]
    engine = {"eval_every": "end", "sample_every": "end"}
    dataset = {"name": "mnist", "judged": COUNT}
    how = {"dataset": dataset, "workspace": where, "seed": seed, "max_time": seconds, "name": name, "engine": engine}
    return dlkit.train("gan", **{**how, **recipe}, offline=True)


def told(run: dlkit.Run, measured: dict[str, float]) -> str:
    """What it came to, in how many steps and seconds of training."""
    from dlkit.runs.log import read_events

    (end,) = (event for event in read_events(run.path / "events.jsonl") if isinstance(event, Finished))
    values = "  ".join(f"{name.removeprefix('test/')} {value:.3f}" for name, value in measured.items())
    return f"{end.steps} steps in {end.train_seconds:.0f} s; {values}"


def floor() -> float:
    """The distance of COUNT training images, every so many-th, to the test's."""
    parts = digit_parts("mnist", Context(data_folder(), {"mnist": MNIST}, offline=True))
    judge, moments = restored(of_digits(), 1, 10), []
    for images in (parts["train"].images[:: len(parts["train"]) // COUNT][:COUNT], parts["test"].images):
        moments.append(Moments())
        for some in torch.from_numpy(sized(images, 32)[:, None]).split(500):
            moments[-1].update(judge.features(prepared(some, "digits")))
    return frechet(*moments)


def speed(options: argparse.Namespace) -> None:
    with workspace() as where:
        ours, bare = interleaved(lambda: engine_seconds(where, options), lambda: bare_seconds(options), options.rounds)
    rates = [BATCH * options.steps / statistics.median(seconds) for seconds in (ours, bare)]
    print(f"on {choose_device('auto')}, {options.dataset}, width {options.width}, batch {BATCH}")
    print(f"engine {rates[0]:.0f} images/s, bare loop {rates[1]:.0f} images/s; equal runs differ by {spread(bare):.1%}")
    print(f"ratio {rates[0] / rates[1]:.3f} (at least 0.98)")


def engine_seconds(where: Path, options: argparse.Namespace) -> float:
    engine = {"eval_every": "never", "sample_every": "never", "steps": options.steps, "probe_every": 0}
    dataset = {"name": options.dataset} | ({"flip": False} if options.dataset == "lfwcrop" else {})
    values = {
        "dataset": dataset,
        "model": {"name": "dcgan", "width": options.width},
        "engine": {**engine, "batch_size": BATCH},
    }
    ends = [event for event in attempt(where, "gan", values).events() if isinstance(event, Finished)]
    return ends[0].train_seconds


def bare_seconds(options: argparse.Namespace) -> float:
    """The loop of the published recipe, by hand, with the same networks, layout and precision."""
    device, engine = choose_device("auto"), SimpleNamespace(precision="auto")
    images = device.put(torch.from_numpy(training_images(options.dataset)))
    model: Any = device.place(build(DcganConfig(width=options.width), SimpleNamespace(shape=images.shape[1:])))
    dtype = choose_autocast(engine, device, model, True)  # type: ignore[arg-type]
    optimizers = [
        torch.optim.Adam(part.parameters(), 2e-4, (0.5, 0.999), fused=True)
        for part in (model.discriminator, model.generator)
    ]
    epochs = -(-options.steps * BATCH // len(images))
    order = torch.cat([torch.from_numpy(rng(0, "order", epoch).permutation(len(images))) for epoch in range(epochs)])
    order = device.put(order[: options.steps * BATCH])
    began = time.perf_counter()
    for index in order.split(BATCH):
        step(model, optimizers, images[index].float() / 127.5 - 1, dtype)
    device.synchronize()
    return time.perf_counter() - began


def training_images(dataset: str) -> Pixels:
    """uint8 [N,C,S,S], as the engine trains on them."""
    context = Context(data_folder(), {source.name: source for source in (MNIST, LFWCROP)}, offline=True)
    if dataset == "mnist":
        return sized(digit_parts("mnist", context)["train"].images, 32)[:, None]
    path = context.source("lfwcrop") / "faces"
    return folder(path, ImageFiles(path=str(path)), 64).parts["train"]


def step(model: Any, optimizers: list[torch.optim.Optimizer], real: Tensor, dtype: torch.dtype | None) -> None:
    def lowered(network: Any, value: Tensor) -> Tensor:
        with torch.autocast(real.device.type, dtype) if dtype else nullcontext():
            found: Tensor = network(value)
        return found.float()

    fake = lowered(model.generator, torch.randn(len(real), model.latent, device=real.device))
    loss = F.softplus(-lowered(model.discriminator, real)).mean()
    (loss + F.softplus(lowered(model.discriminator, fake.detach())).mean()).backward()
    optimizers[0].step()
    optimizers[0].zero_grad()
    model.discriminator.requires_grad_(False)
    F.softplus(-lowered(model.discriminator, fake)).mean().backward()
    model.discriminator.requires_grad_(True)
    optimizers[1].step()
    optimizers[1].zero_grad()


def default(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as where:
        began = time.monotonic()
        run = dlkit.train("gan", workspace=where, offline=True)
        print(f"{time.monotonic() - began:.0f} s in all")
        answers = run.predictor().predict(list(range(1000)))
    sure = sum(answer["sure"] > 0.9 for answer in answers)
    kinds = sorted({answer["class"] for answer in answers})
    print(f"of 1,000 images the judge is more than 0.9 sure of {sure} (at least 800)")
    print(f"it sees {len(kinds)} kinds: {' '.join(kinds)}")
    real = torch.from_numpy(sized(digit_parts("digits", Context(Path()))["test"].images, 32)[:, None])
    share = (restored(of_digits(), 1, 10)(prepared(real, "digits")).softmax(1).amax(1) > SURE).float().mean()
    print(f"of {len(real)} real test images it is so sure of {share:.1%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    compared = commands.add_parser("distance")
    compared.add_argument("--seconds", type=float, default=600)
    compared.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    compared.add_argument("--keep", type=Path)
    compared.set_defaults(run=distance)
    faced = commands.add_parser("faces")
    faced.add_argument("--seconds", type=float, default=1200)
    faced.add_argument("--width", type=int, default=64)
    faced.add_argument("--keep", type=Path)
    faced.set_defaults(run=faces)
    timed = commands.add_parser("speed")
    timed.add_argument("--rounds", type=int, default=3)
    timed.add_argument("--dataset", choices=["mnist", "lfwcrop"], default="mnist")
    timed.add_argument("--width", type=int, default=32)
    timed.add_argument("--steps", type=int, default=60)
    timed.set_defaults(run=speed)
    commands.add_parser("default").set_defaults(run=default)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()

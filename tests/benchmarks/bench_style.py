"""Style transfer: what the engine adds to a loop written by hand, and how much memory a large picture takes.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_style.py speed [--steps 200] [--rounds 2]
    uv run python tests/benchmarks/bench_style.py memory [--size 512] [--steps 5]

``speed``: 256 pixels through SqueezeNet with its ImageNet weights, L-BFGS, against torchvision's network and torch's
L-BFGS in thirty lines; both pictures are compared bit for bit. ``memory``: VGG-19's architecture with random weights.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

import dlkit
from common import data_folder, interleaved, spread
from dlkit.events import Finished
from dlkit.runs.log import read_events
from dlkit_style.info import StyleInfo
from dlkit_style.networks import IMAGENET

STYLE = {1: "relu1", 3: "fire2", 4: "fire3", 7: "fire5", 11: "fire8"}
CONTENT = 7


def settings(weights: Path, steps: int) -> dict[str, Any]:
    return {
        "model": {"name": "squeezenet", "weights": str(weights), "levels": 1},
        "engine": {"steps": steps, "threads": torch.get_num_threads(), "eval_every": "end", "sample_every": "end"},
        "loss": {"style_weight": 60.0},
    }


def by_hand(weights: Path, info: StyleInfo, steps: int) -> tuple[float, Tensor]:
    """Seconds of the steps alone, and the pixels [3,H,W]."""
    from torchvision.models import squeezenet1_1

    whole = squeezenet1_1(weights=None).eval().requires_grad_(False)
    whole.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    network = whole.features[: max(STYLE) + 1].to(memory_format=torch.channels_last)
    mean, std = (torch.tensor(values)[:, None, None] for values in IMAGENET)
    content, style = (torch.from_numpy(pixels).float() / 255 for pixels in (info.content, info.styles[0]))

    def maps(pixels: Tensor) -> dict[int, Tensor]:
        image, found = (pixels[None] - mean) / std, {}
        for number, module in enumerate(network):
            image = module(image)
            if number in STYLE:
                found[number] = image
        return found

    def gram(map_: Tensor) -> Tensor:
        flat = map_.flatten(2)
        return flat @ flat.mT / flat.shape[2]

    wanted = maps(content)[CONTENT]
    grams = {number: gram(map_) for number, map_ in maps(style).items()}
    norms = {number: found.square().mean() for number, found in grams.items()}
    norm = wanted.square().mean()
    pixels = content.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([pixels], 1.0, max_iter=1, history_size=10, tolerance_grad=0, tolerance_change=0)

    def closure() -> Tensor:
        optimizer.zero_grad()
        seen = maps(pixels)
        parts = [F.mse_loss(gram(seen[number]), grams[number]) / norms[number] * (1 / len(STYLE)) for number in STYLE]
        loss = F.mse_loss(seen[CONTENT], wanted) / norm + 60 * torch.stack(parts).sum()
        loss = loss + 10 * (pixels - pixels.clamp(0, 1)).square().mean()
        loss.backward()
        return loss.detach()

    began = time.perf_counter()
    for _ in range(steps):
        optimizer.step(closure)
    return time.perf_counter() - began, pixels.detach()


def speed(steps: int, rounds: int) -> None:
    weights = data_folder() / "squeezenet1_1" / "squeezenet1_1-imagenet-fp16.safetensors"
    with tempfile.TemporaryDirectory() as folder:
        runs: list[dlkit.Run] = []
        pictures: list[Tensor] = []

        def ours() -> float:
            runs.append(dlkit.train("style", workspace=folder, **settings(weights, steps)))
            (end,) = (e for e in read_events(runs[-1].folder.events) if isinstance(e, Finished))
            return end.train_seconds

        ours()
        predictor: Any = runs[0].predictor("last")

        def theirs() -> float:
            seconds, pixels = by_hand(weights, predictor.info, steps)
            pictures.append(pixels)
            return seconds

        ones, others = interleaved(ours, theirs, rounds)
        equal = torch.equal(pictures[0], predictor.model.pixels[0].detach())
        one, other = statistics.median(ones), statistics.median(others)
        print(f"{steps} steps, {torch.get_num_threads()} threads: dlkit {one:.1f} s, by hand {other:.1f} s")
        print(f"ratio {one / other:.3f} (equal runs differ by {spread(ones):.1%}); equal pictures: {equal}")


def memory(size: int, steps: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = {"name": "vgg19"}
        run = dlkit.train("style", workspace=folder, dataset={"size": size}, model=model, engine={"steps": steps})
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"VGG-19, {size} pixels, {steps} steps: {run.state}, {peak:.2f} GiB at most")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "memory"))
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    if options.what == "speed":
        speed(options.steps or 200, options.rounds)
    else:
        memory(options.size, options.steps or 5)


if __name__ == "__main__":
    main()

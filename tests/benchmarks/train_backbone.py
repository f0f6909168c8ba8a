"""Trains the embedded backbone on CIFAR-10's training split and writes its weights into the package.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/train_backbone.py [--steps 2400] [--threads 1] [-o FILE] [--test]

A tenth of the training split is held out: whatever is chosen is chosen by it. ``--test`` looks at the test split.
Photographs are larger than 32×32 and things stand in them at any size, so each batch is resized to one of several sides
and each of its images is zoomed, stretched, moved, mirrored and lit differently.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from common import data_folder
from dlkit.data.randomness import rng, seed_all
from dlkit.data.weights import EMBEDDED
from dlkit.engine.supervised import FlatMuon
from dlkit.nn import backbone
from dlkit_classification.datasets import cifar10

BATCH = 256
HELD_OUT = 5000
EVERY = 100
SIDES = (32, 48, 64)


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = backbone.embedded()
        self.head = nn.Linear(backbone.WIDTHS[-1], 10)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.backbone(image)[-1].mean((2, 3)))


def augmented(images: Tensor, side: int, generator: np.random.Generator) -> Tensor:
    """uint8 [N,3,32,32] → float32 [N,3,side,side], each seen through another window, in another light."""
    count = len(images)

    def draw(low: float, high: float) -> Tensor:
        return torch.from_numpy(generator.uniform(low, high, count).astype(np.float32))

    zoom, stretch = draw(math.log(0.5), math.log(1.05)).exp(), draw(-0.15, 0.15).exp()
    mirror = torch.from_numpy(generator.integers(0, 2, count).astype(np.float32)) * 2 - 1
    width, height = zoom * stretch, zoom / stretch
    x, y = draw(-1, 1) * (1 - width).abs(), draw(-1, 1) * (1 - height).abs()
    zero = torch.zeros(count)
    theta = torch.stack([torch.stack([width * mirror, zero, x], 1), torch.stack([zero, height, y], 1)], 1)
    grid = F.affine_grid(theta, [count, 3, side, side], align_corners=False)
    pixels = images.float() / 255
    seen = F.grid_sample(pixels, grid, "bilinear", padding_mode="reflection", align_corners=False)
    grey = seen.mean(1, keepdim=True)
    colour = torch.where(draw(0, 1) < 0.1, 0.0, draw(0.6, 1.4))[:, None, None, None]
    middle = seen.mean((1, 2, 3), keepdim=True)
    seen = grey + (seen - grey) * colour
    return (seen - middle) * draw(0.6, 1.4)[:, None, None, None] + middle + draw(-0.15, 0.15)[:, None, None, None]


def normalised(pixels: Tensor) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (backbone.MEAN, backbone.STD))
    return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)


def learn(model: Classifier, images: Tensor, labels: Tensor, steps: int, val: tuple[Tensor, Tensor]) -> None:
    matrices = [p for p in model.backbone.parameters() if p.dim() == 4]
    rest = [p for p in model.parameters() if p.dim() != 4]
    optimizers = [
        FlatMuon(matrices, 0.02, weight_decay=0.02, momentum=0.9, nesterov=True),
        torch.optim.AdamW(rest, 0.004, weight_decay=0.0),
    ]
    began, total = time.perf_counter(), 0.0
    generator = rng(0, "order", 0)
    order = np.empty(0, np.int64)
    for step in range(steps):
        if len(order) < BATCH:
            order = generator.permutation(len(images))
        chosen, order = torch.from_numpy(order[:BATCH]), order[BATCH:]
        # The batches of a side follow each other in turn; the last tenth is at the largest.
        side = SIDES[-1] if step > 0.9 * steps else SIDES[step % len(SIDES)]
        batch = normalised(augmented(images[chosen], side, generator))
        rate = min(1, step / (0.05 * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for optimizer, peak in zip(optimizers, (0.02, 0.004), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * rate
            optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(model(batch).float(), labels[chosen])
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        total += loss.item()
        if (step + 1) % EVERY == 0:
            print(f"{step + 1}: loss {total / EVERY:.3f}, {time.perf_counter() - began:.0f} s", flush=True)
            total = 0.0
        if (step + 1) % 500 == 0 or step + 1 == steps:
            print("  held out:", accuracies(model, *val), flush=True)


@torch.no_grad()
def accuracy(model: Classifier, images: Tensor, labels: Tensor, side: int) -> float:
    model.eval()
    right = 0
    for some, true in zip(images.split(500), labels.split(500), strict=True):
        resized = F.interpolate(some.float() / 255, size=side, mode="bilinear")
        with torch.autocast("cpu", torch.bfloat16):
            right += int((model(normalised(resized)).argmax(1) == true).sum())
    model.train()
    return right / len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--test", action="store_true", help="train nothing: look at the test split with what is there")
    parser.add_argument("-o", type=Path, default=Path(backbone.__file__).parent / EMBEDDED)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    folder = data_folder() / "cifar10" / "cifar-10-batches-bin"
    seed_all(0)
    model = Classifier().to(memory_format=torch.channels_last)
    if options.test:
        stored = {name: tensor.float() for name, tensor in load_file(options.o).items()}
        model.load_state_dict({name if "head" in name else f"backbone.{name}": t for name, t in stored.items()}, False)
        print("test:", accuracies(model, *read(folder, cifar10.TEST)))
        return
    images, labels = read(folder, cifar10.TRAIN)
    learn(model, images[HELD_OUT:], labels[HELD_OUT:], options.steps, (images[:HELD_OUT], labels[:HELD_OUT]))
    kept = {name.removeprefix("backbone."): t for name, t in model.state_dict().items() if t.is_floating_point()}
    save_file({name: tensor.half().contiguous() for name, tensor in kept.items()}, options.o)
    print(f"{options.o}: {options.o.stat().st_size:,} bytes")


def read(folder: Path, names: Sequence[str]) -> tuple[Tensor, Tensor]:
    found = cifar10.read(folder, names)
    return torch.from_numpy(found.images), torch.from_numpy(found.labels)


def accuracies(model: Classifier, images: Tensor, labels: Tensor) -> dict[int, str]:
    """By the side that images are resized to."""
    return {side: f"{accuracy(model, images, labels, side):.2%}" for side in SIDES}


if __name__ == "__main__":
    main()

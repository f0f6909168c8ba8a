"""Trains the judge of digits and writes its weights into the gan plugin: run when its network or its data change.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/train_judge.py [--steps 3000] [-o FILE]

Half of each batch is MNIST's, half scikit-learn's digits, enlarged as the plugin enlarges them, all a little turned,
resized and moved. Prints its accuracy on both test sets, which nothing was chosen by.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from common import data_folder
from dlkit.data.context import Context
from dlkit.data.digits import digit_parts
from dlkit.data.known import MNIST
from dlkit.data.randomness import seed_all
from dlkit_gan.judge import Judge, learn, prepared

SHARE = 10
"""Of scikit-learn's digits there are so few that each counts this often among MNIST's."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("-o", type=Path, default=Path(__file__).parents[2] / "plugins/gan/dlkit_gan/judge.safetensors")
    options = parser.parse_args()
    context = Context(data_folder(), {"mnist": MNIST}, offline=True)
    sets = {source: digit_parts(source, context) for source in ("mnist", "digits")}
    few, many = sets["digits"]["train"], sets["mnist"]["train"]
    images = torch.from_numpy(np.concatenate([many.images, *[few.images] * SHARE])[:, None])
    labels = torch.from_numpy(np.concatenate([many.labels, *[few.labels] * SHARE]))
    seed_all(0)
    judge = Judge(1, 10)
    learn(judge, prepared(images, "digits"), labels, 0, options.steps)
    judge.half().float()  # as it is stored
    for source, parts in sets.items():
        test = parts["test"]
        with torch.no_grad():
            guessed = torch.cat(
                [
                    judge(part).argmax(1)
                    for part in prepared(torch.from_numpy(test.images[:, None]), "digits").split(500)
                ]
            )
        right = (guessed == torch.from_numpy(test.labels)).double().mean()
        print(f"{source}: {right:.2%} of {len(test)} test digits")
    save_file({name: t.half() for name, t in judge.state_dict().items()}, options.o)
    print(f"{options.o}: {options.o.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

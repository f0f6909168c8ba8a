"""Peak memory of the MNIST run against the bare loop's process.

    DLKIT_TEST_DATA=… uv run python tests/benchmarks/bench_memory.py

Both train MLP 784-128-10 for one epoch in a process of their own; the bare one reads the same file into the same
float32 tensors and imports torch alone.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from pathlib import Path

from common import data_folder, workspace

BARE = """
import sys, numpy as np, torch
sys.path.insert(0, {here!r})
def read(name, offset):
    return np.fromfile({data!r} + "/mnist/" + name, np.uint8)[offset:]
raw = read("train-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)
images = torch.empty(raw.shape, dtype=torch.float32)
images.copy_(torch.from_numpy(raw)); images.div_(255).sub_(0.1307).div_(0.3081)
labels = torch.from_numpy(read("train-labels-idx1-ubyte", 8).astype(np.int64))
del raw
import bare
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 128), torch.nn.ReLU(), torch.nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
bare.train(model, optimizer, images, labels, epochs=1, batch_size=128, seed=0)
"""


def peak(words: list[str]) -> float:
    """Peak resident megabytes of a child process."""
    script = (
        "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL,"
        " stderr=subprocess.DEVNULL); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], check=True, capture_output=True, text=True)
    return int(done.stdout) * (1 if sys.platform == "darwin" else 1024) / 1e6


def main() -> None:
    assert resource
    bare_code = BARE.format(here=str(Path(__file__).parent), data=str(data_folder().resolve()))
    with workspace() as where:
        train = [
            sys.executable, "-m", "dlkit", "train", "classification", "--dataset", "mnist", "--model", "mlp",
            "--model.hidden", "128", "--epochs", "1", "--batch-size", "128", "--workspace", str(where), "--offline",
        ]  # fmt: skip
        ours = statistics.median(peak(train) for _ in range(3))
        theirs = statistics.median(peak([sys.executable, "-c", bare_code]) for _ in range(3))
    print(f"peak memory: dlkit {ours:.0f} MB, bare loop {theirs:.0f} MB, {ours - theirs:+.0f} MB (at most +80)")


if __name__ == "__main__":
    main()

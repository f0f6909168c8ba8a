"""The engine and Lightning against the loop written by hand (bare.py): MNIST, MLP 784-128-10.

    DLKIT_TEST_DATA=… uv run --group benchmarks python tests/benchmarks/bench_loop.py [--batch-size 128] [--epochs 4]

All in one process, interleaved; the three end with the same weights (engine and bare bit for bit). The engine logs the
loss of every step, writes its events and its last checkpoint; Lightning is set up as its documentation recommends,
``self.log`` of the loss, CSVLogger and checkpoints on.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import bare
from common import attempt, interleaved, spread, workspace

SEED = 0


class Case:
    """One setting of the benchmark: data, initial weights, and the three ways to train."""

    def __init__(self, where: Path, batch_size: int, epochs: int) -> None:
        self.where, self.batch_size, self.epochs = where, batch_size, epochs
        made = self._attempt()
        columns = made.job.data.train.columns  # type: ignore[attr-defined]
        self.images, self.labels = columns["image"], columns["label"]
        self.val = made.job.data.val.columns  # type: ignore[attr-defined]
        self.initial = {name: t.clone() for name, t in made.job.trainer.model.state_dict().items()}
        self.model = made.job.trainer.model
        self.weights: dict[str, dict[str, Tensor]] = {}

    def _attempt(self) -> Any:
        engine = {
            "epochs": self.epochs, "batch_size": self.batch_size, "eval_every": "never", "sample_every": "never",
            "seed": SEED, "device": "cpu",
        }  # fmt: skip
        values = {
            "dataset": {"name": "mnist", "flip": False, "crop": 0, "cutout": 0},
            "model": {"name": "mlp", "hidden": [128], "dropout": 0.0},
            "loss": {"name": "cross-entropy", "label_smoothing": 0.0},
            "trainer": {"optimizer": "adam", "lr": 1e-3, "schedule": "constant", "weight_decay": 0.0, "warmup": 0.0},
            "engine": {**engine, "accumulate": 1, "ema": 0.0, "clip": 0.0},
        }
        return attempt(self.where, "classification", values)

    def fresh(self) -> nn.Module:
        self.model.load_state_dict(self.initial)
        return self.model.train()

    def engine(self) -> float:
        """From the started event to the finished one: steps, flushes, events and the last checkpoint."""
        made = self._attempt()
        stream = made.events()
        next(stream)
        began = time.perf_counter()
        last = None
        for event in stream:
            last = event
        seconds = time.perf_counter() - began
        assert last is not None and last.status == "completed", last  # type: ignore[attr-defined]
        self.weights["engine"] = {n: t.clone() for n, t in made.job.trainer.model.state_dict().items()}
        return seconds

    def bare(self) -> float:
        model = self.fresh()
        optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
        began = time.perf_counter()
        bare.train(
            model, optimizer, self.images, self.labels, epochs=self.epochs, batch_size=self.batch_size, seed=SEED
        )
        seconds = time.perf_counter() - began
        self.weights["bare"] = {n: t.clone() for n, t in model.state_dict().items()}
        return seconds

    def lightning(self) -> float:
        import lightning

        module = _lightning_module(self.fresh())
        dataset = torch.utils.data.TensorDataset(self.images, self.labels)
        loader = torch.utils.data.DataLoader(dataset, self.batch_size, shuffle=True, drop_last=True)
        with tempfile.TemporaryDirectory() as folder:
            logger = lightning.pytorch.loggers.CSVLogger(folder)
            trainer = lightning.Trainer(
                accelerator="cpu", devices=1, max_epochs=self.epochs, logger=logger, default_root_dir=folder,
                enable_progress_bar=False, enable_model_summary=False,
            )  # fmt: skip
            began = time.perf_counter()
            trainer.fit(module, loader)
            seconds = time.perf_counter() - began
        self.weights["lightning"] = {n: t.clone() for n, t in self.model.state_dict().items()}
        return seconds

    def accuracy(self, which: str) -> float:
        self.model.load_state_dict(self.weights[which])
        self.model.eval()
        with torch.no_grad():
            return float((self.model(self.val["image"]).argmax(1) == self.val["label"]).float().mean())


def _lightning_module(model: nn.Module) -> Any:
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = model
            self.loss_of = nn.CrossEntropyLoss()

        def training_step(self, batch: Any, _: int) -> Tensor:
            images, labels = batch
            loss = self.loss_of(self.model(images), labels)
            self.log("train/loss", loss)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.model.parameters(), 1e-3, fused=True)

    return Module()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-lightning", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with workspace() as where:
        case = Case(where, options.batch_size, options.epochs)
        case.bare()
        engine, plain = interleaved(case.engine, case.bare, options.rounds)
        steps = options.epochs * (len(case.images) // options.batch_size)
        assert all(torch.equal(case.weights["engine"][n], t) for n, t in case.weights["bare"].items())
        ratio, again = statistics.median(engine) / statistics.median(plain), spread(plain)
        print(
            f"batch {options.batch_size}: bare {statistics.median(plain) / steps * 1e6:.0f} µs a step, "
            f"engine/bare {ratio:.3f} (A/A spread {again:.1%}); final weights equal bit for bit"
        )
        if options.no_lightning:
            return
        theirs, ours = interleaved(case.lightning, case.engine, max(1, options.rounds // 2))
        plain_now = statistics.median([case.bare(), case.bare()])
        over_ours = statistics.median(theirs) / statistics.median(ours)
        over_bare = statistics.median(theirs) / plain_now
        print(
            f"batch {options.batch_size}: Lightning/ours {over_ours:.2f}, Lightning/bare {over_bare:.2f}, "
            f"share {over_ours / over_bare:.3f} (at least 0.97); validation accuracy "
            f"ours {case.accuracy('engine'):.4f}, Lightning {case.accuracy('lightning'):.4f}"
        )


if __name__ == "__main__":
    main()

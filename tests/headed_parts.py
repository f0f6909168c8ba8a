"""What the plugin ``headed`` is made of."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import cast

import torch
from pydantic import Field
from torch import Tensor, nn

from dlkit.config import Config
from dlkit.data.splits import Batch, Data, Split, TensorSplit
from dlkit.engine.options import SupervisedConfig
from dlkit.engine.preparation import Cache, Stage, fingerprint
from dlkit.engine.supervised import SupervisedTrainer
from dlkit.nn.frozen import freeze
from toy_options import ToyInfo

passes: list[int] = []
"""How many rows each pass of the whole model had."""


class HeadedConfig(Config):
    """Options of the model ``headed``."""

    width: int = Field(8, ge=1, description="Units of the frozen layer")
    touched: int = Field(0, ge=0, description="The step at which the frozen layer is changed all the same; 0: never")


class Headed(nn.Module):
    """x [N,D] → [N]."""

    def __init__(self, features: int, config: HeadedConfig) -> None:
        super().__init__()
        self.backbone = freeze(nn.Sequential(nn.Linear(features, config.width), nn.BatchNorm1d(config.width)))
        self.head = nn.Linear(config.width, 1)
        self.touched, self.steps = config.touched, 0

    def forward(self, x: Tensor) -> Tensor:
        passes.append(len(x))
        if self.training and self.touched:
            self.steps += 1
            if self.steps == self.touched:
                with torch.no_grad():
                    next(self.backbone.parameters()).add_(1)
        return self.head(self.backbone(x)).squeeze(1)


def build_headed(config: HeadedConfig, info: ToyInfo) -> nn.Module:
    return Headed(info.features, config)


class Uncertain(nn.Module):
    """The negative log-likelihood of y under a normal distribution, its deviation learned (Kendall and Gal 2017)."""

    def __init__(self) -> None:
        super().__init__()
        self.log_variance = nn.Parameter(torch.randn(()))
        self.scale = freeze(nn.Linear(1, 1, bias=False))
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        if torch.is_grad_enabled():
            self.seen += 1
        error = self.scale((outputs - batch["y"])[:, None]).square().mean()
        return {"loss": error / self.log_variance.exp() + self.log_variance}


def build_uncertain(config: Config, info: ToyInfo) -> nn.Module:
    return Uncertain()


class CachedConfig(SupervisedConfig):
    """Options of the trainer ``cached``."""

    slow: float = Field(0, ge=0, description="Seconds that each part of the features takes")
    wrong: str = Field("", description="What it does wrong: 'data', 'length', 'plain', 'raise', or nothing")


class CachedTrainer(SupervisedTrainer):
    """``features`` [N,W] in the place of ``x``, where there are any."""

    def prepare(self, data: Data, cache: Cache) -> Generator[Stage | str, None, Data]:
        wrong = cast("CachedConfig", self.config).wrong
        return self._prepare(data, cache) if wrong != "plain" else data  # type: ignore[return-value]

    def _prepare(self, data: Data, cache: Cache) -> Generator[Stage | str, None, Data]:
        config, model = cast("CachedConfig", self.config), cast("Headed", self.model)
        splits: dict[str, Split] = {}
        for name in ("train", "val"):
            split = data.splits[name]

            def compute(index: Tensor, split: Split = split) -> dict[str, Tensor]:
                time.sleep(config.slow)
                if config.wrong == "raise":
                    raise ZeroDivisionError("on purpose")
                computed.append(len(index))
                batch = split.take(index)
                return {"features": model.backbone(batch["x"]), "y": batch["y"]}

            key = fingerprint(split.fingerprint(), model.backbone)
            columns = yield from cache.columns(name, key, len(split), compute, rows=16)
            splits[name] = TensorSplit(columns, planner=split.planner)
        if config.wrong == "length":
            splits["val"] = data.train
        yield "features are used"
        if config.wrong == "data":
            return None  # type: ignore[return-value]
        return replace(data, train=splits["train"], val=splits["val"], augment=None)

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        found: Mapping[str, Tensor] = self.setup.loss(self.evaluate(batch), batch)
        return found

    def evaluate(self, batch: Batch) -> Tensor:
        if "features" not in batch:
            return cast("Tensor", super().evaluate(batch))
        return cast("Headed", self.model).head(batch["features"]).squeeze(1)  # type: ignore[no-any-return]


computed: list[int] = []
"""How many rows of features were computed in each part."""

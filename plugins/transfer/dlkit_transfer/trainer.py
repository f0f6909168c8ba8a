"""``transfer``: what is frozen is computed once, and what was trained before learns more slowly."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from dlkit.data.randomness import rng
from dlkit.data.splits import Augment, Batch, Data, Split, TensorSplit
from dlkit.engine.preparation import Cache, Stage, fingerprint
from dlkit.engine.supervised import SupervisedTrainer, decay_groups
from dlkit.engine.trainer import Setup, evaluation_mode
from dlkit.errors import UsageError
from dlkit_transfer.model import Pretrained
from dlkit_transfer.options import TransferConfig

LIMIT = 1 << 30
"""Bytes of features that are kept in memory."""
Making = Generator[Stage | str, None, Data]


class TransferTrainer(SupervisedTrainer):
    """For the model ``pretrained``: batches have ``features`` or ``views`` where these are kept, not images."""

    def __init__(self, setup: Setup) -> None:
        if not isinstance(setup.model, Pretrained):
            raise UsageError(
                f"trainer 'transfer' is made for model 'pretrained', not for a {type(setup.model).__name__}: "
                "give --trainer supervised"
            )
        super().__init__(setup)

    @property
    def transfer(self) -> TransferConfig:
        return cast(TransferConfig, self.setup.config)

    @property
    def pretrained(self) -> Pretrained:
        return cast(Pretrained, self.model)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        groups = self.pretrained.groups()
        if len(groups) == 1:
            return super().optimizers()
        config = self.transfer
        if config.optimizer == "muon":
            raise UsageError("trainer.optimizer = 'muon' has one rate for all blocks: with model.unfreeze give adamw")
        parts = [
            {**part, "lr": config.lr * share, "share": share}
            for group, share in zip(groups, self._shares(len(groups)), strict=True)
            for part in decay_groups(group, config.weight_decay)
        ]
        if config.optimizer == "sgd":
            return [torch.optim.SGD(parts, momentum=config.momentum, nesterov=config.nesterov and config.momentum > 0)]
        rule = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
        return [rule(parts, betas=(config.beta1, config.beta2), fused=self._fused)]

    def rates(self) -> list[list[float]]:
        if len(self.pretrained.groups()) == 1:
            return super().rates()
        return [[self.config.lr * group["share"] for group in self._optimizers[0].param_groups]]

    def prepare(self, data: Data, cache: Cache) -> Making:
        """Features in the place of images, where something is frozen and images are the same at every step."""
        model, config = self.pretrained, self.transfer
        if model.own is not None:
            yield (
                f"{model.config.backbone} was trained on these classes: the head adds to what it says of them itself "
                "(--model.own-classes false: to nothing)"
            )
        if not (model.cut and config.cache):
            return data
        if data.augment is not None and not config.views:
            yield (
                "images are augmented, so that features are computed anew at every step; "
                "--trainer.views 8 keeps those of eight augmented views of each"
            )
            return data
        size = self._size(data)
        if size > LIMIT:
            yield f"features of {size / 1e9:.1f} GB are not kept, but computed anew at every step"
            return data
        views = config.views if data.augment is not None else 0
        train = yield from self._made("train", data.train, cache, data.augment, views)
        val = yield from self._made("val", data.val, cache, None, 2 if model.config.mirror else 0)
        return replace(data, train=train, val=val, augment=PickView(views) if views else None)

    def _made(self, name: str, split: Split, cache: Cache, augment: Augment | None, views: int) -> _Splits:
        """A split with ``features`` [N,…], of several views [N,views,…] under ``views``, or for evaluation those of an
        image and its mirror image."""
        seed = self.setup.engine.seed if augment is not None else 0

        def compute(index: Tensor) -> Batch:
            batch = split.take(index.to(self.setup.device.torch_device))
            rest = {key: column.cpu() for key, column in batch.items() if key != "image"}
            return {**rest, key: self._features(batch, index, augment, views, seed).cpu()}

        key = "views" if augment is not None else "features"
        columns = yield from cache.columns(name, self._key(split, augment, views, seed), len(split), compute)
        return TensorSplit(columns, planner=split.planner)

    def _features(self, batch: Batch, index: Tensor, augment: Augment | None, views: int, seed: int) -> Tensor:
        with self._lowered():
            if augment is None:
                return self.pretrained.both(batch["image"]) if views else self.pretrained.fixed(batch["image"])
            made = []
            for view in range(views):
                drawn = augment.draw(rng(seed, "view", view, int(index[0])), len(index))
                moved = {name: self.setup.device.put(torch.from_numpy(values)) for name, values in drawn.items()}
                made.append(self.pretrained.fixed(augment.apply(batch, moved)["image"]))
            return torch.stack(made, 1)

    def _key(self, split: Split, augment: Augment | None, views: int, seed: int) -> str:
        model = self.pretrained
        changed = f"{type(augment).__name__} {sorted(vars(augment).items())}" if augment is not None else ""
        conversion = f"{model.scale.tolist()} {model.shift.tolist()} {model.config.size} {model.config.pooling}"
        conversion += f" {model.own.columns}" if model.own is not None else ""
        said = f"{conversion} {model.cut} {views} {seed} {changed} {self.setup.autocast}"
        return fingerprint(split.fingerprint(), model.frozen_part(), said)

    def _size(self, data: Data) -> int:
        """Bytes of all features, by those of one image."""
        model, config = self.pretrained, self.transfer
        with evaluation_mode(model), torch.no_grad(), self._lowered():
            one = model.fixed(data.train.take(torch.zeros(1, dtype=torch.int64))["image"].to(model.scale.device))
        views = max(1, config.views) if data.augment is not None else 1
        return one.nbytes * (len(data.train) * views + len(data.val) * (2 if model.config.mirror else 1))

    def _lowered(self) -> AbstractContextManager[object]:
        """The precision that steps are computed in, for what is computed before them."""
        dtype = self.setup.autocast
        return self.setup.device.autocast(dtype) if dtype is not None else nullcontext()

    def _shares(self, count: int) -> list[float]:
        config = self.transfer
        return [1.0, *(config.block_rate * config.block_decay**depth for depth in range(count - 1))]

    def _bind_forward(self, module: nn.Module) -> Callable[[Batch], object]:
        of_images = super()._bind_forward(module)
        inputs, self._inputs = self._inputs, ("features",)
        of_features = super()._bind_forward(cast(nn.Module, partial(module, None)))
        self._inputs = inputs

        def either(batch: Batch) -> object:
            if "views" in batch:  # not augmented, as under engine.overfit_batches
                batch = {"features": batch["views"][:, 0]}
            return of_features(batch) if "features" in batch else of_images(batch)

        return either


_Splits = Generator[Stage | str, None, Split]


@dataclass
class PickView(Augment):
    """One of the views of each sample that were computed beforehand."""

    views: int

    def draw(self, rng: np.random.Generator, count: int) -> Mapping[str, npt.NDArray[np.int64]]:
        """``view`` int64 [count]."""
        return {"view": rng.integers(0, self.views, count)}

    def apply(self, batch: Batch, drawn: Batch) -> Batch:
        rest = {name: column for name, column in batch.items() if name != "views"}
        return {**rest, "features": batch["views"][torch.arange(len(drawn["view"])), drawn["view"]]}

"""One optimizer step, by an update rule of one's own. Everything else is the base class's."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from dlkit.engine.trainer import Trainer
from torch import nn

from dlkit_my_plugin.options import Options


class LionTrainer(Trainer):
    """Gradient descent with Lion."""

    @property
    def config(self) -> Options:
        return cast(Options, self.setup.config)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        return [Lion(self.parameters, self.config)]

    def rates(self) -> list[list[float]]:
        """What ``dlkit set RUN trainer.lr`` changes: by optimizer and parameter group."""
        return [[self.config.lr]]


class Lion(torch.optim.Optimizer):
    """Chen et al. (2023), Symbolic Discovery of Optimization Algorithms, arXiv 2302.06675, algorithm 2.

    All state is in ``self.state`` and ``self.param_groups``, so that checkpoints hold it and a resume is exact.
    """

    def __init__(self, parameters: list[nn.Parameter], options: Options) -> None:
        super().__init__(parameters, options.model_dump())

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                average = state.setdefault("average", torch.zeros_like(parameter))
                direction = average.lerp(parameter.grad, 1 - group["beta1"]).sign_()
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).sub_(direction, alpha=group["lr"])
                average.lerp_(parameter.grad, 1 - group["beta2"])

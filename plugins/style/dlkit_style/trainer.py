"""``pixels``: how a picture is changed, step by step and from coarse to fine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn

from dlkit.data.splits import Batch
from dlkit.data.trees import map_tensors
from dlkit.engine.trainer import Setup, Trainer, Values
from dlkit.errors import PluginError
from dlkit_style.options import PixelsConfig


@runtime_checkable
class Rising(Protocol):
    """What this trainer needs of a model: parameters by level, and a way from one to the next."""

    pixels: nn.ParameterList

    def rise(self, level: int) -> None:
        """Go on at a level."""


class PixelTrainer(Trainer):
    """L-BFGS (Liu and Nocedal 1989) or Adam. Each level has as many steps, and an optimizer that begins anew.

    A step of L-BFGS looks at the picture once, or, with ``line_search``, as often as that takes. What it keeps of
    earlier steps is in every checkpoint. It waits for the device at each step: its arithmetic decides on numbers.
    """

    supports: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setup: Setup) -> None:
        if not isinstance(setup.model, Rising):
            raise PluginError("trainer 'pixels': the model has no 'pixels' (nn.ParameterList) and rise(level)")
        self._rising: Rising = setup.model
        self._level = -1
        super().__init__(setup)

    @property
    def config(self) -> PixelsConfig:
        return cast(PixelsConfig, self.setup.config)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """One for each level."""
        return [self._optimizer(pixels) for pixels in self._rising.pixels]

    def changeable(self) -> list[str]:
        """The learning rate, where there is one: lbfgs has none, and a change would be in vain."""
        return super().changeable() if self.config.optimizer == "adam" else []

    def rates(self) -> list[list[float]]:
        rate = self.config.lr if self.config.optimizer == "adam" else 1.0
        return [[rate] for _ in self._rising.pixels]

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        """One step at the level that it belongs to; values are those of the picture before it."""
        self._reach(step)
        optimizer = self._optimizers[self._level]
        first: dict[str, Tensor] = {}

        def closure() -> Tensor:
            optimizer.zero_grad()
            losses = self.losses(batches[0])
            losses["loss"].backward()  # type: ignore[no-untyped-call]
            if not first:
                first.update(losses)
            return losses["loss"].detach()

        optimizer.step(closure)  # type: ignore[arg-type]  # torch wants a float, and makes one of it
        values: Values = {f"train/{name}": value.detach() for name, value in first.items()}
        if self._probe and step % self._probe == 0:
            values["grad_norm"] = nn.utils.get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        return values

    def state(self) -> dict[str, object]:
        return {**super().state(), "level": self._level}

    def load(self, state: Mapping[str, object]) -> None:
        super().load(state)
        for optimizer in self._optimizers:
            # In memory of their own, which begins as torch lets it begin: elsewhere, sums of the same numbers round
            # differently.
            kept = {pixels: map_tensors(Tensor.clone, entries) for pixels, entries in optimizer.state.items()}
            optimizer.state.update(kept)
        self._level = cast(int, state["level"])

    def _reach(self, step: int) -> None:
        """Be at the level of a step: each has as many. A run that was made longer does not go back to a coarser one."""
        levels = len(self._rising.pixels)
        level = max(self._level, min(step * levels // max(1, self.setup.total_steps), levels - 1))
        if level == self._level:
            return
        if self._level >= 0:
            done = self._optimizers[self._level]
            done.zero_grad()
            done.state.clear()  # it would be in every checkpoint
        self._rising.rise(level)
        self._level = level

    def _optimizer(self, pixels: Tensor) -> torch.optim.Optimizer:
        config = self.config
        if config.optimizer == "adam":
            return torch.optim.Adam([pixels], config.lr, fused=self.setup.device.fuses)
        search = "strong_wolfe" if config.line_search else None
        # No tolerance: what is near enough is the number of steps' affair. One iteration a step: with several, what
        # people see, stop and store would come as much later, and no iteration would be cheaper.
        return torch.optim.LBFGS(
            [pixels], 1.0, max_iter=1, history_size=config.history, tolerance_grad=0, tolerance_change=0,
            line_search_fn=search,
        )  # fmt: skip

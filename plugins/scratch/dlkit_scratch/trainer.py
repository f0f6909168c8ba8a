"""Gradient descent by hand: momentum, L1 and L2, clipping and accumulation, on NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from dlkit.config import Config
from dlkit.data.randomness import derive
from dlkit.data.splits import Batch
from dlkit.engine.trainer import Setup, Trainer, Values
from dlkit.errors import PluginError
from dlkit_scratch.backpropagation import Backpropagation
from dlkit_scratch.losses import Loss
from dlkit_scratch.network import Network, check_device
from dlkit_scratch.options import DescentConfig


class ScratchTrainer(Trainer):
    """v ← μ·v + g, w ← w − η·v (Polyak 1964, in the form of torch.optim.SGD), g of the loss and its penalties.

    It honours ``accumulate`` and ``clip`` as the built-in trainer does. ``train/loss`` is without penalties.
    """

    supports = frozenset({"accumulate", "clip"})

    def __init__(self, setup: Setup) -> None:
        check_device(setup.device.torch_device)
        if not isinstance(setup.model, Network) or not isinstance(setup.loss, Loss):
            pair = f"{type(setup.model).__name__} and {type(setup.loss).__name__}"
            raise PluginError(f"trainer 'scratch' needs a model and a loss of the plugin scratch, not {pair}")
        super().__init__(setup)
        # NumPy's BLAS knows nothing of engine.threads; left alone it takes every core, for matrices that are too small
        # to share (24 s instead of 1 s, for 500 steps over the digits on a machine with something else to do).
        threadpool_limits(torch.get_num_threads(), user_api="blas")
        config = cast(DescentConfig, setup.config)
        self._lr, self._momentum, self._decay = config.lr, config.momentum, config.decay
        self._l1, self._l2 = config.l1, config.l2
        self._penalised = config.l1 > 0 or config.l2 > 0
        self._input, self._target = setup.task.inputs[0], setup.loss.key
        self._generator = np.random.default_rng(derive(setup.engine.seed, "scratch", "dropout"))
        self._gradient = Backpropagation(setup.model, setup.loss, self._generator)
        self._flat = self._gradient.flat
        self._velocity, self._change = np.zeros_like(self._flat), np.zeros_like(self._flat)
        changes = self._gradient.shaped(self._change)
        self._trace, self._traced = setup.model.trace, list(setup.model.layers.parameters())
        self._pairs = list(zip(self._gradient.parameters, changes, strict=True))

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        if self._trace is not None:
            self._trace.record(self._traced)
        values: Values = {"train/loss": self._backward(batches[0]) if len(batches) == 1 else self._summed(batches)}
        if self._penalised:
            self._penalise()
        probed = self._probe and step % self._probe == 0
        if self._clip or probed:
            values["grad_norm"] = self._clipped_norm()
        rate = self._lr / (1 + self._decay * step)
        if probed:
            values["lr"] = rate
        self._descend(rate)
        return values

    def change(self, config: Config) -> None:
        super().change(config)
        self._lr = cast(DescentConfig, config).lr

    def state(self) -> dict[str, object]:
        dropout = self._generator.bit_generator.state
        return {**super().state(), "velocity": self._velocity.copy(), "dropout": dropout}

    def load(self, state: Mapping[str, Any]) -> None:
        super().load(state)
        self._velocity[:] = state["velocity"]
        self._generator.bit_generator.state = state["dropout"]

    def _backward(self, batch: Batch) -> float:
        """The loss of a batch, its gradient left in ``_flat``."""
        x = batch[self._input].numpy()
        return self._gradient(x if x.ndim == 2 else x.reshape(len(x), -1), batch[self._target].numpy())

    def _summed(self, batches: Sequence[Batch]) -> float:
        """The mean loss of several batches, and its gradient."""
        total, loss = np.zeros_like(self._flat), 0.0
        for batch, share in zip(batches, self.sample_shares(batches), strict=True):
            loss += self._backward(batch) * share
            total += self._flat * share
        self._flat[:] = total
        return loss

    def _penalise(self) -> None:
        """Add the derivative of l1·Σ|w| + l2·½Σw²; that of |w| at 0 is taken as 0."""
        for i in self._gradient.weights:
            weight, gradient = self._gradient.parameters[i], self._gradient.gradients[i]
            gradient += self._l1 * np.sign(weight) + self._l2 * weight

    def _clipped_norm(self) -> float:
        """The gradient's norm; a longer one than ``engine.clip`` is shortened to that, as torch does it."""
        norm = float(np.sqrt(np.vdot(self._flat, self._flat)))
        if self._clip and norm + 1e-6 > self._clip:
            np.multiply(self._flat, self._clip / (norm + 1e-6), self._flat)
        return norm

    def _descend(self, rate: float) -> None:
        velocity, change = self._velocity, self._change
        np.multiply(velocity, self._momentum, velocity)
        np.add(velocity, self._flat, velocity)
        np.multiply(velocity, rate, change)
        for parameter, part in self._pairs:
            np.subtract(parameter, part, parameter)

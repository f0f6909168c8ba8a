"""``Stack``: the weights of K networks along a first axis, and one optimizer step of all of them.

The rows' own models, optimizers and generators stay what they are: their tensors become views of the stacked ones, so
that whatever asks a run's model (an evaluation, a sample, a checkpoint) finds it as it would be alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from dlkit.data.splits import Batch
from dlkit.data.trees import map_tensors
from dlkit.engine.stacked.forward import Forward, Layered, RowByRow, Vmapped
from dlkit.engine.stacked.masks import Masks
from dlkit.engine.stacked.rules import WIDE, InTurn, Rule, Together
from dlkit.engine.supervised import SupervisedTrainer

RowValues = dict[str, Tensor]
"""What a step measured, each [K]: tensors that are read later."""


@dataclass(frozen=True)
class Row:
    """One run of a stack: its trainer, and the generator that its model draws from while it trains."""

    trainer: SupervisedTrainer
    generator: torch.Generator


class Fed(NamedTuple):
    """A step's batch: ``shared`` by all rows [N,…], or one for each [K,N,…]."""

    batch: Batch
    shared: bool


class Stack:
    """Made anew when a row leaves it, or joins."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._trainers = [row.trainer for row in rows]
        self._models = [trainer.model for trainer in self._trainers]
        setup = self._trainers[0].setup
        self._inputs, self._clip, self._probe = setup.task.inputs, setup.engine.clip, setup.engine.probe_every
        self._named = {name: [m.get_parameter(name) for m in self._models] for name, _ in _named(self._models[0])}
        self.weights = {name: self._together(parameters) for name, parameters in self._named.items()}
        self.exact = any(weight.dtype == torch.float64 for weight in self.weights.values())
        self._at_once = not self.exact  # whether the loss takes all rows in one call
        self.forward = self._ways()[0]
        self.rule = self._rule()

    def _together(self, parameters: Sequence[nn.Parameter]) -> Tensor:
        """The rows' parameters as one tensor, of which they are views from here on."""
        stacked = torch.stack([p.detach() for p in parameters])
        # By ``data``: optimizers, predictors and tied layers go on holding the same parameters.
        for parameter, row in zip(parameters, stacked.unbind(0), strict=True):
            parameter.data = row
        return stacked.requires_grad_()

    def _ways(self) -> list[Forward]:
        generators = [row.generator for row in self.rows]
        masks = Masks(generators)
        in_turn = RowByRow(self._models, self.weights, generators)
        if Layered.knows(self._models[0]) and len(self._inputs) == 1:
            return [Layered(self._models, self.weights, masks, exact=self.exact), in_turn]
        return [in_turn] if self.exact else [Vmapped(self._models, self.weights, masks), in_turn]

    def _rule(self) -> Rule:
        numbers = sum(weight[0].numel() for weight in self.weights.values())
        kind = InTurn if self.exact or numbers > WIDE else Together
        return kind(self._trainers, self._named)

    def take_row_by_row(self) -> None:
        """From here on by the way that is every row's own."""
        self.forward = self._ways()[-1]
        self.ask_loss_in_turn()

    def ask_loss_in_turn(self) -> None:
        """The loss of each row by a call of its own."""
        self._at_once = False

    def step(self, fed: Fed, step: int) -> RowValues:
        """One optimizer step of every row; ``step`` counts from 0. Names are those of ``Trainer.step``."""
        rates = self.rule.rates.at(step)
        losses, gradients = self.gradients(fed)
        values = {f"train/{name}": value.detach() for name, value in losses.items()}
        probed = bool(self._probe) and step % self._probe == 0
        with torch.no_grad():
            if self._clip or probed:
                values["grad_norm"] = norms = self.rule.norms(gradients)
                if self._clip:
                    self.rule.clip(gradients, norms, self._clip)
            self.rule.update({name: self.weights[name].detach() for name in gradients}, gradients, rates)
        if probed:
            values["lr"] = torch.tensor(rates, dtype=torch.float64)  # Python's own numbers, as a run alone logs them
        return values

    def gradients(self, fed: Fed) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The losses, each [K], and the gradients [K,…] of the parameters that they depend on."""
        outputs = self.forward([fed.batch[key] for key in self._inputs], shared=fed.shared)
        losses = self.losses(outputs, fed)
        # A row's loss depends on its own weights alone: the gradient of the sum has each row's in its place.
        found = torch.autograd.grad(losses["loss"].sum(), list(self.weights.values()), allow_unused=True)
        # In the weights' own layout: fused kernels go through both from end to end.
        return losses, {name: g.contiguous() for name, g in zip(self.weights, found, strict=True) if g is not None}

    def losses(self, outputs: object, fed: Fed) -> dict[str, Tensor]:
        """Each entry of the loss for each row, [K]."""
        loss = self._trainers[0].setup.loss
        if self._at_once:
            over: Mapping[str, int | None] = dict.fromkeys(fed.batch, None if fed.shared else 0)
            return dict(torch.func.vmap(loss, in_dims=(0, over))(outputs, dict(fed.batch)))
        found: list[Mapping[str, Tensor]] = [
            loss(_row(outputs, k), fed.batch if fed.shared else {key: column[k] for key, column in fed.batch.items()})
            for k in range(len(self.rows))
        ]
        return {name: torch.stack([one[name] for one in found]) for name in found[0]}

    def settle(self, step: int) -> None:
        """Let the rows' own optimizers know where they are; before anybody looks at them."""
        self.rule.settle(step)

    def refresh(self) -> None:
        """After somebody has looked at them, and may have changed options."""
        self.rule.refresh()


def _row(outputs: object, row: int) -> object:
    return map_tensors(lambda tensor: tensor[row], outputs)


def _named(model: nn.Module) -> list[tuple[str, nn.Parameter]]:
    """Its parameters, tied ones once."""
    return cast("list[tuple[str, nn.Parameter]]", list(model.named_parameters()))

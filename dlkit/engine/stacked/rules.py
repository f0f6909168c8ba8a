"""Update rules of a whole stack: SGD, Adam and AdamW with rates, momenta and decays of each row's own.

``Together`` updates all rows in a few passes over memory. ``InTurn`` calls torch's fused kernel for each row: the very
one that the run would take alone, so that its bits are equal, and the faster where a row is large.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dlkit.engine.options import SupervisedConfig
from dlkit.engine.stacked.rates import Rates
from dlkit.engine.supervised import SupervisedTrainer

Tensors = dict[str, Tensor]
WIDE = 8192
"""Parameters of a row above which a kernel call for each costs less than to go over all rows several times."""
EPS = 1e-8
"""Adam's ε, torch's default."""


class Rule(ABC):
    """``weights`` [K,…] are changed in place; ``trainers`` are the rows', whose optimizers keep views of its state."""

    def __init__(self, trainers: Sequence[SupervisedTrainer], names: Mapping[str, Sequence[nn.Parameter]]) -> None:
        self.trainers, self.names = trainers, names
        self.optimizers = [trainer.optimizers_made[0] for trainer in trainers]
        self.kind = trainers[0].config.optimizer
        self.state = self._gathered()
        self.refresh()

    def refresh(self) -> None:
        """Take over options that somebody has changed."""
        self.configs: list[SupervisedConfig] = [trainer.config for trainer in self.trainers]
        self.rates = Rates(self.trainers)
        self.sparse = any(config.l1 for config in self.configs)

    @abstractmethod
    def norms(self, gradients: Tensors) -> Tensor:
        """The norm of each row's gradients, [K]."""

    @abstractmethod
    def update(self, weights: Tensors, gradients: Tensors, rates: Sequence[float]) -> None:
        """One step; gradients may be written over."""

    def clip(self, gradients: Tensors, norms: Tensor, most: float) -> None:
        """Scale each row's gradients whose norm is larger, as ``clip_grad_norm_`` does."""
        factors = torch.clamp(most / (norms + 1e-6), max=1.0)
        for gradient in gradients.values():
            gradient.mul_(_over(factors, gradient))

    def settle(self, step: int) -> None:
        """Make the rows' own optimizers say what they would after ``step`` steps alone; their tensors are views."""
        if step:
            for trainer in self.trainers:
                trainer.follow_schedule(step - 1)

    def _gathered(self) -> dict[str, Tensors]:
        """What the optimizers keep, by kind and parameter, stacked; zeros where there is nothing yet."""
        kept: Sequence[str] = ("exp_avg", "exp_avg_sq", "step")
        if self.kind == "sgd":
            kept = ("momentum_buffer",) if self.trainers[0].config.momentum else ()
        self.fresh = [all(p not in o.state for p in _parameters(o)) for o in self.optimizers]
        return {key: {name: self._stacked(key, ps) for name, ps in self.names.items()} for key in kept}

    def _stacked(self, key: str, parameters: Sequence[nn.Parameter]) -> Tensor:
        states = [optimizer.state[p] for optimizer, p in zip(self.optimizers, parameters, strict=True)]
        if key == "step":
            rows = [state.get(key, torch.tensor(0.0)).reshape(()) for state in states]
        else:
            rows = [state.get(key, torch.zeros_like(p)).detach() for state, p in zip(states, parameters, strict=True)]
        made = torch.stack(rows)
        for state, row in zip(states, made.unbind(0), strict=True):
            state[key] = row
        return made


class Together(Rule):
    """All rows in a few passes."""

    def refresh(self) -> None:
        super().refresh()
        options = {name: [getattr(config, name) for config in self.configs] for name in _OPTIONS}
        self._options = {name: torch.tensor(values, dtype=torch.float64) for name, values in options.items()}
        self._scratch: Tensors = {}

    def norms(self, gradients: Tensors) -> Tensor:
        parts = [
            torch.linalg.vector_norm(gradient.reshape(len(gradient), -1), dim=1) for gradient in gradients.values()
        ]
        found: Tensor = torch.linalg.vector_norm(torch.stack(parts), dim=0)
        return found

    def update(self, weights: Tensors, gradients: Tensors, rates: Sequence[float]) -> None:
        lr = torch.tensor(rates, dtype=torch.float64)
        for name, gradient in gradients.items():
            if self.sparse and gradient.dim() > 2:
                gradient.addcmul_(weights[name].sign(), self._option("l1", gradient))
            if self.kind == "sgd":
                self._sgd(name, weights[name], gradient, lr)
            else:
                self._adam(name, weights[name], gradient, lr)
        self.fresh = [False] * len(self.fresh)

    def _sgd(self, name: str, weight: Tensor, gradient: Tensor, lr: Tensor) -> None:
        if gradient.dim() > 2 and self._uses("weight_decay"):
            gradient.addcmul_(weight, self._option("weight_decay", gradient))
        if "momentum_buffer" in self.state:
            buffer, momentum = self.state["momentum_buffer"][name], self._option("momentum", gradient)
            torch.addcmul(gradient, buffer, momentum, out=buffer)
            if self.configs[0].nesterov:
                gradient.addcmul_(buffer, momentum)
            else:
                gradient = buffer
        weight.addcmul_(gradient, _over(-lr, gradient))

    def _adam(self, name: str, weight: Tensor, gradient: Tensor, lr: Tensor) -> None:
        """Kingma and Ba 2014 (arXiv 1412.6980); adamw decays weights apart from it (arXiv 1711.05101)."""
        mean, square = self.state["exp_avg"][name], self.state["exp_avg_sq"][name]
        steps = self.state["step"][name].add_(1).double()
        decays = gradient.dim() > 2 and self._uses("weight_decay")
        if decays and self.kind == "adamw":
            weight.mul_(_over(1 - lr * self._options["weight_decay"], weight))
        elif decays:
            gradient.addcmul_(weight, self._option("weight_decay", gradient))
        beta1, beta2 = self._options["beta1"], self._options["beta2"]
        mean.lerp_(gradient, _over(1 - beta1, gradient))
        square.mul_(_over(beta2, gradient)).addcmul_(gradient * gradient, _over(1 - beta2, gradient))
        scratch = self._room(name, gradient)
        torch.sqrt(square, out=scratch)
        scratch.div_(_over((1 - beta2**steps).sqrt(), gradient)).add_(EPS)
        torch.div(mean, scratch, out=scratch)
        weight.addcmul_(scratch, _over(-lr / (1 - beta1**steps), gradient))

    def _uses(self, name: str) -> bool:
        return bool(self._options[name].any())

    def _option(self, name: str, like: Tensor) -> Tensor:
        return _over(self._options[name], like)

    def _room(self, name: str, like: Tensor) -> Tensor:
        # Kept: fresh memory of megabytes is mapped anew at every step, page by page.
        if name not in self._scratch:
            self._scratch[name] = torch.empty_like(like)
        return self._scratch[name]


class InTurn(Rule):
    """Row by row, by torch's fused kernels."""

    def norms(self, gradients: Tensors) -> Tensor:
        rows = zip(*(gradient.unbind(0) for gradient in gradients.values()), strict=True)
        return torch.stack([nn.utils.get_total_norm(list(row)) for row in rows])

    def refresh(self) -> None:
        super().refresh()
        self._planned: tuple[str, ...] = ()

    def update(self, weights: Tensors, gradients: Tensors, rates: Sequence[float]) -> None:
        # What stays from step to step is looked up once: for sixteen rows that was a tenth of a step.
        if self._planned != tuple(gradients):
            self._planned = tuple(gradients)
            self._calls = [self._calls_of(k) for k in range(len(self.trainers))]
        rows = zip(*(gradient.unbind(0) for gradient in gradients.values()), strict=True)
        for k, row in enumerate(rows):
            if self.configs[k].l1:
                self._penalise(k, row)
            for call in self._calls[k]:
                self._step(k, call, [row[place] for place in call.places], rates[k])
            self.fresh[k] = False

    def _calls_of(self, row: int) -> list[_Call]:
        """One for each group of options that has gradients."""
        place_of = {id(self.names[name][row]): place for place, name in enumerate(self._planned)}
        optimizer, calls = self.optimizers[row], []
        for group in optimizer.param_groups:
            parameters = [p for p in group["params"] if id(p) in place_of]
            states = [optimizer.state[p] for p in parameters]
            kept = {key: [state[key] for state in states] for key in self.state}
            places = [place_of[id(p)] for p in parameters]
            if places:
                calls.append(_Call(places, [p.detach() for p in parameters], kept, float(group["weight_decay"])))
        return calls

    def _penalise(self, row: int, gradients: Sequence[Tensor]) -> None:
        matrices = [i for i, name in enumerate(self._planned) if self.names[name][row].dim() > 1]
        values = [self.names[self._planned[i]][row].detach() for i in matrices]
        found = [gradients[i] for i in matrices]
        torch._foreach_add_(found, torch._foreach_sign(values), alpha=self.configs[row].l1)

    def _step(self, row: int, call: _Call, gradients: list[Tensor], lr: float) -> None:
        config = self.configs[row]
        if self.kind == "sgd":
            torch._fused_sgd_(
                call.values, gradients, call.kept.get("momentum_buffer", []), weight_decay=call.decay,
                momentum=config.momentum, lr=lr, dampening=0.0, nesterov=config.nesterov and config.momentum > 0,
                maximize=False, is_first_step=self.fresh[row],
            )  # fmt: skip
            return
        torch._foreach_add_(call.kept["step"], 1)
        kernel = torch._fused_adamw_ if self.kind == "adamw" else torch._fused_adam_
        kernel(
            call.values, gradients, call.kept["exp_avg"], call.kept["exp_avg_sq"], [], call.kept["step"], lr=lr,
            beta1=config.beta1, beta2=config.beta2, weight_decay=call.decay, eps=EPS, amsgrad=False, maximize=False,
        )  # fmt: skip


class _Call(NamedTuple):
    """A kernel call of one row: the places of its gradients, its parameters, what the optimizer keeps of them."""

    places: list[int]
    values: list[Tensor]
    kept: Mapping[str, list[Tensor]]
    decay: float


_OPTIONS = ("momentum", "weight_decay", "l1", "beta1", "beta2")


def _over(values: Tensor, like: Tensor) -> Tensor:
    """[K] as factors of a tensor [K,…]."""
    return values.to(like.dtype).view(-1, *[1] * (like.dim() - 1))


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"]]

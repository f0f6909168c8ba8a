"""The built-in trainer for every model whose loss autograd can differentiate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from dlkit.engine.options import SupervisedConfig
from dlkit.engine.schedules import Schedule, build_schedule
from dlkit.engine.trainer import Trainer
from dlkit.errors import UsageError


class SupervisedTrainer(Trainer):
    """SGD, Adam, AdamW or Muon from torch.optim, fused where torch can, under a schedule."""

    @property
    def config(self) -> SupervisedConfig:
        return cast(SupervisedConfig, self.setup.config)

    def schedule(self) -> Schedule | None:
        config = self.config
        return build_schedule(config.schedule, self.setup.total_steps, config.warmup, config.final)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        made = self._rules()
        if made and self.config.l1:
            self._sparse = [p for p in self.parameters if p.dim() > 1]
            made[0].register_step_pre_hook(self._penalise)
        return made

    def _penalise(self, *_: object) -> None:
        """Add the derivative of l1·Σ|w| to the gradients, once they are summed and clipped, as weight decay is.

        That of |w| at 0 is taken as 0. Recorded losses are without it.
        """
        known = [p for p in self._sparse if p.grad is not None]
        if known:
            signs = torch._foreach_sign([p.detach() for p in known])
            torch._foreach_add_([p.grad for p in known], signs, alpha=self.config.l1)  # type: ignore[misc]

    def _rules(self) -> list[torch.optim.Optimizer]:
        config = self.config
        if not self.parameters:
            return self._none()
        if config.optimizer == "muon":
            return self._muon()
        groups = decay_groups(self.parameters, config.weight_decay)
        if config.optimizer == "sgd":
            nesterov = config.nesterov and config.momentum > 0
            return [torch.optim.SGD(groups, config.lr, momentum=config.momentum, nesterov=nesterov, fused=self._fused)]
        rule = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
        return [rule(groups, config.lr, (config.beta1, config.beta2), fused=self._fused)]

    def _none(self) -> list[torch.optim.Optimizer]:
        """Of a model without parameters; UsageError where it is to be trained all the same."""
        if self.setup.total_steps:
            raise UsageError("the model has no parameters to train: --steps 0 evaluates and samples it as it is")
        return []

    def rates(self) -> list[list[float]]:
        config = self.config
        rates = [config.lr] if config.optimizer != "muon" else [config.lr, config.aux_lr]
        return [[rate] * len(o.param_groups) for o, rate in zip(self._optimizers, rates, strict=False)]

    @property
    def _fused(self) -> bool:
        """One kernel for all parameters; on the CPU an Adam step took 260 µs instead of 346."""
        return self.setup.device.fuses and all(p.is_floating_point() for p in self.parameters)

    def _muon(self) -> list[torch.optim.Optimizer]:
        config = self.config
        matrices, rest = _muon_parameters(self.model, self.parameters)
        flat = FlatMuon(
            matrices, config.lr, weight_decay=config.weight_decay, momentum=config.momentum, nesterov=config.nesterov
        )
        if not rest:
            return [flat]
        groups = decay_groups(rest, config.weight_decay)
        betas = (config.beta1, config.beta2)
        return [flat, torch.optim.AdamW(groups, config.aux_lr, betas, fused=self._fused)]


class FlatMuon(torch.optim.Muon):
    """Muon (Jordan et al. 2024) for filters too: each is updated as the matrix [out, everything else].

    torch's Muon takes matrices only. The matrix is a view of the parameter, whichever memory layout that has;
    orthogonalisation does not depend on the order of the columns. Updates are scaled to the size of AdamW's (Liu et al.
    2025, arXiv 2502.16982), so that rates carry over.
    """

    def __init__(
        self, parameters: list[nn.Parameter], lr: float, *, weight_decay: float, momentum: float, nesterov: bool
    ) -> None:
        self._sources = parameters
        # Parameters of its own that share the sources' memory: torch checks that each has two axes.
        super().__init__(
            [nn.Parameter(_as_matrix(p.detach())) for p in parameters],
            lr,
            weight_decay=weight_decay,
            momentum=momentum,
            nesterov=nesterov,
            adjust_lr_fn="match_rms_adamw",
        )

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch has two overloads
        for source, flat in zip(self._sources, self.param_groups[0]["params"], strict=True):
            flat.grad = None if source.grad is None else _as_matrix(source.grad)
        loss: float | None = super().step(closure)  # type: ignore[no-untyped-call]
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        for source in self._sources:
            source.grad = None


def decay_groups(parameters: list[nn.Parameter], weight_decay: float) -> list[dict[str, Any]]:
    """Parameter groups: matrices and filters decay, vectors (biases, norms) do not."""
    if weight_decay == 0:  # one group: one fused kernel a step
        return [{"params": parameters, "weight_decay": 0.0}]
    decayed = [p for p in parameters if p.dim() > 1]
    spared = [p for p in parameters if p.dim() <= 1]
    groups: list[dict[str, Any]] = [{"params": decayed, "weight_decay": weight_decay}]
    return groups + ([{"params": spared, "weight_decay": 0.0}] if spared else [])


def _as_matrix(tensor: Tensor) -> Tensor:
    if tensor.dim() == 4 and not tensor.is_contiguous():  # channels last: so that the reshape is a view
        tensor = tensor.permute(0, 2, 3, 1)
    return tensor.reshape(tensor.shape[0], -1)


def _muon_parameters(model: nn.Module, parameters: list[nn.Parameter]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Hidden matrices and filters, and the rest (vectors, embeddings, the last matrix), which AdamW updates.

    A model whose last matrix is a hidden one (its logits come from the embedding, say), or that has several that make
    answers, names its hidden ones itself, as ``hidden_matrices() -> list of parameters``. Of a model of one matrix
    alone, Muon has that one: it was asked for.
    """
    if callable(named := getattr(model, "hidden_matrices", None)):
        wanted = {id(p) for p in named()}
        return [p for p in parameters if id(p) in wanted], [p for p in parameters if id(p) not in wanted]
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    of_model = {id(p) for p in model.parameters()}  # what a loss learns is no layer
    candidates = [p for p in parameters if p.dim() > 1 and id(p) in of_model - embeddings]
    hidden = candidates[:-1] if len(candidates) > 1 else candidates  # the last one makes the outputs
    chosen = {id(p) for p in hidden}
    return hidden, [p for p in parameters if id(p) not in chosen]

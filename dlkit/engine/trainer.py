"""``Trainer``: how one optimizer step is made.

The base class drives any network whose loss autograd can differentiate, and implements every option of the engine. A
trainer that works otherwise (two networks taking turns, gradients by hand) overrides ``step`` and what goes with it,
and says in ``supports`` which options it still honours; asking for another is refused before the run begins.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeVar, cast

import torch
from torch import Tensor, nn

from dlkit.config import Config, EngineConfig, changeable
from dlkit.data.splits import Batch, Data
from dlkit.data.trees import map_tensors
from dlkit.engine.adopting import hand_memory_on
from dlkit.engine.average import MovingAverage, ramp
from dlkit.engine.device import Device
from dlkit.engine.distributed import World
from dlkit.engine.means import LossMeans, samples_of
from dlkit.engine.preparation import Cache, Stage
from dlkit.engine.schedules import Schedule
from dlkit.engine.tree import like_parameters
from dlkit.metrics.total import exact
from dlkit.task import AnyTask, Info

ALL_OPTIONS = frozenset({"accumulate", "clip", "ema", "amp", "compile", "ddp"})
"""Engine options that not every trainer honours (``amp``: any precision below float32; ``ddp``: several processes)."""

Values = dict[str, Tensor | float]
T = TypeVar("T")


@dataclass(frozen=True)
class Setup:
    """What a trainer is given: the components, built and on their device, and the run's settings.

    ``autocast`` is the lower precision to run the model in, or None; ``total_steps`` the planned end, for schedules;
    ``world`` the processes that share every batch.
    """

    model: nn.Module
    loss: Any  # what a loss can do is agreed between it and its trainer: a call for most, two for an adversarial one
    task: AnyTask
    info: Info
    config: Config
    engine: EngineConfig
    device: Device
    autocast: torch.dtype | None
    total_steps: int
    world: World = field(default_factory=World)


class Trainer:
    """Base of all trainers. Override ``optimizers`` (update rules), ``schedule``, ``losses``, or ``step`` itself."""

    supports: ClassVar[frozenset[str]] = ALL_OPTIONS
    averages: ClassVar[str] = ""
    """Of which part of the model ``engine.ema`` keeps an average, as the beginning of its state names; empty: all."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.model = setup.model
        learned = [setup.model, *([setup.loss] if isinstance(setup.loss, nn.Module) else [])]
        self.parameters = [p for module in learned for p in module.parameters() if p.requires_grad]
        """What is learned: of the model, and of a loss that has parameters."""
        self._of_loss = [p for module in learned[1:] for p in module.parameters() if p.requires_grad]
        self._inputs = setup.task.inputs
        self._clip = setup.engine.clip
        self._probe = setup.engine.probe_every
        self.shares: Sequence[float] = ()
        """Under several processes, what each micro-batch counts: its samples' share of the whole step's, times the
        number of processes, whose mean is taken."""
        self._several = setup.world.size > 1
        self.means = LossMeans(setup.loss, setup.model)
        self._trained = self.wrapped()
        self._forward = self._bind_forward(self._trained)
        # Ranks evaluate different numbers of batches, and DistributedDataParallel waits for all of them in each.
        self._evaluated = self._bind_forward(self.model) if self._several else self._forward
        self._optimizers = self.optimizers()
        self._schedule = self.schedule()
        self._ema = MovingAverage(self.model, setup.engine.ema, self.averages) if setup.engine.ema else None
        self._ramps = setup.engine.ema_ramp
        self._base_rates = [[group["lr"] for group in o.param_groups] for o in self._optimizers]

    @property
    def optimizers_made(self) -> Sequence[torch.optim.Optimizer]:
        """The update rules, as ``optimizers`` has made them."""
        return self._optimizers

    def wrapped(self) -> nn.Module:
        """The model for training: under several processes, wrapped so that their gradients are averaged."""
        return self.setup.world.wrap(self.model)

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """The update rules; made once. The default has none, for trainers that override ``step``."""
        return []

    def schedule(self) -> Schedule | None:
        """What learning rates are multiplied by at each step: a pure function, asked for once. None: constant."""
        return None

    def losses(self, batch: Batch) -> Mapping[str, Tensor]:
        """Scalars with the key ``"loss"``, which is differentiated; the others are recorded.

        Means over what the loss counts (``dlkit.task.Loss``). What is minimised is called ``…loss``, here and in
        trainers of their own: progress lines show those.
        """
        found: Mapping[str, Tensor] = self.setup.loss(self._forward(batch), batch)
        return found

    def prepare(self, data: Data, cache: Cache) -> Generator[Stage | str, None, Data]:
        """Other splits for training and evaluation, made before the first step of every attempt: ``data`` with another
        ``train`` and ``val`` of the same lengths, and perhaps another ``augment``.

        Called without gradients, its draws being of a stream of their own; weights are those that the run goes on
        from. Yields how far it is, or a line to be known, and is left where it is if the run is stopped: what
        ``cache.columns`` has made is kept. Samples, ``dlkit evaluate`` and predictions see the splits as they were
        built, so that ``evaluate`` must know both.
        """
        yield from ()
        return data

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        """One optimizer step over the micro-batches; ``step`` counts from 0.

        Returns metrics by full name (``"train/loss"``, ``"lr"``): detached scalar tensors that stay on the device, or
        plain numbers. A name may be absent from some steps.
        """
        self.follow_schedule(step)
        if len(batches) == 1 and not self._several:
            losses = self.losses(batches[0])
            losses["loss"].backward()  # type: ignore[no-untyped-call]
        else:
            losses = self._accumulated(batches)
        values: Values = {f"train/{name}": value.detach() for name, value in losses.items()}
        if self._several and self._of_loss:  # what wraps the model knows nothing of them
            self.setup.world.average([p.grad for p in self._of_loss if p.grad is not None])
        # A norm at every step would cost more than the engine itself; clipping needs one anyway.
        probed = self._probe and step % self._probe == 0
        if self._clip:
            values["grad_norm"] = nn.utils.clip_grad_norm_(self.parameters, self._clip)
        elif probed:
            values["grad_norm"] = nn.utils.get_total_norm([p.grad for p in self.parameters if p.grad is not None])
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad()  # to None: the next backward pass writes gradients instead of adding to zeros
        if self._ema is not None:
            self._ema.update(ramp(step) if self._ramps else 0.0)
        if probed and self._optimizers:
            values["lr"] = float(self._optimizers[0].param_groups[0]["lr"])
        return values

    def follow_schedule(self, step: int) -> None:
        """Set the learning rates to those of this step."""
        if self._schedule is not None:
            self._set_rates(self._schedule(step))

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Weights and modes as evaluation wants them (averaged, no dropout); all as found afterwards."""
        with evaluation_mode(self.model), torch.no_grad():
            if self._ema is None:
                yield
                return
            self._ema.swap()
            try:
                yield
            finally:
                self._ema.swap()

    def evaluate(self, batch: Batch) -> object:
        """The model's outputs for a batch; called inside ``evaluating``."""
        return self._evaluated(batch)

    def evaluate_losses(self, outputs: Any, batch: Batch) -> Mapping[str, Tensor]:
        """Losses of an evaluated batch, recorded as their mean over all that the split has of what the loss counts
        (``dlkit.task.Loss``: samples, unless it says so); empty: none.

        Of the training loss, in evaluation mode: without dropout, and of the averaged weights.
        """
        found: Mapping[str, Tensor] = self.setup.loss(outputs, batch)
        return found

    def state(self) -> dict[str, object]:
        """Everything besides the model's own state that a resume needs: dicts and lists of tensors and JSON values."""
        state: dict[str, object] = {"optimizers": [o.state_dict() for o in self._optimizers]}
        if self._ema is not None:
            state["ema"] = self._ema.tensors()
        return state

    def load(self, state: Mapping[str, Any]) -> None:
        """Put ``state`` back. Tensors keep their parameters' memory layout: a resumed run computes the same bits."""
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(like_parameters(optimizer, saved))
        if self._ema is not None:
            self._ema.load(state["ema"])

    def adopt(self, state: Mapping[str, Any], earlier: Config) -> None:
        """Put back the ``state`` of a trainer with other options, ``earlier``: where a fork begins.

        What a rule remembers of a parameter goes on with it, under the rates and coefficients that the options say now.
        Another rule begins afresh, and so does an average that was not kept.
        """
        setup, made = self.setup, self._optimizers
        self.setup = replace(setup, config=earlier)
        try:
            # Rules of the shape that the state has: load_state_dict takes no other.
            self._optimizers = self.optimizers()
        finally:
            self.setup = setup
        if self._ema is not None and "ema" not in state:
            self._ema = MovingAverage(self.model, setup.engine.ema, self.averages)  # of the weights as they are now
            state = {**state, "ema": self._ema.tensors()}
        try:
            self.load(state)
            hand_memory_on(self._optimizers, made)
        finally:
            self._optimizers = made

    @property
    def config(self) -> Config:
        """The trainer's options, as they are now."""
        return self.setup.config

    def change(self, config: Config) -> None:
        """Take over changed options (those of ``changeable``), from the next step on."""
        self.setup = replace(self.setup, config=config)
        rates = self.rates()
        if rates is not None:
            self._base_rates = rates
            self._set_rates(1.0)

    def rates(self) -> list[list[float]] | None:
        """Learning rates by optimizer and parameter group, as the options say now; None: they do not say."""
        return None

    def local_state(self) -> dict[str, object]:
        """What each process has of its own (state carried between its batches): a tree of tensors and JSON."""
        return {}

    def load_local(self, state: Mapping[str, Any]) -> None:
        """Put ``local_state`` back."""

    def averaged(self) -> Mapping[str, Tensor] | None:
        """The averaged weights by the model's state names, if there are any: evaluation and predictions use them."""
        return self._ema.tensors() if self._ema is not None else None

    def changeable(self) -> list[str]:
        """Keys that ``set`` may touch while the run goes: the options that declare themselves changeable."""
        return [f"trainer.{name}" for name in changeable(type(self.setup.config))]

    def _accumulated(self, batches: Sequence[Batch]) -> Mapping[str, Tensor]:
        """The micro-batches' losses as one; under several processes, this one's part of it: their mean is the whole."""
        total: dict[str, Tensor] = {}
        kinds: dict[str, torch.dtype] = {}
        shares = self.means.shares(batches, self.sample_shares(batches), self.setup.world)
        for i, (batch, share) in enumerate(zip(batches, shares, strict=True)):
            with self._quiet(last=i == len(batches) - 1):
                # Scaled before the backward pass: the gradients of the parts then add up to those of the mean.
                losses = self.means.completed(share.scaled(self.losses(batch)))
                losses["loss"].backward()  # type: ignore[no-untyped-call]
            for name, value in losses.items():
                kinds[name] = value.dtype
                total[name] = total[name] + exact(value.detach()) if name in total else exact(value.detach())
        return {name: value.to(kinds[name]) for name, value in total.items()}

    def sample_shares(self, batches: Sequence[Batch]) -> Sequence[float]:
        """What a mean over the samples of each micro-batch counts: they need not have equally many."""
        if self.shares:
            return self.shares
        sizes = [samples_of(batch) for batch in batches]
        return [size / sum(sizes) for size in sizes]

    def _quiet(self, *, last: bool) -> AbstractContextManager[None]:
        """Gradients are exchanged once a step, with the last micro-batch."""
        trained = self._trained
        if last or not isinstance(trained, nn.parallel.DistributedDataParallel):
            return nullcontext()
        return cast("AbstractContextManager[None]", trained.no_sync())

    def _set_rates(self, factor: float) -> None:
        for optimizer, rates in zip(self._optimizers, self._base_rates, strict=True):
            # From the base rates, not from what is there: rounding does not add up, and there is nothing to save.
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor

    def _bind_forward(self, module: nn.Module) -> Callable[[Batch], object]:
        """The forward pass, bound once: without autocast it is a bare call."""
        model: Callable[..., object] = torch.compile(module) if self.setup.engine.compile else module
        inputs = self._inputs
        if len(inputs) == 1:  # no list and no star for the commonest case
            (key,) = inputs
            plain: Callable[[Batch], object] = lambda batch: model(batch[key])  # noqa: E731
        else:
            plain = lambda batch: model(*[batch[key] for key in inputs])  # noqa: E731
        dtype, device = self.setup.autocast, self.setup.device
        if dtype is None:
            return plain

        def lowered(batch: Batch) -> object:
            with device.autocast(dtype):
                outputs = plain(batch)
            return to_float(outputs)

        return lowered


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Every module in evaluation mode; each as it was afterwards: an owner may have frozen some for good."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def to_float(outputs: T) -> T:
    """Outputs of an autocast forward pass in float32, in which losses and metrics are computed."""
    return map_tensors(lambda tensor: tensor.float() if tensor.is_floating_point() else tensor, outputs)

"""Two networks trained against each other: a generator that draws, a discriminator that tells drawn from real.

What the components of the interface ``adversarial`` agree on. The model is a module with

    generator              latents [N,Z] → images, of the form of the batch's input
    discriminator          images → logits float32 [N], positive where it takes them for real
    latents(count)         that many latents [N,Z] on the model's device, from torch's global generator
    forward(images)        what the task declares, for evaluation: what is drawn, say, and both verdicts

and the loss an object with

    discriminator(real, fake)   logits [N] of both → a scalar, which the discriminator minimises
    generator(fake)             logits [N] of what was drawn → a scalar, which the generator minimises

Goodfellow et al. 2014, arXiv 1406.2661.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from dlkit.data.splits import Batch
from dlkit.engine.options import AdversarialConfig
from dlkit.engine.schedules import Schedule, build_schedule
from dlkit.engine.trainer import Setup, Trainer, Values, to_float

_RAMP = 9
"""At first the generator's average reaches back over a ninth of the run so far, so that what it drew untrained is
forgotten; later as far as ``engine.ema`` says, once that is farther."""
Network = Callable[[Tensor], Tensor]


class AdversarialTrainer(Trainer):
    """One step: the discriminator learns from a batch and as many drawn images, then the generator from its verdict.

    ``train/d_loss`` and ``train/g_loss`` are the losses, ``train/d_accuracy`` the share of both halves that
    the discriminator told right before it learnt from them. ``engine.ema`` averages the generator alone, always with a
    ramp that counts the generator's turns; ``engine.ema_ramp``, which counts steps, is not asked for.
    """

    averages: ClassVar[str] = "generator."

    def __init__(self, setup: Setup) -> None:
        # Before the base class, which asks for the optimizers of these.
        self._parts = [list(getattr(setup.model, name).parameters()) for name in ("discriminator", "generator")]
        super().__init__(setup)
        (self._input,) = setup.task.inputs
        model: Any = setup.model
        self._latents: Callable[[int], Tensor] = model.latents
        self._generate = self._lowered(model.generator)
        self._discriminate = self._lowered(model.discriminator)

    @property
    def config(self) -> AdversarialConfig:
        return cast(AdversarialConfig, self.setup.config)

    def wrapped(self) -> nn.Module:
        """The model as it is: several processes average each network's gradients when it has its turn."""
        return self.model

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """The discriminator's and the generator's, in this order."""
        config, fused = self.config, self.setup.device.fuses
        betas = (config.beta1, config.beta2)
        return [
            torch.optim.Adam(part, rate, betas, fused=fused)
            for part, (rate,) in zip(self._parts, self.rates(), strict=True)
        ]

    def rates(self) -> list[list[float]]:
        return [[self.config.discriminator_lr or self.config.lr], [self.config.lr]]

    def schedule(self) -> Schedule | None:
        config = self.config
        return build_schedule(config.schedule, self.setup.total_steps, config.warmup, config.final)

    def step(self, batches: Sequence[Batch], step: int) -> Values:
        """One update of the discriminator; of the generator too, at every ``trainer.turns``-th step."""
        if self._schedule is not None:
            self._set_rates(self._schedule(step))
        probed = bool(self._probe) and step % self._probe == 0
        turn = step % self.config.turns == 0
        values: Values = {}
        latents = self._drawn(batches)
        # What was drawn for the one teaches the other too; it is kept where that takes no more than a micro-batch.
        drawn = self._teach_discriminator(batches, latents, values, keep=turn and len(batches) == 1)
        norm = self._descend(0, probed)
        if turn:
            self._teach_generator(batches, latents, values, drawn)
            norm = self._descend(1, probed)
            if self._ema is not None:
                self._ema.update(_RAMP / (_RAMP + step // self.config.turns))
        if norm is not None and turn:
            values["grad_norm"] = norm
        if probed:
            values["lr"] = float(self._optimizers[1].param_groups[0]["lr"])
        return values

    def evaluate_losses(self, outputs: object, batch: Batch) -> Mapping[str, Tensor]:
        """Both losses, where the model's outputs have both verdicts (``real`` and ``fake``, logits [N])."""
        if not (isinstance(outputs, Mapping) and {"real", "fake"} <= outputs.keys()):
            return {}
        loss = self.setup.loss
        return {
            "d_loss": loss.discriminator(outputs["real"], outputs["fake"]),
            "g_loss": loss.generator(outputs["fake"]),
        }

    def _drawn(self, batches: Sequence[Batch]) -> Sequence[Tensor]:
        """Latents for each micro-batch, drawn at once: torch draws other numbers for twice four than for eight."""
        counts = [len(batch[self._input]) for batch in batches]
        return torch.split(self._latents(sum(counts)), counts)

    def _teach_discriminator(
        self, batches: Sequence[Batch], latents: Sequence[Tensor], values: Values, *, keep: bool
    ) -> Tensor | None:
        """Gradients of the discriminator, its loss and accuracy; with ``keep``, what was drawn, to teach the other."""
        losses: list[Tensor] = []
        right: list[Tensor] = []
        drawn = None
        for (batch, share), source in zip(self._shared(batches), latents, strict=True):
            images = batch[self._input]
            with torch.set_grad_enabled(keep):
                drawn = self._generate(source)
            # Two passes, not one over both: each half is normalised by statistics of its own.
            real, fake = self._discriminate(images), self._discriminate(drawn.detach())
            loss = self.setup.loss.discriminator(real, fake) * share
            loss.backward()
            losses.append(loss.detach())
            # Counted on the device and read with the losses, at the next flush.
            right.append(((real > 0).sum() + (fake <= 0).sum()) * (share / (2 * len(images))))
        values["train/d_loss"], values["train/d_accuracy"] = sum_of(losses), sum_of(right)
        return drawn if keep else None

    def _teach_generator(
        self, batches: Sequence[Batch], latents: Sequence[Tensor], values: Values, drawn: Tensor | None
    ) -> None:
        """Gradients of the generator, and its loss; without ``drawn``, the same images are drawn again, micro-batch by
        micro-batch."""
        losses: list[Tensor] = []
        with self._fixed():
            for (_, share), source in zip(self._shared(batches), latents, strict=True):
                fake = self._generate(source) if drawn is None else drawn
                loss = self.setup.loss.generator(self._discriminate(fake)) * share
                loss.backward()
                losses.append(loss.detach())
        values["train/g_loss"] = sum_of(losses)

    @contextmanager
    def _fixed(self) -> Iterator[None]:
        """Without gradients of the discriminator's weights, which nobody would use."""
        for parameter in self._parts[0]:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in self._parts[0]:
                parameter.requires_grad_(True)

    def _shared(self, batches: Sequence[Batch]) -> Iterator[tuple[Batch, float]]:
        """Each micro-batch and what it counts: both losses are means over samples."""
        return zip(batches, self.sample_shares(batches), strict=True)

    def _descend(self, number: int, probed: bool) -> Tensor | None:
        """One network's update; the norm of its gradient, where that is wanted."""
        part, optimizer = self._parts[number], self._optimizers[number]
        norm = None
        if self._several:  # here and not by a wrapper, which knows one backward pass of all parameters a step
            self.setup.world.average([p.grad for p in part if p.grad is not None])
        if self._clip:
            norm = nn.utils.clip_grad_norm_(part, self._clip)
        elif probed:
            norm = nn.utils.get_total_norm([p.grad for p in part if p.grad is not None])
        optimizer.step()
        optimizer.zero_grad()
        return norm

    def _lowered(self, network: nn.Module) -> Network:
        """A network's forward pass in the run's precision, its result in float32."""
        run: Network = torch.compile(network) if self.setup.engine.compile else network
        dtype, device = self.setup.autocast, self.setup.device
        if dtype is None:
            return run

        def lowered(value: Tensor) -> Tensor:
            with device.autocast(dtype):
                return to_float(run(value))

        return lowered


def sum_of(values: Sequence[Tensor]) -> Tensor:
    """The sum of some scalars; of one, itself."""
    return values[0] if len(values) == 1 else torch.stack(list(values)).sum()

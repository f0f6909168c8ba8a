"""Options of the built-in trainers; no torch here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dlkit.config import CHANGEABLE, Config, at_fork


class SupervisedConfig(Config):
    """Gradient descent with torch's optimizers and a schedule that is a pure function of the step."""

    optimizer: Literal["sgd", "adam", "adamw", "muon"] = Field(
        "adamw", description="Update rule, from torch.optim", json_schema_extra=at_fork("inexact")
    )
    lr: float = Field(
        1e-3, gt=0, description="Learning rate; the peak, where there is a schedule", json_schema_extra=CHANGEABLE
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum (sgd, muon)")
    nesterov: bool = Field(True, description="Nesterov's momentum (sgd, muon)")
    beta1: float = Field(0.9, ge=0, lt=1, description="Decay of the gradient's mean (adam, adamw)")
    beta2: float = Field(0.999, ge=0, lt=1, description="Decay of the gradient's square (adam, adamw)")
    weight_decay: float = Field(
        0.0, ge=0, description="Weight decay, of matrices and filters only: not of biases and norms"
    )
    l1: float = Field(
        0.0, ge=0, description="Weight of Σ|w| in what is minimised, of matrices and filters only; 0: none"
    )
    aux_lr: float = Field(
        1e-3,
        gt=0,
        description="Learning rate of AdamW, for what muon leaves to it (vectors, embeddings, head)",
        json_schema_extra=CHANGEABLE,
    )
    schedule: Literal["constant", "cosine", "one-cycle"] = Field(
        "constant", description="Course of the learning rate over the run"
    )
    warmup: float = Field(
        0.0, ge=0, lt=1, description="Share of the run in which the rate rises linearly to lr (one-cycle: 0 means 0.25)"
    )
    final: float = Field(0.0, ge=0, le=1, description="Rate at the end, as a share of lr (cosine, one-cycle)")


class AdversarialConfig(Config):
    """Two networks taking turns, each with Adam."""

    lr: float = Field(2e-4, gt=0, description="Learning rate of the generator", json_schema_extra=CHANGEABLE)
    discriminator_lr: float = Field(
        0.0, ge=0, description="Learning rate of the discriminator; 0: the generator's", json_schema_extra=CHANGEABLE
    )
    beta1: float = Field(0.5, ge=0, lt=1, description="Decay of the gradient's mean")
    beta2: float = Field(0.999, ge=0, lt=1, description="Decay of the gradient's square")
    turns: int = Field(1, ge=1, description="Updates of the discriminator for one of the generator")
    schedule: Literal["constant", "cosine", "one-cycle"] = Field(
        "constant", description="Course of both learning rates over the run"
    )
    warmup: float = Field(
        0.0, ge=0, lt=1, description="Share of the run in which the rates rise linearly (one-cycle: 0 means 0.25)"
    )
    final: float = Field(0.0, ge=0, le=1, description="Rates at the end, as a share of the highest (cosine, one-cycle)")

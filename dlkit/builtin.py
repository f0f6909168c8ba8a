"""What dlkit itself offers, through the same hooks as everybody."""

from __future__ import annotations

from dlkit import LauncherSpec, SourceSpec, TrainerSpec, hookimpl
from dlkit.data.known import MNIST
from dlkit.data.torchvision_weights import TORCHVISION


@hookimpl
def dlkit_sources() -> list[SourceSpec]:
    return [MNIST, *TORCHVISION.values()]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="supervised",
            summary="Gradient descent on a loss: SGD, Adam, AdamW or Muon, with a schedule",
            target="dlkit.engine.supervised:SupervisedTrainer",
            config="dlkit.engine.options:SupervisedConfig",
        ),
        TrainerSpec(
            name="adversarial",
            summary="A generator and a discriminator taking turns, each with Adam",
            target="dlkit.engine.adversarial:AdversarialTrainer",
            config="dlkit.engine.options:AdversarialConfig",
            interface="adversarial",
        ),
    ]


@hookimpl
def dlkit_launchers() -> list[LauncherSpec]:
    return [
        LauncherSpec(
            name="local",
            summary="One process on this machine",
            target="dlkit.jobs.launchers:local",
        ),
        LauncherSpec(
            name="torchrun",
            summary="Several processes on this machine, through torchrun (gloo on the CPU, NCCL on GPUs)",
            target="dlkit.jobs.launchers:torchrun",
        ),
    ]

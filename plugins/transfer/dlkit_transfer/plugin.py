"""What this plugin offers: a model that begins with what another has learned, and the trainer that is made for it."""

from __future__ import annotations

from dlkit import ModelSpec, TrainerSpec, hookimpl
from dlkit_transfer import recipes

TASK = "classification"
PRESETS = "dlkit_transfer:presets"


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="pretrained",
            task=TASK,
            summary="A network trained before, its weights frozen, with a new head",
            target="dlkit_transfer.model:build",
            config="dlkit_transfer.options:PretrainedConfig",
            version=2,
            migrate="dlkit_transfer.options:migrate",
            defaults={"trainer": "transfer"},
            suggest=recipes.PRETRAINED,
            presets=PRESETS,
            recipes="dlkit_transfer:studies",
        )
    ]


@hookimpl
def dlkit_trainers() -> list[TrainerSpec]:
    return [
        TrainerSpec(
            name="transfer",
            task=TASK,
            summary="Gradient descent that computes what is frozen once, with lower rates for what was trained before",
            target="dlkit_transfer.trainer:TransferTrainer",
            config="dlkit_transfer.options:TransferConfig",
        )
    ]

"""A plugin for the toy task whose components go wrong, in the ways in which a run can. ``faults_parts`` has them."""

from __future__ import annotations

from dlkit import DatasetSpec, LossSpec, ModelSpec, hookimpl


@hookimpl
def dlkit_models() -> list[ModelSpec]:
    return [
        ModelSpec(
            name=name,
            task="toy",
            summary="A deep model, with a fault",
            target=f"faults_parts:{target}",
            config="faults_options:DeepConfig",
        )
        for name, target in (("deep", "deep"), ("greedy", "greedy"), ("raising", "raising"), ("misshapen", "misshapen"))
    ]


@hookimpl
def dlkit_losses() -> list[LossSpec]:
    return [
        LossSpec(
            name=name,
            task="toy",
            summary="A loss, with a fault",
            target=f"faults_parts:{name.replace('-', '_')}",
            config="faults_options:FailingConfig",
        )
        for name in ("not-a-number", "infinite", "raising-loss")
    ]


@hookimpl
def dlkit_datasets() -> list[DatasetSpec]:
    return [
        DatasetSpec(
            name=name,
            task="toy",
            summary="The plane, with a fault",
            target=f"faults_parts:{name.replace('-', '_')}",
            config="faults_options:FaultyPlaneConfig",
        )
        for name in (
            "vanishing",
            "corrupt",
            "unrelated",
            "full-disk",
            "curved",
            "slow-loading",
            "slow-augmentation",
            "slow-evaluation",
        )
    ]

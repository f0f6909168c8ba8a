"""What this plugin offers: ways to look inside the runs of any task."""

from __future__ import annotations

from dlkit import InferenceSpec, hookimpl
from dlkit_insight.sequences import SEQUENCES


@hookimpl
def dlkit_inference() -> list[InferenceSpec]:
    return [
        InferenceSpec(
            name="weights",
            summary="Each layer's weights: how many, of what shape, how they are spread",
            target="dlkit_insight.weights:Weights",
        ),
        *SEQUENCES,
    ]

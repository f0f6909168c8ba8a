"""What this plugin offers for what networks make of their inputs; no torch here."""

from __future__ import annotations

from dlkit import InferenceSpec

REPRESENTATIONS = [
    InferenceSpec(
        name="map",
        summary="What a layer makes of the validation samples, or the vectors of words, as points in the plane",
        target="dlkit_insight.map:Map",
        config="dlkit_insight.representation_options:MapConfig",
    ),
    InferenceSpec(
        name="components",
        task="autoencoder",
        summary="What an autoencoder's codes span, beside principal components of as many numbers",
        target="dlkit_insight.components:Components",
        config="dlkit_insight.representation_options:ComponentsConfig",
    ),
]

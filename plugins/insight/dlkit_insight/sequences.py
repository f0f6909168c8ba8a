"""What this plugin offers for models that read text; no torch here."""

from __future__ import annotations

from dlkit import InferenceSpec

READING = ("textgen", "conjugation", "translation")

SEQUENCES = [
    InferenceSpec(
        name="attention",
        task=READING,
        summary="What a model that reads text looks at, place by place, in every layer that attends",
        target="dlkit_insight.attention:Attention",
        config="dlkit_insight.text_options:AttentionConfig",
    ),
    InferenceSpec(
        name="gates",
        task=READING,
        summary="Gates and states of LSTM and GRU over a text, and what single units follow",
        target="dlkit_insight.gates:Gates",
        config="dlkit_insight.text_options:GatesConfig",
    ),
    InferenceSpec(
        name="surprise",
        task=("textgen", "translation"),
        summary="How probable each token of a text was to the model, coloured in the text",
        target="dlkit_insight.surprise:Surprise",
        config="dlkit_insight.text_options:SurpriseConfig",
    ),
]

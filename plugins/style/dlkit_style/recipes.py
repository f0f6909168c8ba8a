"""Settings with which a picture is finished with no flags."""

from __future__ import annotations

from dlkit import Suggest

ANY = (
    Suggest(
        settings={
            "engine.steps": 200,
            "engine.eval_every": "20 steps",
            "engine.sample_every": "20 steps",
            "engine.batch_size": 1,
            "engine.eval_batch_size": 1,
        }
    ),
)
BACKBONE = (
    Suggest(
        settings={"loss.style_weight": 500.0, "loss.smoothness": 2.0, "model.levels": 2, "model.places": 4},
    ),
)
SQUEEZENET = (Suggest(settings={"loss.style_weight": 60.0, "model.levels": 2}),)
"""Both by eye; of SqueezeNet, of weights from 20 to 1,000 and one to three levels: with more style than this, a
temple is no temple."""

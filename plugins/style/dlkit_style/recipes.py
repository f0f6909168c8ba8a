"""Settings with which a picture is finished with no flags."""

from __future__ import annotations

from dlkit import Suggest

ANY = (
    Suggest(
        settings={
            "engine.steps": 120,
            "engine.eval_every": "20 steps",
            "engine.sample_every": "20 steps",
            "engine.batch_size": 1,
            "engine.eval_batch_size": 1,
        }
    ),
)

"""Settings that train well, found on parts of training splits that were held out."""

from __future__ import annotations

from dlkit import Suggest

_RATE = {"optimizer": "adamw", "lr": 1e-3, "weight_decay": 0.1, "schedule": "cosine", "warmup": 0.05}

PRETRAINED = (
    Suggest.recipe({"trainer": "transfer"}, trainer=_RATE, engine={"epochs": 25, "batch_size": 32}),
    Suggest.recipe({"trainer": "supervised"}, trainer=_RATE, engine={"epochs": 25, "batch_size": 32}),
    # Digits of 8×8 pixels are smaller than anything that the network has seen.
    Suggest.recipe({"dataset": "digits"}, model={"size": 32}),
    # Photographs: what networks have learned of them is in their details. Some hundreds of images are 25 short epochs.
    Suggest.recipe({"dataset": "files"}, dataset={"size": 224}, engine={"epochs": 100, "eval_every": "5 epochs"}),
)

"""Settings with which every model that the plugins offer trains in a second or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlkit.catalog import Catalog
from kept_runs import CANVASES, ENGINE, RECIPES

DATA: Mapping[str, Mapping[str, Any]] = {
    **{task: recipe["dataset"] for task, recipe in RECIPES.items() if "dataset" in recipe},
    "localization": CANVASES,
    "detection": CANVASES,
    "gan": {**RECIPES["gan"]["dataset"], "judged": 24},
    "style": {"size": 32},
}
"""By task; the others' own data sets are small."""
_CONVOLUTIONS = {"width": 4, "stem": 2, "hidden": 8, "code": 4}
_LENET = {"channels": [2, 4], "hidden": [6]}
_CELLS = {"embedding": 6, "hidden": 8, "layers": 1}
MODELS: Mapping[str, Mapping[str, Any]] = {
    **{f"{name.partition('-')[0]} {recipe['model']['name']}": recipe["model"] for name, recipe in RECIPES.items()},
    "autoencoder convolutional": _CONVOLUTIONS,
    "autoencoder denoising": _CONVOLUTIONS,
    "autoencoder deep": {"hidden": [8], "code": 4},
    "classification pretrained": {"hidden": [8]},
    "classification resnet": {"stem_width": 4, "widths": [4, 4], "blocks": [0, 1]},
    "conjugation attention": {"embedding": 8, "hidden": [8], "width": 8, "heads": 2},
    "conjugation rnn": {"embedding": 8, "hidden": [8], "units": 6},
    "detection grid-lenet": _LENET,
    "detection grid-relu": _LENET,
    "detection grid-wide": _LENET,
    "embeddings cbow": {"size": 8, "hidden": [8]},
    "gan dcgan": {"latent": 4, "width": 2, "discriminator_width": 2},
    "localization lenet": _LENET,
    "localization lenet-relu": _LENET,
    "localization lenet-wide": _LENET,
    "style backbone": {"style_layers": ["stage1_1"], "content_layers": ["stage2_1"]},
    "style squeezenet": {"style_layers": ["relu1"], "content_layers": ["fire2"]},
    "style vgg19": {"style_layers": ["relu1_1"], "content_layers": ["relu1_2"]},
    "textgen gru": _CELLS,
    "textgen lstm": _CELLS,
    "translation recurrent": {"embedding": 6, "width": 8},
}
"""By task and model; the others are small as they are."""


UNTRAINED = [("kernels", "fixed")]
"""(task, model) of those that have nothing to train."""


def small(task: str, model: str, **engine: Any) -> dict[str, Any]:
    """A run's configuration."""
    size = RECIPES.get(task, {}).get("engine", {})
    return {
        "dataset": dict(DATA.get(task, {})),
        "model": {**MODELS.get(f"{task} {model}", {}), "name": model},
        "engine": {**ENGINE, "sample_every": "never", **size, **engine},
    }


def models(catalog: Catalog, *, without: str = "") -> list[tuple[str, str]]:
    """(task, model) of all that the plugins offer, those of the trainer ``without`` left out."""
    return [
        (task.name, model.name)
        for task in catalog.specs("task")
        for model in catalog.specs("model", task.name)
        if model.defaults.get("trainer") != without
        and (task.name, model.name) != ("style", "run")  # it builds on a run
    ]

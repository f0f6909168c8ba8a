"""What a run is about to do, as people read it: the model's layers, the data, the device, the precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from dlkit.data.splits import Data
from dlkit.engine.device import Placement

MAX_LAYERS = 200


def model_summary(model: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[dict[str, Any], Any]:
    """Layers with output shapes and parameters; ``memory`` counts parameters and their gradients, in bytes.

    Runs the model once on ``inputs`` in evaluation mode and returns its outputs too; shapes lack the batch axis.
    """
    shapes: dict[str, list[int]] = {}
    leaves = _leaves(model) or {type(model).__name__: model}

    def remember(name: str) -> Any:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                shapes.setdefault(name, list(output.shape[1:]))

        return hook

    handles = [m.register_forward_hook(remember(name)) for name, m in leaves.items()]
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            outputs = model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    unique = {id(p): p for p in model.parameters()}.values()
    trainable = [p for p in unique if p.requires_grad]
    layers = [
        {
            "name": name,
            "type": type(module).__name__.removeprefix("Parametrized"),
            "output": shapes.get(name, []),
            "parameters": sum(p.numel() for p in module.parameters()),
        }
        for name, module in leaves.items()
    ]
    summary = {
        "layers": layers[:MAX_LAYERS],
        "more_layers": max(0, len(layers) - MAX_LAYERS),
        "parameters": sum(p.numel() for p in unique),
        "trainable": sum(p.numel() for p in trainable),
        "memory": sum(p.numel() * p.element_size() for p in (*unique, *trainable)),
    }
    return summary, outputs


def _leaves(model: nn.Module) -> dict[str, nn.Module]:
    """Modules without children, by name; what a weight is computed by (spectral norm, say) is part of its layer."""
    found: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        inside = "parametrizations" in name.split(".")
        if name and not inside and (is_parametrized(module) or not any(module.children())):
            found[name] = module
    return found


def data_summary(data: Data) -> dict[str, Any]:
    """Samples of each split, and what the data set has to say."""
    return {"splits": {name: len(split) for name, split in data.splits.items()}, "notes": list(data.notes)}


def device_summary(placement: Placement) -> Mapping[str, Any]:
    return {"device": placement.name, "precision": placement.precision, "threads": placement.threads}

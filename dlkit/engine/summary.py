"""What a run is about to do, as people read it: the model's layers, the data, the device, the precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from dlkit.data.splits import Data
from dlkit.engine.device import Placement
from dlkit.engine.trainer import evaluation_mode
from dlkit.json_types import Json, JsonObject
from dlkit.nn.frozen import frozen_names

MAX_LAYERS = 200
"""A summary is one event: a network of thousands of layers would make it the largest line of the log."""


def model_summary(model: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[JsonObject, object]:
    """Layers with output shapes and parameters; ``memory`` counts parameters and their gradients, in bytes.

    Runs the model once on ``inputs`` in evaluation mode and returns its outputs too; shapes lack the batch axis.
    """
    leaves = _leaves(model) or {type(model).__name__: model}
    # Without training's side effects: running statistics stay what they are, and nothing is kept for gradients.
    with evaluation_mode(model), _output_shapes(leaves) as shapes, torch.no_grad():
        outputs: object = model(*inputs)
    unique = {id(p): p for p in model.parameters()}.values()  # tied weights once
    trainable = [p for p in unique if p.requires_grad]
    frozen = frozen_names(model)
    kept = {id(p) for name, p in model.named_parameters() if name in frozen}
    layers: list[Json] = [_layer(name, module, shapes.get(name, [])) for name, module in leaves.items()]
    summary: JsonObject = {
        "layers": layers[:MAX_LAYERS],
        "more_layers": max(0, len(layers) - MAX_LAYERS),
        "parameters": sum(p.numel() for p in unique),
        "trainable": sum(p.numel() for p in trainable),
        "frozen": sum(p.numel() for p in unique if id(p) in kept),
        "memory": sum(p.numel() * p.element_size() for p in (*unique, *trainable)),
    }
    return summary, outputs


@contextmanager
def _output_shapes(leaves: Mapping[str, nn.Module]) -> Iterator[dict[str, list[int]]]:
    """The shapes of what these modules give inside, by name, without the batch axis; of several calls, the first."""
    shapes: dict[str, list[int]] = {}

    def remember(name: str, output: object) -> None:
        if isinstance(output, Tensor):
            shapes.setdefault(name, list(output.shape[1:]))

    handles = [
        module.register_forward_hook(lambda _module, _inputs, output, name=name: remember(name, output))
        for name, module in leaves.items()
    ]
    try:
        yield shapes
    finally:
        for handle in handles:
            handle.remove()


def _layer(name: str, module: nn.Module, output: list[int]) -> Json:
    return {
        "name": name,
        "type": type(module).__name__.removeprefix("Parametrized"),
        "output": list(output),
        "parameters": sum(p.numel() for p in module.parameters()),
    }


def _leaves(model: nn.Module) -> dict[str, nn.Module]:
    """Modules without children, by name; what a weight is computed by (spectral norm, say) is part of its layer."""
    found: dict[str, nn.Module] = {}
    for name, module in model.named_modules():
        inside = "parametrizations" in name.split(".")
        if name and not inside and (is_parametrized(module) or not any(module.children())):
            found[name] = module
    return found


def data_summary(data: Data) -> JsonObject:
    """Samples of each split, and what the data set has to say."""
    return {"splits": {name: len(split) for name, split in data.splits.items()}, "notes": list(data.notes)}


def device_summary(placement: Placement) -> JsonObject:
    """Where and how it computes."""
    return {
        "device": placement.name,
        "precision": placement.precision,
        "threads": placement.threads,
        "threads_why": placement.threads_why,
    }

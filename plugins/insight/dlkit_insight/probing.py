"""What a network computes on its way: the outputs of its modules, in the order in which they come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from dlkit.data.encoding import Encoding
from dlkit.image_predictor import Normalised
from dlkit.task import AnyTask, Info

_FOLLOWING = (
    nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Tanh, nn.Sigmoid,
    nn.Hardswish, nn.ELU, nn.ReLU6,
)  # fmt: skip
"""What belongs to the convolution before it."""


@dataclass(frozen=True)
class Probed:
    """``outputs`` of modules by name, in order; ``modules`` are the same names' modules."""

    outputs: dict[str, Tensor] = field(default_factory=dict)
    modules: dict[str, nn.Module] = field(default_factory=dict)

    def maps(self) -> list[str]:
        """Those whose output is a map [N,C,h,w] of more than one place."""
        return [name for name, found in self.outputs.items() if found.dim() == 4 and found[0, 0].numel() > 1]


@contextmanager
def probing(model: nn.Module) -> Iterator[Probed]:
    """Within this, what each module gives is kept, where that is one tensor; the second time as ``NAME@2``.

    What follows gets a copy: a ReLU that works in place does not change what is kept.
    """
    probed = Probed()

    def keeper(name: str) -> object:
        def keep(module: nn.Module, inputs: object, output: object) -> object:
            if not isinstance(output, Tensor):
                return None
            seen = sum(known is module for known in probed.modules.values())
            called = f"{name}@{seen + 1}" if seen else name
            probed.outputs[called], probed.modules[called] = output, module
            return output.clone()

        return keep

    hooks = [m.register_forward_hook(keeper(name)) for name, m in model.named_modules() if name]
    try:
        yield probed
    finally:
        for hook in hooks:
            hook.remove()


def device_of(model: nn.Module) -> torch.device:
    tensor = next(iter([*model.parameters(), *model.buffers()]), None)
    return tensor.device if tensor is not None else torch.device("cpu")


def image_encoding(info: Info, channels: int) -> Encoding:
    """How pixels become a model's input: by mean and deviation, where ``info`` has them, else pixel / 255."""
    if isinstance(info, Normalised):
        return Encoding(info.mean, info.std)
    return Encoding(torch.zeros(channels).numpy(), torch.ones(channels).numpy())


def lacks_images(task: AnyTask, info: Info) -> str:
    """Why a task is none of images, as ``Predictor.lacks`` says it."""
    if tuple(task.inputs) != ("image",) or len(task.batch["image"].axes) != 4:
        return f"it looks at images, and models of this task are given {', '.join(task.inputs)}"
    lacking = [name for name in ("shape", "fit") if not hasattr(info, name)]
    return f"it looks at images, and the task's info lacks {' and '.join(lacking)}" if lacking else ""


def blank(model: nn.Module, info: Info) -> Tensor:
    """An image [1,C,H,W] of zeros on the model's device."""
    return torch.zeros(1, *info.shape, device=device_of(model))  # type: ignore[attr-defined]


def map_layer(model: nn.Module, probed: Probed, gradients: dict[str, Tensor]) -> str:
    """The layer whose map tells most of where things are: the one that the model names itself (``map_layer``), else the
    last convolution of more than one pixel that the score depends on, its norm and activation included; empty: none."""
    if isinstance(named := getattr(model, "map_layer", None), str):
        return named
    able = [n for n in probed.maps() if n in gradients and bool(gradients[n].any())]
    convolutions = {n: module for n in able if isinstance(module := probed.modules[n], nn.Conv2d)}
    wide = [n for n, module in convolutions.items() if max(module.kernel_size) > 1]
    if not convolutions:
        return ""
    chosen = (wide or list(convolutions))[-1]
    order = list(probed.outputs)
    for name in order[order.index(chosen) + 1 :]:
        same = name in able and probed.outputs[name].shape == probed.outputs[chosen].shape
        if not (same and isinstance(probed.modules[name], _FOLLOWING)):
            break
        chosen = name
    return chosen


def gradients_of(score: Tensor, probed: Probed) -> dict[str, Tensor]:
    """Of the sum of scores [N], by each kept map that it depends on."""
    names = [name for name in probed.maps() if probed.outputs[name].requires_grad]
    with suppress(RuntimeError):
        found = torch.autograd.grad(
            score.sum(), [probed.outputs[n] for n in names], allow_unused=True, retain_graph=True
        )
        return {name: gradient for name, gradient in zip(names, found, strict=True) if gradient is not None}
    return {}

"""Networks that pictures are looked at through: torchvision's architectures, their layers by name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt
import torch
from torch import Tensor, nn

from dlkit.data.torchvision_weights import TORCHVISION
from dlkit.data.weights import EMBEDDED, downloaded_weights, embedded_weights, fill, fill_part, named_weights
from dlkit.errors import UsageError
from dlkit.nn import backbone
from dlkit_style import options
from dlkit_style.observed import Observed
from dlkit_style.options import RANDOM

Statistics = tuple[npt.ArrayLike, npt.ArrayLike]
"""Mean and deviation of pixels in [0, 1]: of red, green and blue, or of grey."""
IMAGENET: Statistics = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pixels that torchvision's networks were trained on."""
_PARTS = ("body.", "backbone.", "features.network.")
"""Where such a network stands within another model, a run of this task too."""
_VGG19 = (2, 2, 4, 4, 4)
"""Convolutions of each block."""


class Chain(nn.Module):
    """``features``, one module after the other, whose outputs have names."""

    def __init__(self, features: nn.Sequential, names: Sequence[str]) -> None:
        super().__init__()
        self.features, self.names = features, list(names)

    def cut(self, layers: Sequence[str]) -> None:
        """Drop what comes after the last of these layers, and leave what they give as it is."""
        numbers = {self.names.index(layer) for layer in layers}
        last = max(numbers) + 1
        self.features, self.names = self.features[:last], self.names[:last]
        for number, module in enumerate(self.features):
            if isinstance(module, nn.ReLU):  # in place, it would write over the convolution's map
                module.inplace = number - 1 not in numbers

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """[N,3,H,W] → maps [N,C,h,w] by layer."""
        found: dict[str, Tensor] = {}
        for name, module in zip(self.names, self.features, strict=True):
            image = module(image)
            if name in layers:
                found[name] = image
        return found


Network = Chain | Observed
"""What features may be of."""


def vgg19(weights: str, pooling: str) -> Chain:
    """``conv1_1``, ``relu1_1``, … ``relu5_4``, ``pool1`` … ``pool5``. DataError for a file of another network."""
    from torchvision.models import vgg19 as network  # type: ignore[import-untyped]

    features = network(weights=None, init_weights=False).features
    names: list[str] = []
    for block, count in enumerate(_VGG19, 1):
        names += [f"{kind}{block}_{i}" for i in range(1, count + 1) for kind in ("conv", "relu")] + [f"pool{block}"]
    if pooling == "average":
        for number, name in enumerate(names):
            if name.startswith("pool"):
                features[number] = nn.AvgPool2d(2)
    return _with_weights(Chain(features, names), weights, TORCHVISION["vgg19"].name)


def squeezenet(weights: str) -> Chain:
    """``conv1``, ``relu1``, ``pool1``, ``fire2``, ``fire3``, ``pool3``, … ``fire9``. DataError as for ``vgg19``."""
    from torchvision.models import squeezenet1_1 as network

    names = ["conv1", "relu1", "pool1", "fire2", "fire3", "pool3", "fire4", "fire5", "pool5"]
    names += ["fire6", "fire7", "fire8", "fire9"]
    return _with_weights(Chain(network(weights=None).features, names), weights, TORCHVISION["squeezenet1_1"].name)


def embedded() -> Chain:
    """The network that comes with dlkit: ``stage1_1``, ``stage2_1``, ``stage2_2``, … ``stage4_2``."""
    whole = backbone.embedded()
    if (found := embedded_weights()) is not None:
        fill(whole, found, EMBEDDED)
    stages = [stage for stage in whole.stages if isinstance(stage, nn.Sequential)]
    parts = {f"stage{i}_{j}": part for i, stage in enumerate(stages, 1) for j, part in enumerate(stage, 1)}
    return Chain(nn.Sequential(*parts.values()), list(parts))


def _with_weights(chain: Chain, weights: str, source: str) -> Chain:
    if weights == RANDOM:
        draw(chain)
        return chain
    try:
        found = downloaded_weights(source) if weights == options.IMAGENET else named_weights(weights)
    except UsageError as error:  # of a word that is none of these, it knows that there is no such run
        allowed = "random, imagenet, a .safetensors or .pth file, or a run"
        raise UsageError(f"model.weights = {weights!r} is none of {allowed}: {error}") from error
    if found is not None:
        fill_part(chain, found, weights, _PARTS)
    return chain


def draw(network: nn.Module) -> None:
    """Random weights that keep a picture's variance from layer to layer (He et al. 2015, arXiv 1502.01852)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def least_side(network: nn.Module, layers: Sequence[str], channels: int = 3, most: int = 1024) -> int:
    """The side in pixels of the smallest square picture that reaches these layers; ``most`` + 1: none of up to that."""
    return next((side for side in range(1, most + 1) if fits(network, layers, (channels, side, side))), most + 1)


def fits(network: nn.Module, layers: Sequence[str], shape: tuple[int, int, int]) -> bool:
    """Whether pictures of a shape [C,H,W] reach these layers. Costs no memory and hardly any time."""
    state = {name: value.to("meta") for name, value in network.state_dict(keep_vars=True).items()}
    image = torch.empty(1, *shape, device="meta")
    try:
        with torch.no_grad():
            found = torch.func.functional_call(network, state, (image, layers))
    except RuntimeError:  # which says what of torch's own arithmetic came below 1
        return False
    return all(tensor.numel() > 0 for tensor in found.values())

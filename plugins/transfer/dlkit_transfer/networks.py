"""Networks without their heads, as blocks one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from dlkit.nn import backbone

Statistics = tuple[tuple[float, float, float], tuple[float, float, float]]
IMAGENET: Statistics = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of the images that torchvision's weights were trained on."""


class Body(nn.Module):
    """image [N,3,H,W], normalised as the network wants it → its last maps [N,C,h,w].

    Its parameters have the names that they have in published weights; ``blocks`` are the same modules in the order in
    which they follow each other, and what is frozen or fine-tuned is whole blocks.
    """

    def __init__(self, parts: Mapping[str, nn.Module], blocks: Sequence[nn.Module], statistics: Statistics) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.blocks = tuple(blocks)  # a tuple, so that they are not registered a second time
        self.mean, self.std = statistics

    def forward(self, image: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        """Through the blocks from ``first`` up to ``last``."""
        for block in self.blocks[first:last]:
            image = block(image)
        return image


class OwnClasses(nn.Module):
    """last maps [N,C,h,w] → what a network itself says of some of the classes that it was trained on: logits [N,K].

    Its layers have the names that they have in published weights.
    """

    def __init__(self, whole: nn.Module, columns: Sequence[int]) -> None:
        super().__init__()
        layers = dict(whole.named_children())
        self._last = "classifier" if "classifier" in layers else "fc"
        for name in ("avgpool", self._last):
            if name in layers:
                self.add_module(name, layers[name])
        # SqueezeNet's and ConvNeXt's classifiers take maps; the others flatten them first.
        self._flat = not any(isinstance(layer, nn.Conv2d | nn.Flatten) for layer in layers[self._last].children())
        self.columns = list(columns)

    def forward(self, maps: Tensor) -> Tensor:
        for name, layer in self.named_children():
            maps = layer(maps.flatten(1) if self._flat and name == self._last else maps)
        return maps.flatten(1)[:, self.columns]


def own_classes(name: str, classes: Sequence[str]) -> OwnClasses | None:
    """What torchvision's network says of classes that ImageNet has too; None: it has not all of them, each once."""
    import torchvision  # type: ignore[import-untyped]

    columns = _columns(torchvision.models.get_model_weights(name).DEFAULT.meta["categories"], classes)
    return OwnClasses(torchvision.models.get_model(name, weights=None), columns) if columns is not None else None


def _columns(known: Sequence[str], classes: Sequence[str]) -> list[int] | None:
    places = {category.lower(): column for column, category in enumerate(known)}
    found = [next((places[form] for form in _forms(one) if form in places), None) for one in classes]
    columns = [column for column in found if column is not None]
    return columns if len(columns) == len(classes) == len({*columns}) else None


def _forms(name: str) -> list[str]:
    """A class's name as folders are named, and its singular: ``ants``, ``Garden_spiders``, ``daisies``."""
    plain = name.lower().replace("_", " ")
    endings = {"ies": "y", "es": "", "s": ""}
    return [plain, *(plain.removesuffix(end) + new for end, new in endings.items() if plain.endswith(end))]


def embedded() -> Body:
    """dlkit's own."""
    whole = backbone.embedded()
    blocks = [block for stage in whole.stages.children() for block in stage.children()]
    return Body({"stages": whole.stages}, blocks, (backbone.MEAN, backbone.STD))


def of_torchvision(name: str) -> Body:
    """One of ``torchvision.models``, with weights drawn at random."""
    import torchvision

    whole = torchvision.models.get_model(name, weights=None)
    if hasattr(whole, "features"):
        return Body({"features": whole.features}, [*_blocks(whole.features)], IMAGENET)
    parts = dict(list(whole.named_children())[:-2])  # without the pooling and the head
    stem = [part for part in parts.values() if not isinstance(part, nn.Sequential)]
    layers = [block for part in parts.values() if isinstance(part, nn.Sequential) for block in part]
    return Body(parts, [nn.Sequential(*stem), *layers], IMAGENET)


def _blocks(features: nn.Sequential) -> Iterator[nn.Module]:
    """Layers by themselves up to the next pooling are a block (VGG's), and so is what has layers of its own."""
    group: list[nn.Module] = []
    for layer in features:
        whole = any(True for _ in layer.children())
        if whole and group:
            yield nn.Sequential(*group)
            group = []
        group.append(layer)
        if whole or isinstance(layer, nn.MaxPool2d):
            yield nn.Sequential(*group)
            group = []
    if group:
        yield nn.Sequential(*group)

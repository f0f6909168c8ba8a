"""Any network, the outputs of its modules by their names."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from torch import Tensor, nn

from dlkit.errors import UsageError

_STYLES = 5
"""Layers that styles are looked at through, unless somebody says which."""


class _Reached(Exception):
    """All that was asked for has been seen: what comes after it need not be computed."""


class Observed(nn.Module):
    """A network as a whole; it is left where the last of the layers that are looked at has been reached."""

    def __init__(self, whole: nn.Module) -> None:
        super().__init__()
        self.whole = whole
        self.names = [name for name, _ in whole.named_modules() if name]
        self._found: dict[str, Tensor] = {}
        self._wanted = 0

    def cut(self, layers: Sequence[str]) -> None:
        """Watch these layers."""
        for module in self.whole.modules():
            if hasattr(module, "inplace"):
                vars(module)["inplace"] = False  # it would write over the map before it
        self._wanted = len(layers)
        for name in layers:
            self.whole.get_submodule(name).register_forward_hook(
                lambda _module, _inputs, output, name=name: self._saw(name, output)
            )

    def forward(self, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
        """[N,C,H,W] → maps [N,c,h,w] by layer; UsageError for a layer that gives none, or is not reached."""
        self._found = {}
        with suppress(_Reached):
            self.whole(image)
        found, self._found = self._found, {}
        missing = [name for name in layers if name not in found]
        if missing:
            raise UsageError(f"layer {missing[0]} of the run's network gives no maps [N,C,H,W]: give another")
        return found

    def _saw(self, name: str, output: object) -> None:
        if isinstance(output, Tensor) and output.dim() == 4:
            self._found.setdefault(name, output)
        if len(self._found) == self._wanted:
            raise _Reached


def usual_layers(network: Observed) -> tuple[list[str], list[str]]:
    """Layers for content and styles, where nobody says which: convolutions from all over the network.

    UsageError for one without any.
    """
    found = [name for name, module in network.whole.named_modules() if isinstance(module, nn.Conv2d)]
    if not found:
        raise UsageError("dataset.network: the run's network has no convolutions: there are no maps to compare")
    count = min(_STYLES, len(found))
    styles = [found[number * len(found) // count] for number in range(count)]
    return [found[len(found) // 2]], styles

"""How weights start, by the names that options have for it."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Init = Literal["torch", "zeros", "ones", "uniform", "general", "normal", "xavier", "kaiming"]
"""``torch``: as torch makes them. ``zeros``, ``ones``; ``uniform``: in [0, 1). ``general``: uniform in ±1/√n, n being a
unit's inputs, and ``normal``: N(0, 1/n). ``xavier``: uniform (Glorot and Bengio 2010); ``kaiming``: normal, for ReLU
(He et al. 2015, arXiv 1502.01852)."""
_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


def initialise(model: nn.Module, how: Init) -> nn.Module:
    """Start the weights of dense and convolutional layers so, and their biases at 0; with ``torch`` nothing changes."""
    if how != "torch":
        for layer in model.modules():
            if isinstance(layer, _WEIGHTED):
                _start(layer.weight, how)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return model


def _start(weight: Tensor, how: Init) -> None:
    inputs = weight[0].numel()
    if how in ("zeros", "ones"):
        nn.init.constant_(weight, 1.0 if how == "ones" else 0.0)
    elif how == "uniform":
        nn.init.uniform_(weight)
    elif how == "general":
        nn.init.uniform_(weight, -(inputs**-0.5), inputs**-0.5)
    elif how == "normal":
        nn.init.normal_(weight, 0.0, inputs**-0.5)
    elif how == "xavier":
        nn.init.xavier_uniform_(weight)
    else:
        nn.init.kaiming_normal_(weight, nonlinearity="relu")

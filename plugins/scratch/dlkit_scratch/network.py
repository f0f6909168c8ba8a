"""A network that NumPy computes, as a torch module.

Parameters are torch's, without gradients, and NumPy computes in the same memory: checkpoints, hashes, evaluation and
predictions see an ``nn.Module`` like any other. Nothing may bind a parameter to new memory while it is trained;
``load_state_dict`` copies into the old.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dlkit.errors import UsageError
from dlkit.nn.trace import Trace
from dlkit_scratch.activations import ACTIVATIONS, Floats


class Layer(nn.Module):
    """x [N,in] → f(x·weight + bias) [N,out]; ``weight`` is [in,out], the layout of the formula."""

    def __init__(self, weight: Floats, activation: str) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(weight), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(weight.shape[1]), requires_grad=False)
        self.activation = ACTIVATIONS[activation]

    def arrays(self) -> tuple[Floats, Floats]:
        """Weight and bias as NumPy sees them: the parameters' own memory."""
        return self.weight.detach().numpy(), self.bias.detach().numpy()

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_exporting():  # a graph cannot follow NumPy: it gets the same formula in torch's operations
            return self.activation.graph(torch.addmm(self.bias, x, self.weight))
        check_device(x.device)
        weight, bias = self.arrays()
        z = x.detach().numpy() @ weight
        z += bias
        self.activation.forward(z)
        return torch.from_numpy(z)


class Network(nn.Module):
    """A chain of layers on flattened inputs [N,…] → [N,out].

    ``dropout`` is the share of hidden units that training leaves out; the trainer does that, evaluation never. So does
    it fill the ``trace``, where there is one.
    """

    def __init__(self, layers: Sequence[Layer], dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.dropout = dropout
        self.trace: Trace | None = None

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.layers(x.flatten(1))
        return outputs


def check_device(device: torch.device) -> None:
    if device.type != "cpu":
        raise UsageError(f"the scratch models compute in NumPy, which knows the CPU only, not {device}: --device cpu")


def zeros(inputs: int, outputs: int) -> Network:
    """One layer that starts at 0: what is convex, or a perceptron, needs no random start."""
    return Network([Layer(np.zeros((inputs, outputs), np.float32), "identity")])


def multilayer(sizes: Sequence[int], activation: str, dropout: float, generator: np.random.Generator) -> Network:
    """Layers of these sizes, the first being the inputs'; weights are normal, biases 0.

    The standard deviation is √(1/inputs) of the layer (LeCun et al. 1998, Efficient BackProp, section 4.6), and
    √(2/inputs) before ReLU (He et al. 2015, arXiv 1502.01852).
    """
    layers = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        last = i == len(sizes) - 2
        gain = 2.0 if activation == "relu" and not last else 1.0
        weight: Any = generator.normal(0, (gain / inputs) ** 0.5, (inputs, outputs)).astype(np.float32)
        layers.append(Layer(weight, "identity" if last else activation))
    return Network(layers, dropout)

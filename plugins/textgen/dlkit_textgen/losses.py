"""What text generation minimises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from dlkit.config import NoOptions
from dlkit.data.text.windows import IGNORED
from dlkit_textgen.info import TextInfo

Loss = Callable[[Tensor, Mapping[str, Tensor]], Mapping[str, Tensor]]


def cross_entropy(config: NoOptions, info: TextInfo) -> Loss:
    """Mean over the counted targets of −log softmax at the next token, in nats."""

    def loss(outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs.flatten(0, 1), batch["target"].flatten(), ignore_index=IGNORED)}

    return loss

"""What text generation minimises."""

from __future__ import annotations

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor, nn

from dlkit.config import NoOptions
from dlkit.data.text.windows import IGNORED
from dlkit_textgen.info import TextInfo


class CrossEntropy:
    """Mean over the counted targets of −log softmax at the next token, in nats."""

    def __call__(self, outputs: Tensor, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        return {"loss": F.cross_entropy(outputs.flatten(0, 1), batch["target"].flatten(), ignore_index=IGNORED)}

    def counts(self, batch: Mapping[str, Tensor], model: nn.Module) -> Tensor:
        """Counted targets."""
        return (batch["target"] != IGNORED).sum()


def cross_entropy(config: NoOptions, info: TextInfo) -> CrossEntropy:
    return CrossEntropy()

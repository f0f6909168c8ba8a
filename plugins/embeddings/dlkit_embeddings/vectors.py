"""The words of a trained embedding and their vectors, as exports, answers and other tasks want them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from dlkit.errors import PluginError
from dlkit_embeddings.word_vectors.info import WordsInfo

Matrix = npt.NDArray[np.float32]


def stored_vectors(model: nn.Module, info: WordsInfo) -> tuple[list[str], Matrix]:
    """The vocabulary by number, ``<unk>`` among it where the text kept it, and a vector each, float32 [words, size].

    A model says which of its matrices they are as ``vectors() -> Tensor [words, size]``; of one that does not it is the
    first ``nn.Embedding`` with a row a word. PluginError: it has none.
    """
    words = list(info.words)
    return words, _matrix(model, len(words)).detach().float().cpu().numpy().copy()


def _matrix(model: nn.Module, words: int) -> Tensor:
    if callable(named := getattr(model, "vectors", None)):
        found: Tensor = named()
        return found
    for module in model.modules():
        if isinstance(module, nn.Embedding) and module.num_embeddings >= words:
            return module.weight[:words]
    raise PluginError(f"model {type(model).__name__} has no vectors(): nor an embedding with a row for each word")

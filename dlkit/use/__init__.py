"""Use: querying a trained model, what its samples look like, and models that left dlkit.

``Predictor`` is what a plugin's inference component subclasses; ``load`` makes one from a run's checkpoint. Both are
imported when they are first asked for: an exported folder is read without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlkit.predictor import Answer, Predictor

__all__ = ["Answer", "Predictor"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'dlkit.use' has no attribute {name!r}")
    from dlkit import predictor

    return getattr(predictor, name)

"""Inference: querying a trained model, and what its samples look like.

``Predictor`` is what a plugin's inference component subclasses; ``load`` makes one from a run's checkpoint.
"""

from dlkit.predictor import Answer, Predictor

__all__ = ["Answer", "Predictor"]

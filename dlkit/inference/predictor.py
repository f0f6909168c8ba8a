from dlkit.predictor import Answer, Predictor

__all__ = ["Answer", "Predictor"]

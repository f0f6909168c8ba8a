"""Inference: querying a trained model, and what its samples look like."""

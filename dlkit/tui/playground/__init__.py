"""Asking a run's model something."""

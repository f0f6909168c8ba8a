"""Counts and orders that the metrics and samples of several tasks are made of."""

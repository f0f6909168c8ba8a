"""Data: sources and readers, splits, plans, and randomness as a function.

``sources`` and ``extract`` know nothing of torch; ``splits``, ``plans`` and ``augment`` are what batches come from.
"""

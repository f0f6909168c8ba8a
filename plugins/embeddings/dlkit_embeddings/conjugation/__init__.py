"""The task ``conjugation``: which form of *be* or *have* stands in the gap of a sentence."""

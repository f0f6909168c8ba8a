"""Runs: the folder, its event log, the lock, and an index over many of them."""

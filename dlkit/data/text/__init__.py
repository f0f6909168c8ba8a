"""Text for every plugin that trains on it: reading it, tokens and vocabularies, windows, streams and buckets."""

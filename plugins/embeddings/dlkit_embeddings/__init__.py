"""Two plugins: ``embeddings`` (``word_vectors/``) and ``conjugation``; what both share is beside them."""

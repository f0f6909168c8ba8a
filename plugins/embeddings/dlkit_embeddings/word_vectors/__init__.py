"""The task ``embeddings``: vectors for words, learnt from the words around them."""

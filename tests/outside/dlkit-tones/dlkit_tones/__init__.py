"""A dlkit plugin: which tones sound in a signal, several at once."""

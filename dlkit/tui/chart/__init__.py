"""Curves in a terminal: thinned without losing a spike, drawn in braille, looked around in by keys and mouse."""

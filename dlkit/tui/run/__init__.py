"""One run: its head, and a pane for each aspect of it."""

"""What a list offers."""

from __future__ import annotations

Choices = tuple[tuple[str, str], ...]
"""(text, label) each; the text "" means none."""

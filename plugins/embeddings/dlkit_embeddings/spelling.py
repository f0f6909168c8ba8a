"""How a token of a text is spelled as a word, for both tasks: the words of one look up the vectors of the other."""

from __future__ import annotations

NUMBER = "<number>"
"""Stands for every number, where all are one word."""


def plain(token: str) -> str:
    """Without the marks of ``_emphasis_``, with a typewriter's apostrophe for the typographic one; empty: marks only.

    Books in plain text mark emphasis with underscores, and write *don’t* as well as *don't*.
    """
    return token.strip("_").replace("’", "'")

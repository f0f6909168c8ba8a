"""How a token of a text is spelled as a word, for both tasks: the words of one look up the vectors of the other."""

from __future__ import annotations

NUMBER = "<number>"
"""Stands for every number, where all are one word."""


def spelled(token: str) -> str:
    """Without the marks of ``_emphasis_``, with a typewriter's apostrophe for the typographic one.

    Books in plain text mark emphasis with underscores, and write *don’t* as well as *don't*.
    """
    # A sign by itself stays as it is: a lone ’ closes a quotation, which ' may open as well.
    return (token.strip("_").replace("’", "'") or token) if len(token) > 1 else token

"""What has a terminal call a person who has looked away: its bell, and its own notification (OSC 9)."""

from __future__ import annotations

from collections.abc import Mapping

MUTE = ("", "dumb")
"""Terminals that are sent nothing."""
PLAIN = ("linux",)
"""Terminals that take the start of an OSC for something else: bell only."""


def notification(text: str, environment: Mapping[str, str]) -> str:
    """What to send to the terminal that the environment describes.

    OSC 9 was iTerm2's; kitty, WezTerm, ghostty, foot and Windows Terminal know it too, others pass over it. tmux
    hands it on wrapped in its own DCS, escapes doubled (and ``allow-passthrough on``).
    """
    term = environment.get("TERM", "")
    if term in MUTE:
        return ""
    if term in PLAIN:
        return "\a"
    sequence = f"\033]9;{''.join(c if c.isprintable() else ' ' for c in text).strip()}\a"
    if environment.get("TMUX"):
        doubled = sequence.replace("\033", "\033\033")
        sequence = f"\033Ptmux;{doubled}\033\\"
    return f"\a{sequence}"

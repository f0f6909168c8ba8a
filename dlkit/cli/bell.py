"""A sign to the person who has looked away: the terminal's bell, and its own notification (OSC 9)."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

MUTE = ("", "dumb")
"""Terminals that are told nothing."""
PLAIN = ("linux",)
"""Terminals that take the start of an OSC for something else: bell only."""


def tell_ended(text: str) -> None:
    """Ring, and have the terminal show a text, if stderr is one."""
    if sys.stderr.isatty():
        sys.stderr.write(signal_of(text, os.environ))
        sys.stderr.flush()


def signal_of(text: str, environment: Mapping[str, str]) -> str:
    """What to send to the terminal that the environment describes.

    OSC 9 was iTerm2's; kitty, WezTerm, ghostty, foot and Windows Terminal know it too, others pass over it. tmux
    hands it on wrapped in its own DCS, escapes doubled (and ``allow-passthrough on``).
    """
    term = environment.get("TERM", "")
    if term in MUTE:
        return ""
    if term in PLAIN:
        return "\a"
    notification = f"\033]9;{''.join(c if c.isprintable() else ' ' for c in text).strip()}\a"
    if environment.get("TMUX"):
        doubled = notification.replace("\033", "\033\033")
        notification = f"\033Ptmux;{doubled}\033\\"
    return f"\a{notification}"

"""Text as models see it."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")


def normal(text: str) -> str:
    """Unicode's NFKC, one blank for any white space, none at the ends."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()

"""What stands for a sign where a terminal's encoding does not have it: ASCII that looks like it.

An error handler of codecs, ``PLAIN``: it is in force on whatever is written to stdout and stderr, by whomever. Letters
of people's own words are ``?``: without their accents two names would look like one.
"""

from __future__ import annotations

import codecs

PLAIN = "dlkit-plain"
_SIGNS = {
    **dict(zip("▁▂▃▄▅▆▇█", "_.-:=+*#", strict=True)),
    **dict.fromkeys("─━╌╴╶╸╺‐‑‒–—−", "-"),
    **dict.fromkeys("│┃╎", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛", "+"),
    **dict.fromkeys("·•", "."),
    **dict.fromkeys("●○◆■", "*"),
    **dict.fromkeys("▲▴△↑", "^"),
    **dict.fromkeys("▼▾▽↓", "v"),
    **dict.fromkeys("‘’′", "'"),
    **dict.fromkeys("“”", '"'),
    "…": "...", "→": "->", "←": "<-", "↔": "<->", "↵": "\\n", "▸": ">", "▶": ">", "◀": "<", "❯": ">",
    "×": "x", "✕": "x", "✗": "x", "✓": "+", "±": "+-", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "½": "1/2", "²": "^2",
    **dict(zip("▉▊▋▍▎▏", "###|||", strict=True)),
    **dict(zip("▚▞▙▟▛▜", "\\/LJF7", strict=True)),
    "⑂": "<", "³": "^3", "√": "sqrt", "∞": "inf", "▀": "^", "▌": "|", "▐": "|", "░": ".", "▒": ":", "▓": "#",
    "\u00a0": " ", "\ufeff": "",
}  # fmt: skip
_DOTS = " .,:;+*#@"
"""A braille sign, by how many of its eight dots are set: a chart is then at least a shape."""


def _plain(letter: str) -> str:
    if "\u2800" <= letter <= "\u28ff":
        return _DOTS[(ord(letter) - 0x2800).bit_count()]
    return _SIGNS.get(letter, "?")


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


codecs.register_error(PLAIN, _replaced)

"""What the documentation promises to those who write plugins: the table of docs/authors/index.md."""

from __future__ import annotations

import re

from structure import ROOT

_LINE = re.compile(r"^\| `(dlkit[\w.]+)` \| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)
PROMISED = [
    (module, name)
    for module, names in _LINE.findall((ROOT / "docs" / "authors" / "index.md").read_text(encoding="utf-8"))
    for name in re.findall(r"\w+", names)
]

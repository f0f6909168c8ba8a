"""Opening a browser without telling everybody on the machine the address.

A browser is given its address on the command line, which all users of the machine can read. So it is given a file that
only its owner can read, and which goes on to the address.
"""

from __future__ import annotations

import html
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dlkit.present.output import say

_PAGE = '<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={url}"><title>dlkit</title>\n'


@contextmanager
def in_browser(url: str) -> Iterator[None]:
    """Have a browser open the address; the file is gone when left. Says so where there is no browser."""
    with tempfile.TemporaryDirectory(prefix="dlkit-web-") as folder:  # mode 0700
        page = Path(folder) / "open.html"
        page.write_text(_PAGE.format(url=html.escape(url)), encoding="utf-8")
        if not webbrowser.open(page.as_uri()):
            say("no browser could be opened: open the address yourself")
        yield

"""Processes that outlive the one that starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from dlkit.jobs.detach import detach
print(detach("http.server", ["0", "--bind", "127.0.0.1"], Path(sys.argv[1]).open("ab")).pid)
"""


def test_what_goes_on_is_not_warned_of(tmp_path: Path) -> None:
    words = [sys.executable, "-W", "error", "-c", SCRIPT, str(tmp_path / "log")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.stderr == ""

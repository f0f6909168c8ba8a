"""How tests/runs/format1/ was made: a real run of the toy task, kept as the first release writes it.

    python tests/runs/make_format1.py

It is not made again while run.json's ``format`` stays 1: later versions must read what this one wrote.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
KEPT = HERE / "format1"


def main() -> None:
    """Train, and copy the run without what belongs to this machine."""
    from toy import toy_run

    with tempfile.TemporaryDirectory() as workspace:
        layer = {"dataset": {"name": "plane", "jitter": 0.1}, "model": {"name": "linear", "dropout": 0.2}}
        run = toy_run(Path(workspace), "kept", layer, epochs=2, ema=0.5, keep=1, threads=1)
        run.update(host="example", command=["dlkit", "train", "toy"], git="")
        run.lock.unlink()
        shutil.rmtree(KEPT, ignore_errors=True)
        shutil.copytree(run.path, KEPT / run.id)


if __name__ == "__main__":
    main()

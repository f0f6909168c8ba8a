"""Make the README's pictures of the interface: real runs, in the interface as it is, drawn as SVG.

uv run python docs/pictures/interface.py [WORKSPACE]     (without a workspace, the runs are trained first: a minute)
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from dlkit.runs.folder import RunFolder  # noqa: E402
from dlkit.runs.index import list_runs  # noqa: E402
from dlkit.tui.app import DlkitApp  # noqa: E402
from pictures import draw  # noqa: E402
from screens import opened, press, shown, until  # noqa: E402

RUNS = (
    "--model mlp --name mlp",
    "--model cnn --model.dropout 0 --name cnn",
    "--model cnn --epochs 30 --name longer",
)
WIDE = (100, 32)


def train(workspace: Path) -> None:
    for words in RUNS:
        command = [sys.executable, "-m", "dlkit", "train", "classification", "--workspace", str(workspace)]
        subprocess.run([*command, "--quiet", *words.split()], check=True)


async def picture(
    workspace: Path,
    name: str,
    show: Callable[[DlkitApp], object],
    wanted: str,
    *keys: str,
    size: tuple[int, int] = WIDE,
) -> None:
    """Open, wait until ``wanted`` is on the screen, press keys, draw."""
    async with opened(workspace, size) as (app, pilot):
        show(app)
        await until(pilot, lambda: wanted in shown(app))
        await press(pilot, *keys)
        for _ in range(20):
            await pilot.pause(0.05)
        (HERE / f"{name}.svg").write_text(draw(app), encoding="utf-8")
        print(HERE / f"{name}.svg")


async def pictures(workspace: Path) -> None:
    folders = [RunFolder(workspace / "runs" / run.id) for run in reversed(list_runs(workspace))]
    newest = folders[-1]
    await picture(workspace, "curves", lambda app: app.open_run(newest), "⠤", "down", "y", size=(120, 36))
    await picture(workspace, "samples", lambda app: app.open_run(newest), "Curves", "s", size=(100, 36))
    await picture(workspace, "compare", lambda app: app.open_compare(folders), "charts 1-", size=(120, 35))
    await picture(workspace, "launch", lambda app: app.open_launch("classification"), "ready")


def main() -> None:
    os.environ["DLKIT_CONFIG"] = tempfile.mkdtemp()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        workspace = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("workspace")
        if len(sys.argv) < 2:
            train(workspace)
        asyncio.run(pictures(workspace))


if __name__ == "__main__":
    main()

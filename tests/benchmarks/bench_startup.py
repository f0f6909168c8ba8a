"""How fast the tool answers: whole processes, against bare Python of the same environment.

    uv run python tests/benchmarks/bench_startup.py

Median of 20, interleaved; bytecode is compiled first. The workspace holds 1 000 runs of the toy plugin's form.
"""

from __future__ import annotations

import compileall
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 20
BIN = Path(sys.executable).parent
sys.path.insert(0, str(Path(__file__).parent.parent))


def many_runs(workspace: Path, count: int) -> None:
    """One real run, copied under other names."""
    import toy

    run = toy.toy_run(workspace)
    for i in range(count - 1):
        shutil.copytree(run.path, run.path.with_name(f"{run.id[:-4]}{i:04}"))


def seconds(words: list[str]) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True, env=environment)
    return time.perf_counter() - began


def main() -> None:
    import dlkit

    compileall.compile_dir(Path(dlkit.__file__).parent, quiet=1)
    dlkit_command = str(BIN / "dlkit")
    with tempfile.TemporaryDirectory() as folder:
        many_runs(Path(folder), 1000)
        where = ["--workspace", folder]
        asked = [dlkit_command, "completion", "zsh", "--line"]
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "dlkit --help": [dlkit_command, "--help"],
            "dlkit runs (1 000 runs)": [dlkit_command, "runs", *where],
            "dlkit tasks": [dlkit_command, "tasks", *where],
            "dlkit train classification --help": [dlkit_command, "train", "classification", "--help"],
            "a key of completion, options": [*asked, "dlkit train classification --model "],
            "a key of completion, 1 000 runs": [*asked, f"dlkit show --workspace {folder} "],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for words in commands.values():
            seconds(words)
        for _ in range(ROUNDS):
            for name, words in commands.items():
                times[name].append(seconds(words))
    bare = statistics.median(times["python -c pass"])
    for name, measured in times.items():
        middle = statistics.median(measured)
        print(f"{name:36} {middle * 1e3:7.1f} ms  {middle / bare:5.1f}× bare Python")


if __name__ == "__main__":
    main()

"""What lies in the current folder, or in a run's, is never run by a process that dlkit starts."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from dlkit.data.text import pieces
from dlkit.interpreter import leave_out_current_folder, python
from dlkit.jobs.detach import start_worker
from dlkit.jobs.launchers import torchrun
from dlkit.monitor.model_process import ModelProcess
from dlkit.runs.folder import RunFolder
from queues import enqueue
from structure import ROOT, product
from waiting import LONG, until
from workers import make_job, state

HOME = ROOT / "dlkit/interpreter.py"
STARTS = {
    "dlkit/cli/note.py": {"run"},
    "dlkit/data/converting.py": {"run"},
    "dlkit/data/text/pieces.py": {"Popen"},
    "dlkit/engine/probe/asking.py": {"Popen"},
    "dlkit/jobs/detach.py": {"Popen"},
    "dlkit/jobs/logind.py": {"run"},
    "dlkit/jobs/service/unit.py": {"run"},
    "dlkit/jobs/supervise.py": {"Popen"},
    "dlkit/loading/trial.py": {"Popen"},
    "dlkit/monitor/model_process.py": {"Popen"},
    "dlkit/remote/carrying_out.py": {"Popen"},
    "dlkit/remote/ssh.py": {"Popen", "run"},
    "dlkit/runs/environment.py": {"run"},
    "dlkit/runs/origin.py": {"run"},
    "dlkit/testing/apart.py": {"Popen"},
    "dlkit/testing/loading.py": {"run"},
    "dlkit/testing/usable_apart.py": {"Popen"},
    "dlkit/tui/shared/command_dialog.py": {"Popen"},
    "dlkit/use/export/asking.py": {"Popen"},
    "dlkit/use/serve/model.py": {"create_subprocess_exec"},
    "dlkit/use/serve/offered.py": {"create_subprocess_exec"},
    "dlkit/web/session.py": {"create_subprocess_exec"},
}
"""Where processes are started. Somebody who adds a place looks whether it takes its words from ``python``."""
STARTING = {"Popen", "check_call", "check_output", "getoutput", "create_subprocess_exec", "create_subprocess_shell"}
OF_OS = ("exec", "spawn", "posix_spawn", "system", "popen", "startfile")


def starts(path: Path) -> set[str]:
    """The calls of a module that start a process."""
    return {name for node in ast.walk(_tree(path)) if isinstance(node, ast.Call) and (name := _start(node.func))}


def _start(function: ast.expr) -> str:
    if isinstance(function, ast.Name):
        return function.id if function.id in STARTING else ""
    if not isinstance(function, ast.Attribute):
        return ""
    owner = function.value.id if isinstance(function.value, ast.Name) else ""
    of_os = owner == "os" and function.attr.startswith(OF_OS)
    return function.attr if function.attr in STARTING or owner == "subprocess" or of_os else ""


def names_the_interpreter(path: Path) -> bool:
    """Whether a module says ``sys.executable``, imports it, or multiprocessing, which says it for it."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in ("executable", "_base_executable"):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "sys" and "executable" in ast.dump(node):
            return True
        if isinstance(node, ast.Import | ast.ImportFrom) and "multiprocessing" in ast.dump(node):
            return "torch.distributed" not in ast.dump(node)  # its errors are caught by name
    return False


def _tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_one_module_says_how_python_is_started() -> None:
    assert [path for path in product() if names_the_interpreter(path)] == [HOME]


def test_every_place_that_starts_a_process_is_known() -> None:
    found = {str(path.relative_to(ROOT)): there for path in product() if (there := starts(path))}
    assert found == STARTS


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run(x)",
        "Popen(x)",
        "os.execv(x, y)",
        "os.spawnl(x)",
        "os.system(x)",
        "asyncio.create_subprocess_shell(x)",
    ],
)
def test_what_is_searched_for(line: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(line + "\n")
    assert starts(path)


class Traps:
    """Folders full of modules named as everything that can be imported; whichever is run leaves its name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._marks = folder.with_name("marks")
        self.set(folder)

    def set(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        source = f"with open({str(self._marks)!r}, 'a') as file:\n    print(__name__, __file__, file=file)\n"
        for name in self._names():
            (folder / f"{name}.py").write_text(source)
        plugin = folder / "dlkit_trap-1.0.dist-info"
        plugin.mkdir()
        (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: dlkit-trap\nVersion: 1.0\n")
        (plugin / "entry_points.txt").write_text("[dlkit]\ntrap = trap\n")

    @staticmethod
    def _names() -> Iterator[str]:
        for name in {*sys.stdlib_module_names, *packages_distributions(), "sitecustomize", "usercustomize", "trap"}:
            if name.isidentifier():
                yield name

    def sprung(self) -> list[str]:
        return self._marks.read_text().splitlines() if self._marks.exists() else []


@pytest.fixture
def traps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Traps:
    """The current folder is one."""
    found = Traps(tmp_path / "traps")
    monkeypatch.chdir(found.folder)
    return found


def ended(run: RunFolder) -> bool:
    assert state(run) not in ("failed", "interrupted"), run.output.read_text()
    return state(run) == "completed"


def dlkit(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("dlkit")), *words]


def test_the_traps_spring(traps: Traps) -> None:
    """Where the current folder is on the path, as Python has it by itself."""
    subprocess.run([sys.executable, "-m", "dlkit", "--version"], capture_output=True, timeout=LONG)
    assert traps.sprung()


@pytest.mark.slow
def test_scheduler_worker_rank_and_helper(workspace: Path, traps: Traps, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of the queue, and a question to it, from inside its own hostile folder."""
    run = enqueue(workspace, {}, threads=1)
    traps.set(run.path)
    monkeypatch.chdir(run.path)
    done = subprocess.run(dlkit("queue", "run", "--workspace", str(workspace)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    until(lambda: ended(run))
    asked = ModelProcess(run)
    try:
        assert asked.start().task == "toy"
    finally:
        asked.close()
    assert traps.sprung() == []


@pytest.mark.slow
def test_torchruns_ranks(workspace: Path, traps: Traps) -> None:
    run = make_job(workspace, {"job": {"nproc": 2}, "launcher": {"name": "torchrun"}})
    traps.set(run.path)
    start_worker(run).wait(LONG)
    assert ended(run)
    assert traps.sprung() == []


def test_torchrun_is_told_to_start_python_our_way(tmp_path: Path) -> None:
    words = torchrun(tmp_path, 2, None)
    assert words[-5:] == python("dlkit.jobs.rank", str(tmp_path))
    assert words[words.index("--no-python") + 1 :] == words[-5:]


def test_subwords_and_downloads(traps: Traps, plugins: None) -> None:
    assert pieces.train_pieces(["a line of text", "and another"], 19)
    words = python("dlkit", "data", "list", "--workspace", str(traps.folder / "none"))  # as the interface downloads
    done = subprocess.run(words, capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, traps.sprung()) == (0, [])


def test_what_torch_starts_by_itself(traps: Traps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaders that are not forked, compilers: Python without our words, but with our environment."""
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    leave_out_current_folder()
    code = "from multiprocessing import get_context\nget_context('spawn').Process(target=print).start()\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONG)
    assert (done.returncode, traps.sprung()) == (0, [])


def test_the_module_dlkit_leaves_the_folder_out_too(tmp_path: Path) -> None:
    """A plugin that is only found because of the folder would be found here and in no other process."""
    Traps(tmp_path / "traps")
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "traps" / "dlkit_trap-1.0.dist-info").rename(folder / "dlkit_trap-1.0.dist-info")
    (folder / "trap.py").write_text("")
    for words in (dlkit("plugins"), [sys.executable, "-m", "dlkit", "plugins"]):
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=LONG)
        assert done.returncode == 0 and "trap" not in done.stdout


def test_a_plugin_that_is_installed_is_found_in_its_own_folder(plugins: None, site: Path) -> None:
    """An editable installation is a folder on the path, though one that happens to be the current one."""
    for words in (dlkit("tasks"), python("dlkit", "tasks")):
        done = subprocess.run(words, cwd=site, capture_output=True, text=True, timeout=LONG)
        assert done.returncode == 0 and "toy" in done.stdout

"""Plugins of strangers, installed as wheels beside dlkit's own wheel, in an environment that knows no repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

import dlkit
from at_length import at_length
from structure import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("uv"), reason="there is no uv")]

HERE = Path(__file__).parent
WHEELS = (ROOT, ROOT / "plugins" / "classification", HERE / "dlkit-tones", HERE / "dlkit-mixer")
LONGEST = 60
"""Seconds of CPU from a new plugin's name to its model's first answer."""


@dataclass(frozen=True)
class Place:
    """An environment, a folder to work in, and the index that its packages come from."""

    root: Path

    @property
    def index(self) -> Path:
        return self.root / "index"

    @property
    def work(self) -> Path:
        return self.root / "work"

    def run(self, *words: str) -> str:
        """A command as a person types it in the active environment; what it wrote to stdout."""
        path = os.pathsep.join([str(self.root / "env" / "bin"), os.environ["PATH"]])
        env = {"PATH": path, "HOME": os.environ["HOME"], "VIRTUAL_ENV": str(self.root / "env"), "OMP_NUM_THREADS": "1",
               "DLKIT_DEVICES": str(self.root / "devices"), "DLKIT_CONFIG": str(self.root / "config")}  # fmt: skip
        done = subprocess.run(words, cwd=self.work, env=env, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def install(self, *names: str) -> None:
        # What they need is there already, beside what uv looks at: torch is not installed again for a test.
        self.run("uv", "pip", "install", "-q", "--no-index", "--find-links", str(self.index), "--no-deps", *names)

    def json(self, *words: str) -> object:
        found: object = json.loads(self.run("dlkit", *words, "--json"))
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Wheels of dlkit, of its classification and of the strangers; dlkit and classification are installed."""
    made = Place(tmp_path_factory.mktemp("outside"))
    made.work.mkdir()
    for folder in WHEELS:
        build(folder, made.index)
    # The same interpreter's packages, without the editable ones, which would lead to the repository.
    site = made.root / "site"
    site.mkdir()
    for entry in Path(pytest.__file__).parents[1].iterdir():
        if "dlkit" not in entry.name and entry.suffix != ".pth":
            (site / entry.name).symlink_to(entry)
    quiet(["uv", "venv", "-q", "--python", sys.executable, str(made.root / "env")])
    (found,) = (made.root / "env" / "lib").glob("python*/site-packages")
    (found / "others.pth").write_text(f"{site}\n")
    made.install("dlkit", "dlkit-classification")
    return made


def build(folder: Path, into: Path) -> None:
    command = ["uv", "build", "-q", "--wheel", "--out-dir", str(into), str(folder)]
    try:
        quiet([*command, "--offline"])  # what builds wheels is at hand where dlkit was installed
    except AssertionError:
        quiet(command)


def quiet(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def names(found: object, key: str = "name") -> set[str]:
    assert isinstance(found, list)
    return {record[key] for record in found}


def cpu_of(work: Callable[[], None]) -> float:
    """Seconds that processes begun by it have computed."""
    before = os.times()
    work()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_from_a_name_to_an_answer_in_four_commands(place: Place) -> None:
    """The wheel carries the templates; what they become installs and works, unedited."""

    def typed() -> None:
        place.run("dlkit", "new-plugin", "flights")
        place.run("uv", "pip", "install", "-q", "--offline", "--no-deps", "-e", "dlkit-flights")
        place.run("dlkit", "train", "flights")
        assert "metres" in place.run("dlkit", "predict", "last", "45,15,9.81")

    assert cpu_of(typed) < LONGEST
    assert place.run("python", "-P", "-c", "import dlkit; print(dlkit.__file__)").startswith(str(place.root))
    (run,) = (place.work / "workspace" / "runs").glob("*-flights-*")
    assert list((run / "samples").glob("*.json"))


def test_a_task_of_strangers(place: Place) -> None:
    assert "tones" not in names(place.json("tasks"))
    place.install("dlkit-tones")
    assert "tones" in names(place.json("tasks"))
    place.run("dlkit", "train", "tones", "--epochs", "4", "--name", "first")
    place.run("dlkit", "resume", "first", "--epochs", "6")
    found = place.json("evaluate", "first")
    assert isinstance(found, dict) and found["metrics"]["test/f1"] > 0.6
    (place.work / "signals.csv").write_text(",".join(["0.5"] * 128))
    assert "4 Hz" in place.run("dlkit", "predict", "first", "signals.csv")


def test_a_model_of_strangers_for_a_task_of_ours(place: Place) -> None:
    place.install("dlkit-mixer")
    assert "mixer" in names(place.json("components", "model", "--task", "classification"))
    place.run("dlkit", "train", "classification", "--model", "mixer", "--epochs", "2", "--name", "mixed")
    shown = place.json("show", "mixed")
    assert isinstance(shown, dict) and shown["state"] == "completed"


@at_length
@pytest.mark.parametrize("name", ["tones", "mixer"])
def test_they_are_gold(place: Place, name: str) -> None:
    place.install(f"dlkit-{name}")
    found = place.json("check-plugin", name)
    assert isinstance(found, dict) and (found["kept"], found["tier"]) == (True, "gold"), found


@at_length
def test_their_own_tests_pass(place: Place) -> None:
    place.install("dlkit-tones", "dlkit-mixer")
    tests = [shutil.copytree(HERE / name / "tests", place.work / name) for name in ("dlkit-tones", "dlkit-mixer")]
    place.run("python", "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib",
              "--rootdir", str(place.work), *map(str, tests))  # fmt: skip


def test_the_version_is_the_repositorys(place: Place) -> None:
    assert place.run("dlkit", "--version").split()[1] == dlkit.__version__

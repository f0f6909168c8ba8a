"""Fixtures of all the core's tests."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import invalidate_caches
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings

# Before torch is imported: nothing in tests is large enough for two threads, and on a busy machine they wait for each
# other (a toy run took 2 s instead of 0.1). Processes that tests start inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Hundreds of processes import dlkit: where its bytecode may not be kept, each compiles it again (half of the time of
# `dlkit --help`), and each of the suite's own processes rewrites all tests (8 s).
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    sys.dont_write_bytecode = False
# Commands say what to type next as they were typed: through `uv run` or not. Tests read them in one wording.
os.environ.pop("UV_RUN_RECURSION_DEPTH", None)

# A signal that is ignored stays ignored in every process that is started from here: where sh starts the suite in the
# background (no Ctrl-C) or nohup does (no SIGHUP), tests that end processes by these would wait for ever. Handlers do
# not pass to other programs; that for SIGHUP does nothing, as nohup means it, in xdist's own processes too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN or "PYTEST_XDIST_WORKER" in os.environ:
    signal.signal(signal.SIGHUP, lambda number, frame: None)

# A busy machine pauses any example for longer than Hypothesis allows. Where CI is set, Hypothesis takes its profile of
# that name: the same examples every time.
settings.register_profile("dlkit", deadline=None)
if not os.environ.get("CI"):
    settings.load_profile("dlkit")

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))  # for `import toy`, a plugin that tests bring along
sys.path.insert(0, str(TESTS.parent))
# Now, before any test installs a plugin of its own.
from installed import PLUGINS, install_metadata  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("DLKIT_TEST_SLOW"):
        for item in items:
            if item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.skip(reason="takes long: set DLKIT_TEST_SLOW=1"))


@pytest.fixture(scope="session")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``numbered("devices")``: a new folder. ``mktemp`` looks through all that it made before: of 4,000, for 10 ms."""
    root, number = tmp_path_factory.mktemp("numbered"), count()

    def new(name: str) -> Path:
        folder = root / f"{name}{next(number)}"
        folder.mkdir()
        return folder

    return new


@pytest.fixture(autouse=True)
def devices(numbered: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Devices are claimed here, in a folder of the test's own: jobs of other tests are none of its business."""
    folder = numbered("devices")
    monkeypatch.setenv("DLKIT_DEVICES", str(folder))
    return folder


@pytest.fixture(autouse=True)
def config_folder(numbered: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The interface's own settings lie here: what the person who runs the tests has set is none of their business."""
    folder = numbered("config")
    monkeypatch.setenv("DLKIT_CONFIG", str(folder))
    return folder


@pytest.fixture(autouse=True)
def cache_folder(numbered: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """What commands keep of this machine lies here: a process that a test kills is to leave no note elsewhere."""
    folder = numbered("cache")
    monkeypatch.setenv("DLKIT_CACHE", str(folder))
    return folder


@pytest.fixture
def realdata() -> Callable[[str], Path]:
    """``realdata("mnist")``: the folder of that real data set, or the test is skipped with the reason."""

    def folder(name: str) -> Path:
        root = os.environ.get("DLKIT_TEST_DATA")
        if not root:
            pytest.skip("DLKIT_TEST_DATA is not set")
        found = Path(root) / name
        if not found.is_dir():
            pytest.skip(f"no folder {name} in DLKIT_TEST_DATA")
        return found

    return folder


@pytest.fixture
def write_plugin(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """``write_plugin("name", source)``: an installed distribution (module and .dist-info) in a folder to import from.

    Returns the folder, for sys.path or PYTHONPATH. What was imported from it is forgotten after the test: the next one
    may write a plugin of the same name.
    """
    root = tmp_path / "site"

    def write(name: str, source: str, *, version: str = "1.0", module: str | None = None) -> Path:
        module = module or f"{name.replace('-', '_')}_plugin"
        root.mkdir(exist_ok=True)
        (root / f"{module}.py").write_text(source)
        install_metadata(root, f"dlkit-{name}", name, module, version)
        return root

    yield write
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "/").is_relative_to(root):
            del sys.modules[name]


_NUMBERS = itertools.count()
FAULTY = """
from dlkit import InferenceSpec, ModelSpec, hookimpl

@hookimpl
def dlkit_inference():
    target = "toy_parts:ValuesPredictor"
    return [InferenceSpec(name="other", task="toy", summary="s", target=target, presets="{package}:{folder}")]

@hookimpl
def dlkit_models():
    return [ModelSpec(name="linear", task="toy", summary="s", target="toy_parts:build_linear")]
"""


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """``plant({"a.toml": text})``: an installed plugin with these presets for the toy task, which also claims the name
    of the toy's own model; its name, which is its package's too."""

    def planted(files: dict[str, str | bytes], folder: str = "presets") -> str:
        package = f"faulty{next(_NUMBERS)}"
        root = tmp_path / "site" / package
        (root / "presets").mkdir(parents=True)
        (root / "__init__.py").write_text(FAULTY.format(package=package, folder=folder))
        for name, content in files.items():
            (root / "presets" / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        install_metadata(root.parent, f"dlkit-{package}", package, package)
        monkeypatch.syspath_prepend(str(root.parent))
        invalidate_caches()
        return package

    return planted


@pytest.fixture
def toy_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The toy plugin as an installed one, the first-party plugins left out; returns the folder with its metadata."""
    root = tmp_path / "toy-site"
    install_metadata(root, "dlkit-toy", "toy", "toy")
    monkeypatch.syspath_prepend(str(root))
    monkeypatch.setenv("DLKIT_DISABLE", ",".join(PLUGINS))
    invalidate_caches()
    yield root

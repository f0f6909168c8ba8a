"""A plugin that disturbs harms no other command, and `dlkit plugins` names it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import dlkit
from dlkit.catalog import Catalog, Plugin
from dlkit.loading import journal
from hostile.plugins import CRASHES, HANGS, TOGETHER, source
from installed import all_but, install_metadata
from waiting import LONG

TESTS = Path(__file__).parents[1]
GOOD = """
from dlkit import ModelSpec, hookimpl

@hookimpl
def dlkit_models():
    return [ModelSpec(name='good', task='toy', summary='s', target='m:x')]
"""


def environment(root: Path, *, cache: Path, seconds: float = LONG) -> Mapping[str, str]:
    """Of a process that sees the toy's plugin and those below ``root``, and no other."""
    paths = [str(Path(dlkit.__file__).parents[1]), str(TESTS), str(root)]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "DLKIT_DISABLE": all_but("toy"),
        "DLKIT_CACHE": str(cache),
        "DLKIT_LOAD_SECONDS": str(seconds),
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    install_metadata(tmp_path / "site", "dlkit-toy", "toy", "toy")

    def written(name: str, text: str) -> Path:
        module = f"hostile_{name.replace('-', '_')}"
        file = tmp_path / "site" / f"{module}.py"
        file.write_text(text)
        if not (tmp_path / "site" / f"dlkit_{name.replace('-', '_')}-1.0.dist-info").exists():
            install_metadata(tmp_path / "site", f"dlkit-{name}", name, module)
        return file

    return written


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``command("tasks", "--json")`` in a process that has everything of ``write``."""

    def run(*words: str, seconds: float = LONG) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "dlkit", *words, "--workspace", str(tmp_path / "workspace")],
            env=environment(tmp_path / "site", cache=tmp_path / "cache", seconds=seconds),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=10 * LONG,
            check=False,
        )

    return run


def said(plugin: Mapping[str, Any]) -> str:
    return "\n".join([plugin["reason"], *plugin["undone"], *(lost["reason"] for lost in plugin["refused"])])


@pytest.fixture(scope="module")
def _all_together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("together")
    install_metadata(root / "site", "dlkit-toy", "toy", "toy")
    for name, hostile in TOGETHER.items():
        module = f"hostile_{name.replace('-', '_')}"
        (root / "site" / f"{module}.py").write_text(source(name, hostile))
        install_metadata(root / "site", f"dlkit-{name}", name, module)
    return root


def asked(root: Path, *words: str, cwd: Path | None = None) -> Any:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "dlkit", *words, "--json"],
        env=environment(root / "site", cache=root / "cache"),
        cwd=cwd or root,
        capture_output=True,
        text=True,
        timeout=10 * LONG,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def plugins(_all_together: Path) -> Mapping[str, Mapping[str, Any]]:
    """What `dlkit plugins` says, where all of them are installed together."""
    return {plugin["name"]: plugin for plugin in json.loads(asked(_all_together, "plugins"))}


def test_there_are_enough_kinds() -> None:
    assert len({*TOGETHER, *CRASHES, *HANGS}) >= 40


@pytest.mark.parametrize("name", TOGETHER)
def test_who_did_it_is_named(plugins: Mapping[str, Mapping[str, Any]], name: str) -> None:
    assert plugins[name]["state"] == TOGETHER[name].state, plugins[name]
    assert TOGETHER[name].named in said(plugins[name])


def test_other_commands_are_as_ever(_all_together: Path, plugins: object) -> None:
    """With fifty such plugins installed: what is there is listed, trained and asked, and every document is one."""
    (task,) = json.loads(asked(_all_together, "tasks"))
    assert task["name"] == "toy" and "linear" in task["models"]
    assert "of-prints" in task["models"], "what disturbs without being broken is offered"
    trained = [json.loads(line) for line in asked(_all_together, "train", "toy", "--epochs", "1").splitlines()]
    assert trained[-1]["state"] == "completed"
    (run,) = json.loads(asked(_all_together, "runs"))
    assert run["run"] == trained[0]["run"]


LIBRARY = """
import builtins, json, os, signal, sys, threading
from dlkit.catalog import Catalog

def process():
    mine = [builtins.print, builtins.open, json.dumps, sys.excepthook, Catalog.specs, sys.modules["json"]]
    return [*mine, os.getcwd(), dict(os.environ), [*sys.path], sys.getrecursionlimit(), sys.stdout, sys.stderr]

before = process()
catalog = Catalog.load_everything()
changed = [number for number, (was, now) in enumerate(zip(before, process())) if was is not now and was != now]
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
assert all(thread.daemon for thread in threading.enumerate() if thread.name == "spy")
print(json.dumps([changed, [spec.name for spec in catalog.specs("model", "toy")]]))
"""


def test_nothing_is_left_of_them_in_a_process_that_uses_dlkit_as_a_library(_all_together: Path) -> None:
    """But for its streams, where they were closed: those are new ones on the same descriptors. What is written to these
    past Python is kept from a command's alone: in another process somebody else may be writing."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIBRARY],
        env=environment(_all_together / "site", cache=_all_together / "cache"),
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )
    changed, models = json.loads(done.stdout.splitlines()[-1])
    assert set(changed) <= {10, 11} and {"linear", "of-prints"} <= {*models}


def test_torch_is_put_back_as_it_was(write: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it is loaded already; a plugin that brings it along and changes it is broken."""
    import torch

    text = (
        "import torch\nfrom torch import nn\ntorch.relu = nn.functional.relu = nn.Module.__call__ = None\n"
        f"torch.set_default_dtype(torch.float64)\n{GOOD}"
    )
    write("torch-breaker", text)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("DLKIT_DISABLE", all_but("torch-breaker"))
    relu = torch.relu
    breaker = _named(Catalog.load_everything(), "torch-breaker")
    assert torch.relu is relu and torch.get_default_dtype() is torch.float32
    assert float(torch.nn.Linear(1, 1)(torch.ones(1)).detach()) is not None
    assert breaker.state in ("ready", "slow") and "changed torch.relu" in breaker.undone


@pytest.mark.slow
def test_a_plugin_that_brings_torch_along_and_changes_it_is_kept_out(write: Any, command: Any) -> None:
    write("bringer", f"import torch\ndef relu(x): return x\ntorch.relu = relu\n{GOOD}")
    for _ in range(2):
        (found,) = [p for p in json.loads(command("plugins", "--json").stdout) if p["name"] == "bringer"]
        assert found["state"] == "broken" and "its own in the place of torch.relu" in found["reason"]
    assert found["seconds"] == 0, "not imported any more"


def _named(catalog: Catalog, name: str) -> Plugin:
    return next(plugin for plugin in catalog.plugins if plugin.name == name)


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_is_known_to_the_next_command(write: Any, command: Any, tmp_path: Path, name: str) -> None:
    write("good", GOOD)
    file = write(name, CRASHES[name].source)
    first = command("tasks", "--json")
    assert first.returncode != 0 and first.stdout == ""
    second = command("tasks", "--json")
    assert second.returncode == 0, second.stderr
    assert "good" in json.loads(second.stdout)[0]["models"]
    told = command("plugins").stdout
    assert f"{name} (dlkit-{name} 1.0) is broken: " in told and CRASHES[name].named in told
    if name == "segfault":
        kept = next((tmp_path / "cache" / "loading").rglob("broken.json")).stat().st_mtime_ns
        assert command("tasks").returncode == 0
        assert next((tmp_path / "cache" / "loading").rglob("broken.json")).stat().st_mtime_ns == kept, "not tried again"
        file.write_text(GOOD.replace("'good'", "'mended'"))
        (task,) = json.loads(command("tasks", "--json").stdout)
        assert {"good", "mended"} <= {*task["models"]}
        assert not [*(tmp_path / "cache" / "loading").rglob("*.json")]


@pytest.mark.parametrize("name", HANGS)
def test_one_that_hangs_is_given_up(write: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    write(name, HANGS[name])
    write("zgood", GOOD)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("DLKIT_DISABLE", all_but("toy", name, "zgood"))
    monkeypatch.setenv("DLKIT_LOAD_SECONDS", "0.5")
    streams = sys.stdout, sys.stderr
    catalog = Catalog.load_everything()
    assert (sys.stdout, sys.stderr) == streams
    assert _named(catalog, name).reason == "has not been imported within 0.5 s"
    assert "good" in {spec.name for spec in catalog.specs("model", "toy")}
    assert [*journal.suspects()] == [name], "the next process, which tries it in another, knows"


def test_one_that_hangs_is_known_to_the_next_command(write: Any, command: Any) -> None:
    """Who waits no longer kills it; whatever it was doing, the next one is told."""
    write("stuck", "import time; time.sleep(3600)")
    for _ in range(2):
        done = command("tasks", "--json", seconds=1)
        assert done.returncode == 0, done.stderr
    (found,) = [p for p in json.loads(command("plugins", "--json").stdout) if p["name"] == "stuck"]
    assert found["state"] == "broken" and found["seconds"] == 0
    assert (
        "has not been imported within 1 s (once it is mended, `dlkit plugins --check` tries it again)"
        in found["reason"]
    )


def test_a_process_that_was_killed_while_it_imported_a_sound_plugin_accuses_nobody(
    write: Any, command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("good", GOOD)
    with monkeypatch.context() as patch:
        for name, value in environment(tmp_path / "site", cache=tmp_path / "cache").items():
            patch.setenv(name, value)
        script = "import os\nfrom dlkit.loading.journal import Journal\nJournal().importing('good')\nos._exit(1)"
        subprocess.run([sys.executable, "-P", "-c", script], check=False, cwd=tmp_path)
    notes = [*(tmp_path / "cache").rglob("*.now")]
    assert len(notes) == 1
    (found,) = [p for p in json.loads(command("plugins", "--json").stdout) if p["name"] == "good"]
    assert found["state"] == "ready"
    assert not [*(tmp_path / "cache").rglob("*.now")]


@pytest.mark.parametrize("where", ["/dev/null/cache", "/proc/cache"])
def test_where_nothing_can_be_kept_plugins_load_all_the_same(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setenv("DLKIT_CACHE", where)
    assert all(plugin.usable for plugin in Catalog.load_everything().plugins if plugin.state != "disabled")


@pytest.mark.parametrize(
    "lines",
    [
        "[dlkit]\nno equals sign\nname = module\n",
        "[dlkit]\n= module\n",
        "[dlkit",
        "[dlkit]\nname = \x00\n",
        "\xff[dlkit]\n=\n",
    ],
)
def test_metadata_that_is_no_good_harms_nobody(write: Any, command: Any, tmp_path: Path, lines: str) -> None:
    folder = tmp_path / "site" / "odd-1.0.dist-info"
    write("good", GOOD)
    folder.mkdir()
    (folder / "METADATA").write_bytes(b"\xff\xfe")
    (folder / "entry_points.txt").write_bytes(lines.encode("latin-1"))
    (task,) = json.loads(command("tasks", "--json").stdout)
    assert "good" in task["models"]

"""``dlkit plugins --check``: a component that ends the process that imports it is named, the others are looked at."""

from __future__ import annotations

from collections.abc import Callable
from importlib import invalidate_caches
from pathlib import Path

import pytest

from dlkit.catalog import Catalog
from dlkit.testing.usable_apart import DIED, check

MODELS = """
from dlkit import ModelSpec, hookimpl

@hookimpl
def dlkit_models():
    return [ModelSpec(name=name, task="any", summary="s", target=f"planted_{name}:build")
            for name in ("crashes", "exits", "fine", "lacking")]
"""


def test_what_ends_a_process_is_named_and_the_others_are_looked_at(
    write_plugin: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_plugin("planted", MODELS)
    (root / "planted_crashes.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    (root / "planted_exits.py").write_text("import os\nos._exit(3)")
    (root / "planted_fine.py").write_text("print('said')\n\ndef build(config, info):\n    raise NotImplementedError\n")
    monkeypatch.syspath_prepend(str(root))
    invalidate_caches()
    catalog = Catalog.load_everything(lenient=True)
    found = {problem["name"]: problem["problem"] for problem in check(catalog) if problem["plugin"] == "planted"}
    assert found.keys() == {"crashes", "exits", "lacking"}
    assert (found["crashes"], found["exits"]) == (f"{DIED}SIGSEGV", f"{DIED}exit code 3")
    assert "ModuleNotFoundError" in found["lacking"]

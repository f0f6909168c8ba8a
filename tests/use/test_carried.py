"""The source that an exported folder takes along."""

from __future__ import annotations

import sys

import pytest

from dlkit.errors import PluginError
from dlkit.use.export.carried import carried


@pytest.fixture
def package(tmp_path, monkeypatch):
    """``package({"a": "import numpy"})``: a package of these modules, its name."""

    def make(modules):
        folder = tmp_path / "carriedparts"
        folder.mkdir()
        for name, text in {"__init__": "", **modules}.items():
            (folder / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        return "carriedparts"

    yield make
    for name in [name for name in sys.modules if name.startswith("carriedparts")]:
        del sys.modules[name]


def test_modules_of_dlkit_and_the_plugin_come_along_and_import_each_other(package):
    name = package({
        "a": "from dlkit.errors import DataError\nfrom carriedparts import b\nimport numpy as np\n",
        "b": "from carriedparts.errors import (\n    one,\n    two as zwei,\n)\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from torch import Tensor\n",
        "errors": "one, two = 1, 2\n",
    })  # fmt: skip
    found = carried(f"{name}.a")
    assert found.needs == ("numpy",) and found.entry == "a"
    assert "torch" not in "".join(found.sources.values())
    assert all("carriedparts" not in text and "from dlkit" not in text for text in found.sources.values())
    assert len(found.sources) == 4  # two modules are called errors


@pytest.mark.parametrize("text", ["import torch", "def f():\n    from pydantic import BaseModel\n"])
def test_what_no_export_can_take_along_is_named(package, text):
    name = package({"a": text})
    with pytest.raises(PluginError, match=r"carriedparts\.a imports (torch|pydantic).*allowed: numpy"):
        carried(f"{name}.a")


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(PluginError, match="nowhere_at_all: no Python source"):
        carried("nowhere_at_all")

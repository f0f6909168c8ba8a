"""The classes of standard tests, run by pytest on the toy: which tests there are, and that none is switched off."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlkit.testing.contracts import InferenceContract, ModelContract, PackageContract, TaskContract
from dlkit.testing.rules import find_rule, rule_names

pytestmark = pytest.mark.usefixtures("toy_installed")


def standard(contract: type) -> set[str]:
    return {name for name in dir(contract) if name.startswith("test_")} - {"test_standard_tests_are_kept"}


def test_each_class_has_the_rules_of_its_kind_as_tests() -> None:
    for contract, kind in ((TaskContract, "task"), (ModelContract, "model"), (InferenceContract, "inference")):
        rules = {name for name in rule_names() if kind in find_rule(name).kinds}
        assert standard(contract) == {f"test_{name.replace('-', '_')}" for name in rules}
    assert "test_loading_works" in standard(PackageContract)


class TestLinear(ModelContract):
    """The toy's model keeps what every model must."""

    plugin, component = "toy", "linear"


def planted(folder: Path, body: str) -> type:
    """A class of tests as somebody would write it."""
    from importlib.util import module_from_spec, spec_from_file_location

    file = folder / "test_planted.py"
    file.write_text(
        "import pytest\nfrom dlkit.testing.contracts import ModelContract\n\n\n"
        f"class TestPlanted(ModelContract):\n    plugin, component = 'toy', 'linear'\n\n{body}"
    )
    spec = spec_from_file_location("test_planted", file)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    import sys

    sys.modules["test_planted"] = module
    spec.loader.exec_module(module)
    found: type = module.TestPlanted
    return found


def test_an_override_makes_a_test_fail_with_words(tmp_path: Path) -> None:
    silent = planted(tmp_path, "    def test_engine_builds(self):\n        pass\n")
    with pytest.raises(AssertionError, match=r"TestPlanted\.test_engine_builds: .*xfail\(reason="):
        silent().test_standard_tests_are_kept()
    replaced = planted(tmp_path, "    test_engine_builds = None\n")
    with pytest.raises(AssertionError, match="test_engine_builds"):
        replaced().test_standard_tests_are_kept()
    mark = '    @pytest.mark.xfail(reason="it is built by hand")\n'
    explained = planted(tmp_path, f"{mark}    def test_engine_builds(self):\n        super().test_engine_builds()\n")
    explained().test_standard_tests_are_kept()
    with pytest.raises(TypeError, match="cannot be overridden"):
        planted(tmp_path, "    def test_standard_tests_are_kept(self):\n        pass\n")


def test_a_component_that_is_not_there_is_named_with_the_nearest() -> None:
    class Misspelt(ModelContract):
        plugin, component = "toy", "liner"

    with pytest.raises(Exception, match="no model 'liner': did you mean 'linear'"):
        Misspelt().test_engine_builds()  # type: ignore[attr-defined]

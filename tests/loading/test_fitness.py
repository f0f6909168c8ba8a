"""A plugin that is meant for another dlkit is refused, with the reason, before it is imported where that can be."""

from __future__ import annotations

from importlib import invalidate_caches
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from dlkit import __version__, api_version
from dlkit.catalog import Catalog
from dlkit.errors import PluginError
from dlkit.loading.fitness import check_module, unmet
from installed import all_but, install_metadata


@pytest.mark.parametrize(
    ("need", "bounds"),
    [
        ("dlkit", ""),
        ("dlkit>=1,<2", ""),
        ("dlkit >=1.4,<2", ">=1.4,<2"),
        ("dlkit (>=2)", ">=2"),
        ("DLKIT[web]<1", "<1"),
        ("dlkit~=1.2", ""),
        ("dlkit~=1.3.1", "~=1.3.1"),
        ("dlkit==1.3.*", ""),
        ("dlkit!=1.3.*", "!=1.3.*"),
        ("dlkit==1.3", ""),
        ("dlkit>=2; extra == 'later'", ""),
        ("dlkit-gan>=99", ""),
        ("dlkit>=1.0rc1", ""),
        ("dlkit @ https://example.org/dlkit.whl", ""),
        ("torch>=99", ""),
        ("", ""),
    ],
)
def test_bounds(need: str, bounds: str) -> None:
    assert unmet([need], "1.3.0") == bounds


release = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda numbers: ".".join(map(str, numbers)))


@given(
    st.lists(st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), release), min_size=1, max_size=3), release
)
def test_releases_are_compared_as_packaging_compares_them(bounds: list[tuple[str, str]], version: str) -> None:
    need = f"dlkit{','.join(sign + wanted for sign, wanted in bounds)}"
    assert (unmet([need], version) == "") is Requirement(need).specifier.contains(version)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((api_version[0] + 1, 0), "for a newer plugin interface"),
        ((api_version[0] - 1, 9), "for an older plugin interface"),
        ((api_version[0], api_version[1] + 1), "it needs version"),
        ("1.0", "is not of the form (major, minor)"),
        ((1,), "is not of the form"),
        ((True, 0), "is not of the form"),
    ],
)
def test_what_a_module_says(said: object, told: str) -> None:
    with pytest.raises(PluginError) as error:
        check_module(SimpleNamespace(dlkit_api_version=said))
    assert told in str(error.value)


def test_what_fits() -> None:
    check_module(SimpleNamespace(dlkit_api_version=api_version))
    check_module(SimpleNamespace())


def test_it_is_refused_before_it_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "future.py").write_text("raise AssertionError('imported')")
    install_metadata(tmp_path / "site", "dlkit-future", "future", "future")
    metadata = tmp_path / "site" / "dlkit_future-1.0.dist-info" / "METADATA"
    needs = "Requires-Dist: torch\nRequires-Dist: dlkit>=99,<100\n\nRequires-Dist: no\n"
    metadata.write_text(metadata.read_text() + needs)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("DLKIT_DISABLE", all_but("future"))
    invalidate_caches()
    (found,) = [plugin for plugin in Catalog.load_everything().plugins if plugin.name == "future"]
    assert (found.state, found.reason) == (
        "broken",
        f"it needs dlkit >=99,<100, and this is dlkit {__version__}: install a version of it for this dlkit",
    )
    assert found.seconds == 0

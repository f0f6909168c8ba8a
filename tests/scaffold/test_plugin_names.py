"""What a plugin may be called."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlkit.catalog import Catalog
from dlkit.components import NAME
from dlkit.errors import UsageError
from dlkit.scaffold.names import LONGEST, check_free, checked, nearest_valid, package_of


@pytest.mark.parametrize("name", ["waves", "a", "waves-2", "one-two-three", "x" * LONGEST])
def test_a_good_name_is_kept(name: str) -> None:
    assert checked(name) == name and package_of(name).isidentifier()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("My Plugin", "my-plugin"), ("myPlugin", "my-plugin"), ("waves_2", "waves-2"), ("dlkit-waves", "waves"),
        ("3d", "d"), ("Größe", "groe"), ("-a--b-", "a-b"), ("x" * 50, "x" * LONGEST), ("waves\n", "waves"),
        ("../up", "up"), ("", ""), ("猫", ""), ("--", ""), ("Any", ""),
    ],
)  # fmt: skip
def test_another_one_is_refused_and_the_nearest_offered(name: str, near: str) -> None:
    assert nearest_valid(name) == near
    with pytest.raises(UsageError) as caught:
        checked(name)
    assert (f"did you mean {near!r}" in str(caught.value)) == bool(near)


@pytest.mark.parametrize("name", ["any", "last", "all", "dlkit"])
def test_words_that_mean_something_are_no_names(name: str) -> None:
    with pytest.raises(UsageError, match="means something else"):
        checked(name)


@given(st.text(max_size=60))
def test_what_is_offered_would_do(name: str) -> None:
    near = nearest_valid(name)
    if near:
        assert checked(near) == near and nearest_valid(near) == near and NAME.match(near)


def test_what_others_are_called_is_not_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = Catalog.load_everything()
    check_free(catalog, "nobody-yet", "model", "classification")
    with pytest.raises(UsageError, match="plugin 'points' is installed"):
        check_free(catalog, "points", "observer", "")
    with pytest.raises(UsageError, match="offers a trainer 'supervised'"):
        check_free(catalog, "supervised", "trainer", "")
    (tmp_path / "dlkit_nobody_yet.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="package 'dlkit_nobody_yet'"):
        check_free(catalog, "nobody-yet", "model", "classification")
